//! Dependencies first.

use std::collections::BTreeMap;

use super::Spec;
use crate::error::CommandError;

/// Puts services in an order in which each comes after what it depends on; else by name.
///
/// # Errors
/// When two have one name, one depends on something unknown, or some wait for each other.
pub(super) fn order(services: Vec<Spec>) -> Result<Vec<Spec>, CommandError> {
    let mut waiting = BTreeMap::new();
    for service in services {
        if let Some(other) = waiting.insert(service.name.clone(), service.clone()) {
            let places = format!("{} and {}", other.dir.display(), service.dir.display());
            return Err(CommandError::invalid(format!("two services are called {}: in {places}", service.name))
                .hint("give one another name in a micro.toml"));
        }
    }
    for service in waiting.values() {
        if let Some(unknown) = service.depends.iter().find(|name| !waiting.contains_key(*name)) {
            let known: Vec<_> = waiting.keys().map(String::as_str).collect();
            return Err(CommandError::invalid(format!("{} depends on {unknown}, which is not there", service.name))
                .hint(format!("the services are {}", known.join(", "))));
        }
    }
    let mut ordered: Vec<Spec> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let ready = |service: &&Spec| !service.depends.iter().any(|name| waiting.contains_key(name));
        let Some(next) = waiting.values().find(ready).map(|service| service.name.clone()) else {
            return Err(CommandError::invalid(format!("these services wait for each other: {}", cycle(&waiting)))
                .hint("take one of the names out of `depends` in micro.toml"));
        };
        ordered.extend(waiting.remove(&next));
    }
    Ok(ordered)
}

/// `a → b → a`: one circle among services that all wait.
fn cycle(waiting: &BTreeMap<String, Spec>) -> String {
    let mut path: Vec<&str> = Vec::new();
    let mut at = waiting.keys().next().map(String::as_str);
    while let Some(name) = at {
        if let Some(start) = path.iter().position(|seen| *seen == name) {
            path.drain(..start);
            path.push(name);
            break;
        }
        path.push(name);
        at = waiting[name].depends.iter().find(|name| waiting.contains_key(*name)).map(String::as_str);
    }
    path.join(" → ")
}
