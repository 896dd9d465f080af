//! Whether two messages say the same, but for values that differ from run to run by their nature.

use std::collections::HashMap;

use serde_json::Value;

/// Members whose strings a server makes up: only that they are there is compared.
const MADE_UP: &[&str] =
    &["nextCursor", "requestState", "taskId", "elicitationId", "createdAt", "lastUpdatedAt", "lastModified"];
/// Members that say which build of a program speaks; of them the version is not compared.
const PROGRAMS: &[&str] = &["serverInfo", "io.modelcontextprotocol/serverInfo"];
/// Differences told of one message; the rest is counted.
const TOLD: usize = 20;
/// Characters of a value that are shown.
const SHOWN: usize = 160;

/// What is not compared, and what took the place of what.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// Names of members, or JSON pointers, that need not be the same.
    ignored: Vec<String>,
    /// Recorded strings, and the ones that stand in their place now.
    now: HashMap<String, String>,
}

impl Rules {
    /// Rules that ignore these members too: by name, or by JSON pointer when it begins with `/`.
    pub(crate) fn new(ignored: Vec<String>) -> Self {
        Self { ignored, now: HashMap::new() }
    }

    /// From here on this string stands for that one.
    pub(super) fn bind(&mut self, recorded: &str, now: &str) {
        if recorded != now {
            self.now.insert(recorded.to_owned(), now.to_owned());
        }
    }

    /// A recorded string as it is now.
    pub(super) fn current<'a>(&'a self, recorded: &'a str) -> &'a str {
        self.now.get(recorded).map_or(recorded, String::as_str)
    }

    /// A recorded message with everything in it as it is now.
    pub(super) fn renew(&self, message: &mut Value) {
        match message {
            Value::String(text) => {
                if let Some(now) = self.now.get(text) {
                    *text = now.clone();
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.renew(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.renew(member)),
            _ => {}
        }
    }

    /// Every way in which `seen` is not what was recorded, each with its place.
    pub(super) fn compare(&mut self, recorded: &Value, seen: &Value) -> Vec<String> {
        let mut out = Vec::new();
        self.walk("", recorded, seen, &mut out);
        if out.len() > TOLD {
            let more = out.len() - TOLD;
            out.truncate(TOLD);
            out.push(format!("and {more} more"));
        }
        out
    }

    fn walk(&mut self, at: &str, recorded: &Value, seen: &Value, out: &mut Vec<String>) {
        if self.is_ignored(at) {
            self.bind_strings(recorded, seen);
            return;
        }
        match (recorded, seen) {
            (Value::Object(old), Value::Object(new)) => {
                for (name, value) in old {
                    let at = format!("{at}/{}", escaped(name));
                    match new.get(name) {
                        Some(seen) => self.walk(&at, value, seen, out),
                        None if self.is_ignored(&at) => {}
                        None => out.push(format!("{at}: recorded {}, now missing", shown(value))),
                    }
                }
                for (name, value) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
                    let at = format!("{at}/{}", escaped(name));
                    if !self.is_ignored(&at) {
                        out.push(format!("{at}: not recorded, now {}", shown(value)));
                    }
                }
            }
            (Value::Array(old), Value::Array(new)) => {
                for (i, (old, new)) in old.iter().zip(new).enumerate() {
                    self.walk(&format!("{at}/{i}"), old, new, out);
                }
                if old.len() != new.len() {
                    let (gone, added) = (names(old, new), names(new, old));
                    let gone = if gone.is_empty() { gone } else { format!(", without {gone}") };
                    let added = if added.is_empty() { added } else { format!(", with {added}") };
                    out.push(format!("{at}: recorded {} items, now {}{gone}{added}", old.len(), new.len()));
                }
            }
            (Value::String(old), Value::String(new)) if old == new || self.current(old) == new => {}
            (Value::String(old), Value::String(new)) if is_made_up(at) || alike(old, new) => self.bind(old, new),
            (old, new) if old == new => {}
            (old, new) => out.push(format!("{at}: recorded {}, now {}", shown(old), shown(new))),
        }
    }

    /// Strings that are not compared may still be used by later requests.
    fn bind_strings(&mut self, recorded: &Value, seen: &Value) {
        if let (Some(old), Some(new)) = (recorded.as_str(), seen.as_str()) {
            self.bind(old, new);
        }
    }

    fn is_ignored(&self, at: &str) -> bool {
        let ignored = |rule: &String| if rule.starts_with('/') { rule == at } else { last(at) == *rule };
        self.ignored.iter().any(ignored) || is_version(at)
    }
}

/// The names of the items of one list that the other one lacks.
fn names(these: &[Value], others: &[Value]) -> String {
    let name =
        |item: &Value| ["name", "uri", "uriTemplate"].iter().find_map(|key| Some(item.get(key)?.as_str()?.to_owned()));
    let others: Vec<_> = others.iter().filter_map(name).collect();
    these.iter().filter_map(name).filter(|name| !others.contains(name)).collect::<Vec<_>>().join(", ")
}

/// The name of the member at a pointer.
fn last(at: &str) -> String {
    at.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~")
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn is_made_up(at: &str) -> bool {
    MADE_UP.contains(&last(at).as_str())
}

fn is_version(at: &str) -> bool {
    at.strip_suffix("/version").is_some_and(|program| PROGRAMS.contains(&last(program).as_str()))
}

/// Whether two strings are both times, or both UUIDs.
fn alike(old: &str, new: &str) -> bool {
    let time = |text: &str| text.len() >= 20 && text.parse::<jiff::Timestamp>().is_ok();
    let uuid = |text: &str| uuid::Uuid::try_parse(text).is_ok();
    (time(old) && time(new)) || (uuid(old) && uuid(new))
}

/// A value, cut where it is long.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(ignored: &[&str], recorded: &Value, seen: &Value, told: &[&str]) {
        let mut rules = Rules::new(ignored.iter().map(ToString::to_string).collect());
        assert_eq!(rules.compare(recorded, seen), told);
    }

    #[test]
    fn what_differs_by_nature_is_the_same() {
        for (recorded, seen) in [
            (json!({"result": {"nextCursor": "a"}}), json!({"result": {"nextCursor": "b"}})),
            (json!({"at": "2026-11-21T10:00:00Z"}), json!({"at": "2027-01-01T00:00:00.5Z"})),
            (json!(["67e55044-10b1-426f-9247-bb680e5fe0c8"]), json!(["0f0e0d0c-10b1-426f-9247-bb680e5fe0c8"])),
            (
                json!({"serverInfo": {"name": "s", "version": "1"}}),
                json!({"serverInfo": {"name": "s", "version": "2"}}),
            ),
        ] {
            check(&[], &recorded, &seen, &[]);
        }
    }

    #[test]
    fn everything_else_is_told_with_its_place() {
        let recorded = json!({"a": 1, "b": [1, 2], "c/d": "x", "gone": true, "nextCursor": "a"});
        let seen = json!({"a": 2, "b": [1], "c/d": "y", "new": null, "nextCursor": 7});
        let told = [
            "/a: recorded 1, now 2",
            "/b: recorded 2 items, now 1",
            "/c~1d: recorded \"x\", now \"y\"",
            "/gone: recorded true, now missing",
            "/nextCursor: recorded \"a\", now 7",
            "/new: not recorded, now null",
        ];
        check(&[], &recorded, &seen, &told);
        check(&["a", "/b", "c/d", "gone", "new", "nextCursor"], &recorded, &seen, &[]);
    }

    #[test]
    fn what_took_the_place_of_something_is_sent_in_its_place() {
        let mut rules = Rules::new(vec!["id".to_owned()]);
        let old = json!({"nextCursor": "old", "id": "post-1"});
        assert_eq!(rules.compare(&old, &json!({"nextCursor": "new", "id": "post-9"})), [""; 0]);
        let mut request = json!({"params": {"cursor": "old", "arguments": ["post-1", "old and more"]}});
        rules.renew(&mut request);
        assert_eq!(request, json!({"params": {"cursor": "new", "arguments": ["post-9", "old and more"]}}));
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let told = Rules::default().compare(&json!("ä".repeat(1000)), &json!(1));
        assert!(told[0].len() < 500 && told[0].contains('…'), "{told:?}");
    }
}
