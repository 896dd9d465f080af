//! The page that names every key.

use super::{
    keys::{Key, Node},
    variable,
};

/// Every key with its variable, what may stand there and what it is for.
pub(super) fn page(root: &Node) -> String {
    let mut page = String::new();
    table(&mut page, root, &mut Vec::new(), true);
    page
}

/// A table as a section: its own keys first, then the tables in it.
fn table(page: &mut String, node: &Node, path: &mut Vec<String>, named: bool) {
    let Node::Table(keys) = node else { return };
    let (tables, values): (Vec<_>, Vec<_>) = keys.iter().partition(|(_, key)| inner(&key.node).is_some());
    for (name, key) in values {
        let full: Vec<&str> = path.iter().map(String::as_str).chain([name.as_str()]).collect();
        page.push_str(&format!("### `{}`\n\n{}\n\n- {}\n", full.join("."), key.text, kind(&key.node)));
        if let Some(default) = key.default.as_ref().filter(|_| !key.text.contains("Default:")) {
            page.push_str(&format!("- default: `{default}`\n"));
        }
        if named {
            page.push_str(&format!("- variable: `{}`\n", variable(&full)));
        }
        page.push('\n');
    }
    for (name, key) in tables {
        path.push(step(name, key));
        let written = path.join(".");
        let heading = if matches!(key.node, Node::List(_)) { format!("[[{written}]]") } else { format!("[{written}]") };
        page.push_str(&format!("## `{}`\n\n{}\n\n", heading.replace("[]", ""), key.text));
        let (inner, plain) = inner(&key.node).expect("it was found to have one");
        table(page, inner, path, named && plain);
        path.pop();
    }
}

/// The table that is, or is in, a node; and whether it is there once.
fn inner(node: &Node) -> Option<(&Node, bool)> {
    match node {
        Node::Table(_) => Some((node, true)),
        Node::Names(node) | Node::List(node) => inner(node).map(|(inner, _)| (inner, false)),
        _ => None,
    }
}

fn step(name: &str, key: &Key) -> String {
    match key.node {
        Node::Names(_) => format!("{name}.NAME"),
        Node::List(_) => format!("{name}[]"),
        _ => name.to_owned(),
    }
}

fn kind(node: &Node) -> String {
    match node {
        Node::Table(_) => "a table".to_owned(),
        Node::Names(node) => format!("a table of names, each {}", kind(node)),
        Node::List(node) => format!("an array, each item {}", kind(node)),
        Node::Text => "a text".to_owned(),
        Node::Choice(texts) => format!("one of `{}`", texts.join("`, `")),
        Node::Integer => "a whole number".to_owned(),
        Node::Number => "a number".to_owned(),
        Node::Bool => "`true` or `false`".to_owned(),
        Node::Any => "of several forms".to_owned(),
    }
}
