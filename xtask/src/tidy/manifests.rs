//! Rules of the manifests: one version, one set of lints, each dependency named once and with a reason.

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::Problem;

/// The keys of `[package]` that every member takes from the workspace.
const INHERITED: &[&str] = &["version", "edition", "rust-version", "license"];

/// One member's manifest.
pub(super) struct Manifest {
    path: String,
    table: Table,
}

impl Manifest {
    pub(super) fn parse(path: &str, text: &str) -> Result<Self> {
        Ok(Self { path: path.to_owned(), table: text.parse().with_context(|| format!("{path} is no TOML"))? })
    }

    /// The package's name.
    pub(super) fn name(&self) -> Result<&str> {
        self.table
            .get("package")
            .and_then(|package| package.get("name"))
            .and_then(Value::as_str)
            .with_context(|| format!("{} names no package", self.path))
    }

    /// The packages it uses when it is built, tests left out.
    pub(super) fn uses(&self) -> Vec<String> {
        let mut uses = Vec::new();
        for (section, entries) in self.dependencies() {
            if !section.ends_with("dev-dependencies") {
                uses.extend(entries.keys().cloned());
            }
        }
        uses
    }

    /// What the member does not inherit.
    pub(super) fn check(&self) -> Vec<Problem> {
        let inherits = |value: Option<&Value>| {
            value.and_then(|value| value.get("workspace")).and_then(Value::as_bool).unwrap_or(false)
        };
        let mut found = Vec::new();
        for key in INHERITED {
            if !inherits(self.table.get("package").and_then(|package| package.get(key))) {
                found.push(self.problem(format!("write `{key}.workspace = true` under [package]")));
            }
        }
        if !inherits(self.table.get("lints")) {
            found.push(self.problem("write `workspace = true` under [lints]".to_owned()));
        }
        for (section, entries) in self.dependencies() {
            for (name, entry) in entries {
                // A crate that uses itself in its tests must not name a version, or it could not be published.
                let itself = section == "dev-dependencies" && entry.get("path").and_then(Value::as_str) == Some(".");
                if !itself && !inherits(Some(entry)) {
                    found.push(self.problem(format!(
                        "[{section}] {name}: name the version once, in the root's [workspace.dependencies], and write `workspace = true` here"
                    )));
                }
            }
        }
        found
    }

    /// Every dependency table, those of single targets too, with its heading.
    fn dependencies(&self) -> Vec<(String, &Table)> {
        const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
        let mut tables: Vec<_> =
            KINDS.iter().filter_map(|kind| Some(((*kind).to_owned(), self.table.get(*kind)?.as_table()?))).collect();
        for (target, table) in self.table.get("target").and_then(Value::as_table).into_iter().flatten() {
            tables.extend(
                KINDS
                    .iter()
                    .filter_map(|kind| Some((format!("target.{target}.{kind}"), table.get(*kind)?.as_table()?))),
            );
        }
        tables
    }

    fn problem(&self, text: String) -> Problem {
        Problem::new(&self.path, text)
    }
}

/// Entries of the root's `[workspace.dependencies]` without a reason. Our own crates need none.
pub(super) fn reasons(path: &str, text: &str) -> Vec<Problem> {
    text.lines()
        .enumerate()
        .skip_while(|(_, line)| line.trim() != "[workspace.dependencies]")
        .skip(1)
        .take_while(|(_, line)| !line.starts_with('['))
        .filter_map(|(at, line)| {
            let (name, entry) = line.split_once('=')?;
            let ours = entry.contains("path =");
            let comment = entry.rsplit_once('#').is_some_and(|(_, reason)| !reason.trim().is_empty());
            (!name.starts_with('#') && !ours && !comment).then(|| {
                Problem::new(format!("{path}:{}", at + 1), format!("{} needs a `# reason` on its line", name.trim()))
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[package]
name = "one"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true

[lints]
workspace = true

[dependencies]
micro-core.workspace = true
http = { workspace = true, optional = true }

[dev-dependencies]
micro-test.workspace = true

[target.'cfg(unix)'.dependencies]
rustix.workspace = true
"#;

    fn manifest(text: &str) -> Manifest {
        Manifest::parse("one/Cargo.toml", text).expect("the test's manifest parses")
    }

    fn texts(found: &[Problem]) -> Vec<&str> {
        found.iter().map(|problem| problem.text.as_str()).collect()
    }

    #[test]
    fn a_manifest_that_inherits_everything_is_fine() {
        assert!(manifest(GOOD).check().is_empty(), "{:?}", texts(&manifest(GOOD).check()));
    }

    #[test]
    fn tests_do_not_count_as_use() {
        assert_eq!(manifest(GOOD).uses(), ["http", "micro-core", "rustix"]);
    }

    #[test]
    fn a_crate_may_use_itself_in_its_tests_only() {
        let own = GOOD.replace("micro-test.workspace = true", "one = { path = \".\", features = [\"test-util\"] }");
        assert!(manifest(&own).check().is_empty());
        let own = GOOD.replace("micro-core.workspace = true", "one = { path = \".\" }");
        assert_eq!(manifest(&own).check().len(), 1);
    }

    #[test]
    fn everything_that_is_not_inherited_is_listed_at_once() {
        let own = GOOD
            .replace("version.workspace = true\nedition", "version = \"9\"\nedition")
            .replace("[lints]\nworkspace = true", "")
            .replace("rustix.workspace = true", "rustix = \"1\"");
        let found = manifest(&own).check();
        let texts = texts(&found);
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(texts[0].contains("version.workspace"));
        assert!(texts[1].contains("[lints]"));
        assert!(texts[2].contains("target.cfg(unix).dependencies] rustix"));
    }

    #[test]
    fn a_dependency_without_a_reason_is_found_with_its_line() {
        let root = "[workspace.dependencies]\n# Ours.\na = { path = \"a\" }\nb = \"1\" # why\nc = \"2\"\nd = \"3\" #\n\n[profile.dev]\ne = 1\n";
        let found = reasons("Cargo.toml", root);
        let places: Vec<_> = found.iter().map(|problem| problem.place.as_str()).collect();
        assert_eq!(places, ["Cargo.toml:5", "Cargo.toml:6"]);
    }
}
