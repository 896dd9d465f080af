//! The name of a new service, which is also the name of its package, program and type.

use std::{fmt, str::FromStr};

/// A name that cargo, the registry and Rust all accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name(String);

/// Names of packages that a service uses, that cargo reserves, or that are words of the language.
const TAKEN: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "const",
    "continue",
    "core",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "futures-util",
    "gen",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "macro",
    "match",
    "micro",
    "micro-rs",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc_macro",
    "pub",
    "ref",
    "return",
    "schemars",
    "self",
    "serde",
    "serde_json",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "tokio",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "union",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// Longer ones would make tool names that hosts refuse.
const LONGEST: usize = 40;

impl Name {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// `user-accounts` becomes `UserAccounts`. The names that the templates use themselves, and those of
    /// the prelude, get a word more.
    pub(super) fn type_name(&self) -> String {
        let camel: String = self
            .0
            .split(['-', '_'])
            .flat_map(|word| {
                let mut letters = word.chars();
                letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
            })
            .collect();
        match camel.as_str() {
            "Item" | "Tick" | "Error" | "Result" | "Context" | "Stream" | "Serialize" | "Deserialize"
            | "JsonSchema" | "Option" | "Some" | "None" | "Ok" | "Err" | "Vec" | "String" | "Mutex" | "MutexGuard"
            | "BTreeMap" | "PoisonError" | "Duration" | "Self" => format!("{camel}Service"),
            _ => camel,
        }
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Err("a name begins with a small letter".into());
        }
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if let Some(wrong) = text.chars().find(|&c| !allowed(c)) {
            return Err(format!("`{wrong}` cannot stand in a name; use small letters, digits, `-` and `_`"));
        }
        if text.len() > LONGEST {
            return Err(format!("a name has at most {LONGEST} characters"));
        }
        if TAKEN.contains(&text) {
            return Err("the word is taken by Rust, cargo or a package that services use".into());
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_type() {
        let type_name = |name: &str| name.parse::<Name>().unwrap().type_name();
        assert_eq!(type_name("hello"), "Hello");
        assert_eq!(type_name("user-accounts_2"), "UserAccounts2");
        assert_eq!(type_name("item"), "ItemService");
    }

    #[test]
    fn names_that_something_would_choke_on_are_refused() {
        for name in ["", "Hello", "2fa", "-a", "a b", "a/b", "../a", "ä", "tokio", "micro", "self", &"x".repeat(41)] {
            assert!(name.parse::<Name>().is_err(), "{name}");
        }
    }
}
