//! The official schema of a revision, and which of its definitions have been used.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use jsonschema::Validator;
use micro_mcp_proto::Revision;
use serde_json::{Value, json};

/// One revision's schema.
pub(crate) struct Schema {
    whole: Value,
    /// `definitions` or `$defs`.
    place: &'static str,
    compiled: BTreeMap<String, Validator>,
}

/// The schemas of all revisions. Nobody ships that of 2024-11-05 any more; that of 2025-03-26, which only
/// added to it, stands in for it without the one thing that would be wrong there: sounds.
pub(crate) fn all() -> Result<BTreeMap<Revision, Schema>> {
    let mut official = micro_test::conformance::schemas()?;
    let mut oldest = official.get("2025-03-26").context("no schema of 2025-03-26")?.clone();
    without(&mut oldest, "#/definitions/AudioContent");
    official.insert("2024-11-05".to_owned(), oldest);
    let schema = |revision: Revision| {
        let whole = official.remove(revision.as_str()).with_context(|| format!("no schema of {revision}"))?;
        let place = if whole.get("$defs").is_some() { "$defs" } else { "definitions" };
        Ok((revision, Schema { whole, place, compiled: BTreeMap::new() }))
    };
    Revision::ALL.into_iter().map(schema).collect()
}

/// Takes a definition out of every union.
fn without(schema: &mut Value, definition: &str) {
    match schema {
        Value::Object(members) => members.values_mut().for_each(|member| without(member, definition)),
        Value::Array(items) => {
            items.retain(|item| item["$ref"] != definition);
            items.iter_mut().for_each(|item| without(item, definition));
        }
        _ => {}
    }
}

impl Schema {
    /// Fails with all that is wrong when a value does not fit a definition.
    pub(crate) fn check(&mut self, name: &str, value: &Value) -> Result<()> {
        if !self.compiled.contains_key(name) {
            let validator = self.compile(name)?;
            self.compiled.insert(name.to_owned(), validator);
        }
        let wrong: Vec<_> =
            self.compiled[name].iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        if !wrong.is_empty() {
            bail!("no {name}: {}\n{value:#}", wrong.join("; "));
        }
        Ok(())
    }

    fn compile(&self, name: &str) -> Result<Validator> {
        let place = self.place;
        if self.whole[place].get(name).is_none() {
            bail!("the schema has no {name}");
        }
        let root = json!({
            "$schema": self.whole["$schema"],
            place: self.whole[place],
            "allOf": [{ "$ref": format!("#/{place}/{name}") }],
        });
        Ok(jsonschema::options().should_validate_formats(true).build(&root)?)
    }

    /// The definitions that the unions of all messages name and that no check has used.
    pub(crate) fn unused(&self) -> Vec<String> {
        let definitions = &self.whole[self.place];
        let unions = [
            "ClientRequest",
            "ServerRequest",
            "ClientNotification",
            "ServerNotification",
            "ClientResult",
            "ServerResult",
            "InputRequest",
            "InputResponse",
        ];
        let named = unions.iter().flat_map(|union| definitions[union]["anyOf"].as_array().into_iter().flatten());
        let named = named.filter_map(|one| one["$ref"].as_str()?.rsplit('/').next());
        let named: BTreeSet<&str> = named.collect();
        named.into_iter().filter(|name| !self.compiled.contains_key(*name)).map(str::to_owned).collect()
    }
}
