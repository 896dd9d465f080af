//! What changed from one state of the settings to the next.

use std::fmt;

use toml::{Table, Value};

use super::{
    keys::Node,
    place::{Step, written},
};

/// A key that is set otherwise than before. Values are as TOML writes them; those of secrets are hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: String,
    /// What it was, if it was set.
    pub before: Option<String>,
    /// What it is, if it is set.
    pub after: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, before, after } = self;
        let unset = "unset";
        write!(f, "{key}: {} -> {}", before.as_deref().unwrap_or(unset), after.as_deref().unwrap_or(unset))
    }
}

/// What a secret is shown as.
const HIDDEN: &str = "\"…\"";

/// Every key that differs, in the order of their names.
pub(super) fn changes(keys: &Node, before: &Table, after: &Table) -> Vec<Change> {
    let mut changes = Vec::new();
    between(keys, before, after, &mut Vec::new(), &mut changes);
    changes
}

fn between(node: &Node, before: &Table, after: &Table, path: &mut Vec<Step>, changes: &mut Vec<Change>) {
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let empty = Table::new();
    for name in names {
        let (old, new) = (before.get(name), after.get(name));
        if old == new {
            continue;
        }
        let (below, secret) = below(node, name);
        path.push(Step::Key(name.clone()));
        match (old, new) {
            (Some(Value::Table(old)), Some(Value::Table(new))) => between(below, old, new, path, changes),
            (Some(Value::Table(old)), None) => between(below, old, &empty, path, changes),
            (None, Some(Value::Table(new))) => between(below, &empty, new, path, changes),
            _ => {
                let shown = |value: &Value| match secret {
                    true => HIDDEN.to_owned(),
                    false => hidden(below, value).to_string(),
                };
                changes.push(Change { key: written(path), before: old.map(shown), after: new.map(shown) });
            }
        }
        path.pop();
    }
}

/// The settings with every secret hidden.
pub(super) fn without_secrets(node: &Node, table: &Table) -> Table {
    let shown = |(name, value): (&String, &Value)| {
        let (below, secret) = below(node, name);
        let value = if secret { Value::String("…".to_owned()) } else { hidden(below, value) };
        (name.clone(), value)
    };
    table.iter().map(shown).collect()
}

fn hidden(node: &Node, value: &Value) -> Value {
    match (value, node) {
        (Value::Table(table), node) => Value::Table(without_secrets(node, table)),
        (Value::Array(values), Node::List(node)) => {
            Value::Array(values.iter().map(|value| hidden(node, value)).collect())
        }
        _ => value.clone(),
    }
}

/// What is below a name, and whether that is a secret.
fn below<'a>(node: &'a Node, name: &str) -> (&'a Node, bool) {
    match node {
        Node::Table(keys) => keys.get(name).map_or((&Node::Any, false), |key| (&key.node, key.secret)),
        Node::Names(node) => (node, false),
        _ => (&Node::Any, false),
    }
}
