//! Files of policies: read within bounds, named by `@id` or by place, and checked against the tools there are.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
};

use cedar_policy::{Effect, Policy, PolicyId, Schema, ValidationMode, Validator};
use miette::Diagnostic;
use serde_json::Value;

use super::{Named, PolicySet, Resource, WHOLE, schema};
use crate::Rule;

/// Largest sum of all files, in bytes.
const MAX_BYTES: usize = 1024 * 1024;

/// Most policies.
const MAX_POLICIES: usize = 1000;

/// How deep brackets may stand in each other.
const MAX_DEPTH: usize = 48;

/// Parser and validator go down once for each bracket, and far.
const STACK: usize = 64 * 1024 * 1024;

/// Policies that cannot be used, a line for each fault: file, line, what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct InvalidPolicies(pub Vec<String>);

impl PolicySet {
    /// Reads files, each a name and a text.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse(files: &[(String, String)]) -> Result<Self, InvalidPolicies> {
        let faults: Vec<String> = files.iter().filter_map(|(name, text)| bounded(name, text).err()).collect();
        if !faults.is_empty() {
            return Err(InvalidPolicies(faults));
        }
        if files.iter().map(|(_, text)| text.len()).sum::<usize>() > MAX_BYTES {
            return Err(InvalidPolicies(vec![format!("policies are at most {MAX_BYTES} bytes together")]));
        }
        deep(|| read(files))
    }

    /// What the tools there are say against the policies.
    pub(crate) fn check<'a>(&self, resources: impl Iterator<Item = &'a Resource>) -> Vec<String> {
        let schema = schema::of(resources.map(|resource| (resource.tool.id().unescaped(), &resource.arguments)));
        deep(|| {
            let schema = match Schema::from_json_value(schema) {
                Ok(schema) => schema,
                Err(error) => return vec![format!("the tools make no schema for policies: {error}")],
            };
            let result = Validator::new(schema).validate(&self.all, ValidationMode::Strict);
            let errors = result.validation_errors().map(|error| self.place(error.policy_id(), error));
            let warnings = result.validation_warnings().map(|warning| self.place(warning.policy_id(), warning));
            let mut all: Vec<String> = errors.chain(warnings).collect();
            // The same fault in the light of each of many tools.
            all.sort();
            all.dedup();
            all
        })
    }

    fn place(&self, policy: &PolicyId, fault: &dyn Diagnostic) -> String {
        let Some(known) = self.policies.get(policy) else { return fault.to_string() };
        let Some((name, text)) = self.files.get(known.file) else { return fault.to_string() };
        // Cedar knows it by a number of ours.
        place(name, text, fault).replace(&format!("policy `{policy}`"), &format!("`{}`", known.rule))
    }
}

fn read(files: &[(String, String)]) -> Result<PolicySet, InvalidPolicies> {
    let mut faults = Vec::new();
    let mut set = PolicySet {
        all: cedar_policy::PolicySet::new(),
        listing: cedar_policy::PolicySet::new(),
        policies: BTreeMap::new(),
        files: files.to_vec(),
        context: BTreeSet::new(),
    };
    for (file, (name, text)) in files.iter().enumerate() {
        let parsed: cedar_policy::PolicySet = match text.parse() {
            Ok(parsed) => parsed,
            Err(errors) => {
                let errors: cedar_policy::ParseErrors = errors;
                faults.extend(errors.iter().map(|error| place(name, text, error)));
                continue;
            }
        };
        if parsed.templates().next().is_some() {
            faults.push(format!("{name}: templates (`?principal`, `?resource`) are not filled in by anybody here"));
        }
        let mut policies: Vec<&Policy> = parsed.policies().collect();
        policies.sort_by_key(|policy| {
            let id: &str = policy.id().as_ref();
            id.trim_start_matches("policy").parse().unwrap_or(usize::MAX)
        });
        let mut from = 0;
        for policy in policies {
            let source = policy.to_string();
            let at = text[from..].find(&source).map_or(from, |at| from + at);
            from = at + source.len().min(text.len() - at);
            let line = text[..at].lines().count().max(1) + usize::from(text[..at].ends_with('\n'));
            if let Err(fault) = set.add(policy, file, line) {
                faults.push(format!("{name}:{line}: {fault}"));
            }
        }
    }
    if set.policies.len() > MAX_POLICIES {
        faults.push(format!("there are more than {MAX_POLICIES} policies"));
    }
    if faults.is_empty() { Ok(set) } else { Err(InvalidPolicies(faults)) }
}

impl PolicySet {
    fn add(&mut self, policy: &Policy, file: usize, line: usize) -> Result<(), String> {
        let id = policy.annotation("id").filter(|id| !id.is_empty());
        let rule = match id {
            Some(id) => Rule::named(format!("policy:{id}")),
            None => Rule::named(format!("policy:{}:{line}", self.files[file].0)),
        };
        if id.is_some() && self.policies.values().any(|known| known.rule == rule) {
            return Err(format!("`{rule}` is there twice"));
        }
        // In the order of files and lines.
        let id = PolicyId::new(format!("{file:04}:{:06}", self.policies.len()));
        let json = policy.to_json().map_err(|error| error.to_string())?;
        let mut members = BTreeSet::new();
        json.get("conditions").into_iter().for_each(|conditions| look(conditions, &mut members));
        let looks = !members.is_empty();
        self.context.append(&mut members);
        let shown = match (looks, policy.effect()) {
            (false, _) => Some(policy.new_id(id.clone())),
            // What it forbids depends on the call, so some call may pass.
            (true, Effect::Forbid) => None,
            // What it permits depends on the call, so some call may pass wherever its head fits.
            (true, Effect::Permit) => {
                let mut head = json;
                head["conditions"] = Value::Array(Vec::new());
                Some(Policy::from_json(Some(id.clone()), head).map_err(|error| error.to_string())?)
            }
        };
        if let Some(shown) = shown {
            self.listing.add(shown).map_err(|error| error.to_string())?;
        }
        self.all.add(policy.new_id(id.clone())).map_err(|error| error.to_string())?;
        self.policies.insert(id, Named::new(rule, file, policy.effect()));
        Ok(())
    }
}

/// Which members of the context an expression, in Cedar's JSON form, looks at.
fn look(expression: &Value, members: &mut BTreeSet<String>) {
    let is_context = |value: &Value| value.get("Var").and_then(Value::as_str) == Some("context");
    match expression {
        whole if is_context(whole) => {
            members.insert(WHOLE.to_owned());
        }
        Value::Object(parts) => match (parts.get("left"), parts.get("attr")) {
            (Some(left), Some(Value::String(member))) if is_context(left) => {
                members.insert(member.clone());
            }
            _ => parts.values().for_each(|part| look(part, members)),
        },
        Value::Array(elements) => elements.iter().for_each(|element| look(element, members)),
        _ => {}
    }
}

/// `file:line: what, and what to do about it`.
fn place(name: &str, text: &str, fault: &dyn Diagnostic) -> String {
    let offset = fault.labels().and_then(|mut labels| labels.next()).map(|label| label.offset());
    let before = offset.and_then(|offset| text.get(..offset));
    let line = before.map_or_else(String::new, |before| format!(":{}", before.matches('\n').count() + 1));
    let help = fault.help().map_or_else(String::new, |help| format!(" ({help})"));
    format!("{name}{line}: {fault}{help}")
}

/// Refuses a text that would take a parser too deep.
fn bounded(name: &str, text: &str) -> Result<(), String> {
    let (mut depth, mut deepest, mut line, mut quoted, mut escaped, mut comment) = (0_usize, 0, 1, false, false, false);
    let (mut run, mut before) = (0, ' '); // a run of `!` and `-`, each of which goes one deeper
    for c in text.chars() {
        if c == '\n' {
            (line, comment) = (line + 1, false);
        }
        match c {
            _ if comment => {}
            '/' if before == '/' && !quoted => comment = true,
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        run = if !quoted && !comment && matches!(c, '!' | '-') { run + 1 } else { 0 };
        before = c;
        deepest = deepest.max(depth).max(run);
        if deepest > MAX_DEPTH {
            return Err(format!("{name}:{line}: brackets are nested more than {MAX_DEPTH} deep"));
        }
    }
    Ok(())
}

/// Does something that goes deep.
fn deep<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        thread.expect("the system has a thread").join().expect("policies are read without a panic")
    })
}
