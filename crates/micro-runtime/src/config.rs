//! Settings from a file, the environment and flags, read as one value. What is wrong is told with its place, all at
//! once, before anything is done with it.

mod diff;
mod keys;
mod near;
mod place;
mod reference;
mod watch;

use std::{fmt, fs, io, path::Path};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use toml::{Table, Value, de::DeTable};

use self::place::{Source, Step, one_line, place, written};
pub use self::{
    diff::Change,
    keys::{Key, Node},
    near::nearest,
    place::Place,
    watch::Watch,
};

/// Largest file that is read, in bytes.
const MAX_FILE: usize = 1 << 20;

/// Where settings come from. What is added later wins; the file has the last word nowhere.
#[derive(Clone, Default)]
pub struct Sources {
    /// Its name for people, and its text.
    file: Option<(String, String)>,
    variables: Vec<(String, String)>,
    flags: Vec<Flag>,
}

#[derive(Clone)]
struct Flag {
    key: String,
    value: String,
    typed: String,
}

/// Settings, and what they were read from.
#[derive(Clone)]
pub struct Loaded<T> {
    /// The settings.
    pub value: T,
    /// What was set, without defaults.
    table: Table,
    keys: Node,
    /// The keys that variables or flags set.
    elsewhere: Vec<Vec<String>>,
}

/// Shows where from, and nothing of what is said there: some of it is secret.
impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.as_ref().map(|(name, _)| name);
        let variables = self.variables.iter().map(|(name, _)| name).collect::<Vec<_>>();
        let flags = self.flags.iter().map(|flag| &flag.typed).collect::<Vec<_>>();
        f.debug_struct("Sources").field("file", &file).field("variables", &variables).field("flags", &flags).finish()
    }
}

/// Shows what was set, without secrets.
impl<T> fmt::Debug for Loaded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Loaded").field(&diff::without_secrets(&self.keys, &self.table)).finish()
    }
}

/// Settings that cannot be used. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Invalid(pub Vec<Problem>);

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What.
    pub reason: String,
    /// What to write instead, if that can be guessed.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)?;
        self.hint.iter().try_for_each(|hint| write!(f, "; {hint}"))
    }
}

impl Sources {
    /// Nothing yet: the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or is larger than a megabyte.
    pub fn file(self, path: &Path) -> io::Result<Self> {
        let text = fs::read_to_string(path)?;
        if text.len() > MAX_FILE {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {MAX_FILE} bytes")));
        }
        Ok(self.text(path.display().to_string(), text))
    }

    /// Takes a text for the file, under a name for people.
    #[must_use]
    pub fn text(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.file = Some((name.into(), text.into()));
        self
    }

    /// Takes environment variables: `MICRO_GATEWAY_AUTH_MODE` is the key `gateway.auth.mode`. Others are not looked at.
    #[must_use]
    pub fn environment(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.variables.extend(variables.into_iter().filter(|(name, _)| name.starts_with(PREFIX)));
        self.variables.sort();
        self
    }

    /// Takes a flag that sets one key. `typed` is what people know it by, for example `--address`.
    #[must_use]
    pub fn flag(mut self, key: impl Into<String>, value: impl Into<String>, typed: impl Into<String>) -> Self {
        self.flags.push(Flag { key: key.into(), value: value.into(), typed: typed.into() });
        self
    }

    /// Puts everything together.
    ///
    /// # Errors
    /// With every key that is unknown and every text that is no value; else with the first value that does not fit.
    pub fn load<T: DeserializeOwned + JsonSchema>(&self) -> Result<Loaded<T>, Invalid> {
        let keys = Node::of(&keys::schema::<T>());
        let (file, text) = self.file.as_ref().map_or(("", ""), |(file, text)| (file, text));
        let (spanned, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let problem = |error: &toml::de::Error| Problem {
                place: place(file, text, error.span().map_or(0, |span| span.start)),
                reason: error.message().trim().replace('\n', ", "),
                hint: None,
            };
            return Err(Invalid(errors.iter().map(problem).collect()));
        }
        let source = Source { file, text, table: spanned.get_ref() };
        let table = text.parse::<Table>().map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            Invalid(vec![Problem { place: place(file, text, at), reason: error.message().to_owned(), hint: None }])
        })?;
        let mut draft = Draft { table, keys, source, set: Vec::new(), problems: Vec::new() };
        draft.check_file();
        draft.variables(&self.variables);
        draft.flags(&self.flags);
        draft.finish()
    }
}

impl<T> Loaded<T> {
    /// What a newer state sets otherwise, by key. Secrets are not shown.
    pub fn changes(&self, newer: &Self) -> Vec<Change> {
        diff::changes(&self.keys, &self.table, &newer.table)
    }

    /// Whether anything is set at or below a key of the topmost table.
    pub fn sets(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Whether it is the file that says what a key is.
    pub fn is_of_file(&self, key: &str) -> bool {
        let path: Vec<&str> = key.split('.').collect();
        let mut names = path.iter();
        let first = names.next().and_then(|name| self.table.get(*name));
        first.and_then(|value| names.try_fold(value, |value, name| value.get(*name))).is_some()
            && !self.elsewhere.iter().any(|set| path.starts_with(&set.iter().map(String::as_str).collect::<Vec<_>>()))
    }

    /// What was set, as a file would say it, without secrets.
    pub fn shown(&self) -> String {
        toml::to_string_pretty(&diff::without_secrets(&self.keys, &self.table)).expect("it was TOML")
    }
}

/// The JSON Schema (2020-12) of settings.
pub fn schema<T: JsonSchema>() -> serde_json::Value {
    keys::schema::<T>()
}

/// A page in Markdown with every key.
pub fn reference<T: JsonSchema>() -> String {
    reference::page(&Node::of(&keys::schema::<T>()))
}

/// What variables begin with.
const PREFIX: &str = "MICRO_";

/// The variable of a key.
fn variable(path: &[&str]) -> String {
    format!("{PREFIX}{}", path.join("_").to_uppercase())
}

// === draft ===

/// Settings in the making.
struct Draft<'a> {
    table: Table,
    keys: Node,
    source: Source<'a>,
    /// Keys that were set from elsewhere than the file.
    set: Vec<(Vec<String>, Place)>,
    problems: Vec<Problem>,
}

impl Draft<'_> {
    /// Finds the keys of the file that are unknown.
    fn check_file(&mut self) {
        let Self { table, keys, source, problems, .. } = self;
        unknown_in_table(table, keys, &mut Vec::new(), &mut |path, hint| {
            let place = source.find(path).unwrap_or_else(|| Place::File(source.file.to_owned()));
            problems.push(Problem { place, reason: format!("there is no key `{}`", written(path)), hint });
        });
    }

    /// Sets the keys that variables name. One that begins as a table does must name a key of it.
    fn variables(&mut self, variables: &[(String, String)]) {
        let keys = self.keys.clone();
        let known: Vec<(String, Vec<&str>)> =
            keys.leaves().into_iter().map(|(path, _)| (variable(&path), path)).collect();
        let tables = match &keys {
            Node::Table(keys) => keys.iter().filter(|(_, key)| matches!(key.node, Node::Table(_))),
            _ => unreachable!("settings are a table"),
        };
        let tables: Vec<String> = tables.map(|(name, _)| format!("{}_", variable(&[name]))).collect();
        for (name, value) in variables {
            let place = Place::Variable(name.clone());
            if let Some((_, path)) = known.iter().find(|(variable, _)| variable == name) {
                self.set(path, value, place);
            } else if let Some(table) = tables.iter().find(|table| name.starts_with(*table)) {
                let of_table = known.iter().filter_map(|(variable, _)| variable.strip_prefix(table.as_str()));
                let near = nearest(&name[table.len()..], of_table);
                let hint = near.first().map(|near| format!("did you mean `{table}{near}`?"));
                self.problems.push(Problem { place, reason: "it stands for no key".to_owned(), hint });
            }
        }
    }

    fn flags(&mut self, flags: &[Flag]) {
        for Flag { key, value, typed } in flags {
            let path: Vec<&str> = key.split('.').collect();
            self.set(&path, value, Place::Flag(typed.clone()));
        }
    }

    /// Sets one key.
    fn set(&mut self, path: &[&str], text: &str, place: Place) {
        let Some(node) = self.keys.at(path.iter().copied()) else {
            let reason = format!("there is no key `{}`", path.join("."));
            let known = (0..path.len()).rev().find_map(|n| Some((n, self.keys.at(path[..n].iter().copied())?)));
            let hint = known.and_then(|(n, node)| did_you_mean(path[n], node));
            self.problems.push(Problem { place, reason, hint });
            return;
        };
        match value(node, text) {
            Ok(value) => {
                put(&mut self.table, path, value);
                self.set.push((path.iter().map(|name| (*name).to_owned()).collect(), place));
            }
            Err(reason) => self.problems.push(Problem { place, reason, hint: None }),
        }
    }

    fn finish<T: DeserializeOwned>(mut self) -> Result<Loaded<T>, Invalid> {
        if !self.problems.is_empty() {
            self.problems.sort();
            return Err(Invalid(self.problems));
        }
        let read = serde_path_to_error::deserialize(self.table.clone());
        let value = read.map_err(|error| Invalid(vec![self.unfit(&error)]))?;
        let elsewhere = self.set.into_iter().map(|(path, _)| path).collect();
        Ok(Loaded { value, table: self.table, keys: self.keys, elsewhere })
    }

    /// A value that does not fit.
    fn unfit(&self, error: &serde_path_to_error::Error<toml::de::Error>) -> Problem {
        use serde_path_to_error::Segment;
        let steps = error.path().iter().filter_map(|segment| match segment {
            Segment::Seq { index } => Some(Step::Index(*index)),
            Segment::Map { key } => Some(Step::Key(key.clone())),
            Segment::Enum { .. } | Segment::Unknown => None,
        });
        let path: Vec<Step> = steps.collect();
        let begins = |names: &[String]| {
            let both = names.iter().zip(&path);
            path.len() >= names.len()
                && both.into_iter().all(|(name, step)| matches!(step, Step::Key(key) if key == name))
        };
        let elsewhere = self.set.iter().rev().find(|(names, _)| begins(names)).map(|(_, place)| place.clone());
        let place = elsewhere.or_else(|| self.source.find(&path));
        let reason = match is_secret(&self.keys, &path) {
            true => "this is no value for it".to_owned(), // serde would say what is there
            false => error.inner().message().lines().next().unwrap_or_default().to_owned(),
        };
        let reason = if path.is_empty() { reason } else { format!("`{}`: {reason}", written(&path)) };
        Problem { place: place.unwrap_or_else(|| Place::File(self.source.file.to_owned())), reason, hint: None }
    }
}

/// Whether the value at a path is shown to nobody.
fn is_secret(node: &Node, path: &[Step]) -> bool {
    match (node, path) {
        (Node::Table(keys), [Step::Key(name), rest @ ..]) => {
            keys.get(name).is_some_and(|key| key.secret || is_secret(&key.node, rest))
        }
        (Node::Names(node), [Step::Key(_), rest @ ..]) | (Node::List(node), [Step::Index(_), rest @ ..]) => {
            is_secret(node, rest)
        }
        _ => false,
    }
}

/// Tells of every key that is not in the tree.
fn unknown(value: &Value, node: &Node, path: &mut Vec<Step>, tell: &mut impl FnMut(&[Step], Option<String>)) {
    match (value, node) {
        (Value::Table(table), node) => unknown_in_table(table, node, path, tell),
        (Value::Array(values), Node::List(node)) => {
            for (index, value) in values.iter().enumerate() {
                path.push(Step::Index(index));
                unknown(value, node, path, tell);
                path.pop();
            }
        }
        _ => {}
    }
}

fn unknown_in_table(table: &Table, node: &Node, path: &mut Vec<Step>, tell: &mut impl FnMut(&[Step], Option<String>)) {
    for (name, value) in table {
        path.push(Step::Key(name.clone()));
        match node {
            Node::Table(keys) => match keys.get(name) {
                Some(key) => unknown(value, &key.node, path, tell),
                None => tell(path, did_you_mean(name, node)),
            },
            Node::Names(node) => unknown(value, node, path, tell),
            _ => {} // of the wrong kind, which is told when it is read
        }
        path.pop();
    }
}

/// A value from a text that is no TOML: a list is written with commas. What may hold secrets is not said again when it is
/// wrong.
fn value(node: &Node, text: &str) -> Result<Value, String> {
    let toml = |text: &str| {
        let mut table = format!("value = {text}").parse::<Table>().ok()?;
        let value = table.remove("value");
        value.filter(|_| table.is_empty()) // else there is another line in it
    };
    let expected = |what: &str| format!("`{}` is not {what}", one_line(text));
    match node {
        Node::Text => Ok(Value::String(text.to_owned())),
        Node::Choice(texts) if texts.iter().any(|choice| choice == text) => Ok(Value::String(text.to_owned())),
        Node::Choice(texts) => Err(expected(&format!("one of {}", texts.join(", ")))),
        Node::Bool => text.parse().map(Value::Boolean).map_err(|_| expected("`true` or `false`")),
        Node::Integer => text.parse().map(Value::Integer).map_err(|_| expected("a whole number")),
        Node::Number => text.parse().map(Value::Float).map_err(|_| expected("a number")),
        Node::List(_) if text.trim_start().starts_with('[') => {
            toml(text).ok_or("this is not an array in TOML".to_owned())
        }
        Node::List(node) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            items.map(|item| value(node, item)).collect::<Result<_, _>>().map(Value::Array)
        }
        Node::Table(_) | Node::Names(_) => {
            toml(text).ok_or("this is not a table in TOML, such as `{ a = 1 }`".to_owned())
        }
        Node::Any => Ok(toml(text).unwrap_or_else(|| Value::String(text.to_owned()))),
    }
}

/// Puts a value in its place; tables on the way are made.
fn put(table: &mut Table, path: &[&str], value: Value) {
    match path {
        [] => {}
        [name] => {
            table.insert((*name).to_owned(), value);
        }
        [name, rest @ ..] => {
            let next = table.entry(*name).or_insert_with(|| Value::Table(Table::new()));
            if !next.is_table() {
                *next = Value::Table(Table::new());
            }
            put(next.as_table_mut().expect("it is one now"), rest, value);
        }
    }
}

/// The nearest key of a table.
fn did_you_mean(name: &str, table: &Node) -> Option<String> {
    let Node::Table(keys) = table else { return None };
    let near = nearest(name, keys.keys().map(String::as_str));
    near.first().map(|near| format!("did you mean `{near}`?"))
}

#[cfg(test)]
mod tests;
