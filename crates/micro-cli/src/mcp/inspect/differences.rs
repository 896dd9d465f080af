//! How the offers of one server differ from revision to revision.

use std::collections::BTreeSet;

use micro_mcp::proto::Revision;
use serde_json::Value;

use super::Offer;

/// Names told at once; the rest is counted.
const NAMED: usize = 6;

/// Something that is not in some revisions as it is in the newest one that the server speaks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) revisions: Vec<Revision>,
    pub(crate) what: String,
}

/// What is different in the older revisions; those that agree are told together. The first offer is the newest.
pub(crate) fn differences(offers: &[Offer]) -> Vec<Difference> {
    let mut out: Vec<Difference> = Vec::new();
    let Some((newest, older)) = offers.split_first() else { return out };
    for offer in older {
        for what in between(newest, offer) {
            match out.iter_mut().find(|known| known.what == what) {
                Some(known) => known.revisions.push(offer.revision),
                None => out.push(Difference { revisions: vec![offer.revision], what }),
            }
        }
    }
    out
}

fn between(newest: &Offer, other: &Offer) -> Vec<String> {
    let mut out = Vec::new();
    let named = |offer: &Offer| format!("{} {}", offer.server.name, offer.server.version);
    if named(newest) != named(other) {
        out.push(format!("the server is {}", named(other)));
    }
    if newest.instructions != other.instructions {
        out.push("other instructions".to_owned());
    }
    let (has, had) = (capabilities(&newest.capabilities), capabilities(&other.capabilities));
    for (less, words) in [(has.difference(&had), "without"), (had.difference(&has), "with")] {
        let less: Vec<_> = less.map(String::as_str).collect();
        if !less.is_empty() {
            out.push(format!("{words} the capability {}", less.join(", ")));
        }
    }
    for (thing, key, new, old) in [
        ("tool", "name", &newest.tools, &other.tools),
        ("resource", "uri", &newest.resources, &other.resources),
        ("template", "uriTemplate", &newest.templates, &other.templates),
        ("prompt", "name", &newest.prompts, &other.prompts),
    ] {
        items(thing, key, new, old, &mut out);
    }
    out
}

/// Which items are missing, added or others, told by what is different about them.
fn items(thing: &str, key: &str, newest: &[Value], other: &[Value], out: &mut Vec<String>) {
    let find = |list: &[Value], item: &Value| list.iter().find(|candidate| candidate[key] == item[key]).cloned();
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    let mut note = |what: String, item: &'_ Value| {
        // The names live as long as the lists do.
        let name = newest.iter().chain(other).find(|candidate| candidate[key] == item[key]);
        let name = name.and_then(|item| item[key].as_str()).unwrap_or_default();
        match groups.iter_mut().find(|(known, _)| *known == what) {
            Some((_, names)) => names.push(name),
            None => groups.push((what, vec![name])),
        }
    };
    for item in newest {
        let Some(old) = find(other, item) else {
            note("missing".to_owned(), item);
            continue;
        };
        let (new, old) = (members(item), members(&old));
        let names: BTreeSet<&String> = new.iter().chain(&old).map(|(name, _)| name).collect();
        let value = |members: &[(String, Value)], name: &String| {
            members.iter().find(|(member, _)| member == name).map(|(_, value)| value.clone())
        };
        for name in names {
            match (value(&new, name), value(&old, name)) {
                (Some(_), None) => note(format!("without `{name}`"), item),
                (None, Some(_)) => note(format!("with `{name}`"), item),
                (new, old) if new != old => note(format!("with another `{name}`"), item),
                _ => {}
            }
        }
    }
    for item in other.iter().filter(|item| find(newest, item).is_none()) {
        note("added".to_owned(), item);
    }
    for (what, names) in groups {
        let plural = if names.len() == 1 { "" } else { "s" };
        let more = if names.len() > NAMED { format!(" and {} more", names.len() - NAMED) } else { String::new() };
        let shown = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        out.push(format!("{} {thing}{plural} {what}: {shown}{more}", names.len()));
    }
}

fn members(item: &Value) -> Vec<(String, Value)> {
    let members = item.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Capabilities as words: `tools`, `tools.listChanged`, `extensions.io.modelcontextprotocol/tasks`.
pub(crate) fn capabilities(declared: &Value) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for (name, settings) in declared.as_object().into_iter().flatten() {
        out.insert(name.clone());
        let on = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
        let inner = settings.as_object().into_iter().flatten().filter(|(_, value)| on(value));
        out.extend(inner.map(|(inner, _)| format!("{name}.{inner}")));
    }
    out
}

#[cfg(test)]
mod tests {
    use micro_mcp::proto::Implementation;
    use serde_json::json;

    use super::*;

    fn offer(revision: Revision, capabilities: Value, tools: &Value) -> Offer {
        Offer {
            revision,
            server: Implementation { name: "s".into(), version: "1".into(), ..Implementation::default() },
            instructions: None,
            capabilities,
            tools: tools.as_array().unwrap().clone(),
            resources: Vec::new(),
            templates: Vec::new(),
            prompts: Vec::new(),
            dropped: Vec::new(),
            problems: Vec::new(),
        }
    }

    #[test]
    fn revisions_that_differ_in_the_same_way_are_told_together() {
        let newest = json!([{"name": "a", "title": "A"}, {"name": "b", "title": "B"}, {"name": "new"}]);
        let older = json!([{"name": "a"}, {"name": "b"}, {"name": "old"}]);
        let tools = json!({"tools": {"listChanged": true}});
        let offers = [
            offer(Revision::V2026_07_28, json!({"tools": {}, "extensions": {"x/y": {}}}), &newest),
            offer(Revision::V2025_03_26, tools.clone(), &older),
            offer(Revision::V2024_11_05, tools, &older),
        ];
        let told: Vec<_> = differences(&offers).into_iter().map(|d| (d.revisions.len(), d.what)).collect();
        let expect = [
            "without the capability extensions, extensions.x/y",
            "with the capability tools.listChanged",
            "2 tools without `title`: a, b",
            "1 tool missing: new",
            "1 tool added: old",
        ];
        assert_eq!(told, expect.map(|what| (2, what.to_owned())));
    }

    #[test]
    fn one_offer_differs_from_nothing() {
        assert_eq!(differences(&[]), []);
        assert_eq!(differences(&[offer(Revision::LATEST, json!({}), &json!([]))]), []);
    }
}
