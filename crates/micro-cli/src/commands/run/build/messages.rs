//! What cargo says while it builds.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

/// How far a build is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Crates that needed nothing.
    pub(super) fresh: usize,
    /// Crates that were compiled.
    pub(super) compiled: usize,
    /// The crate that was finished last.
    pub(super) latest: String,
    /// Finished programs by name.
    pub(super) programs: BTreeMap<String, PathBuf>,
}

/// One line of `--message-format=json`, as far as it concerns us.
#[derive(Deserialize)]
struct Message {
    reason: String,
    target: Option<Target>,
    executable: Option<PathBuf>,
    #[serde(default)]
    fresh: bool,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

impl Progress {
    /// Takes a line in. True when a crate is finished.
    pub(super) fn take(&mut self, line: &str) -> bool {
        // A build script may print what it likes.
        let Ok(Message { reason, target: Some(target), executable, fresh }) = serde_json::from_str(line) else {
            return false;
        };
        if reason != "compiler-artifact" {
            return false;
        }
        *(if fresh { &mut self.fresh } else { &mut self.compiled }) += 1;
        self.latest.clone_from(&target.name);
        if let Some(program) = executable {
            self.programs.insert(target.name, program);
        }
        true
    }
}

/// Whether a line for people is one of cargo's steps (`   Compiling serde v1.0.0`) and no diagnostic.
pub(super) fn is_progress(line: &str) -> bool {
    const STEPS: [&str; 12] = [
        "Adding",
        "Blocking",
        "Building",
        "Checking",
        "Compiling",
        "Dirty",
        "Downloaded",
        "Downloading",
        "Finished",
        "Fresh",
        "Locking",
        "Updating",
    ];
    let plain = anstream::adapter::strip_str(line).to_string();
    let first = plain.split_whitespace().next().unwrap_or_default();
    // Cargo aligns its steps to the right in twelve columns; source code in a diagnostic has a bar.
    plain.starts_with(' ') && plain.find(first).is_some_and(|at| at + first.len() == 12) && STEPS.contains(&first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_are_counted_and_programs_found() {
        let mut progress = Progress::default();
        let lines = [
            r#"{"reason":"compiler-artifact","target":{"name":"serde","kind":["lib"]},"executable":null,"fresh":true}"#,
            r#"{"reason":"compiler-message","target":{"name":"users"},"message":{}}"#,
            r#"{"reason":"compiler-artifact","target":{"name":"users","kind":["bin"]},"executable":"/t/users","fresh":false}"#,
            r#"{"reason":"build-finished","success":true}"#,
            "a build script says hello",
        ];
        assert_eq!(lines.map(|line| progress.take(line)), [true, false, true, false, false]);
        let programs = [("users".to_owned(), PathBuf::from("/t/users"))].into();
        assert_eq!(progress, Progress { fresh: 1, compiled: 1, latest: "users".into(), programs });
    }

    #[test]
    fn steps_are_told_from_diagnostics() {
        for step in
            ["   Compiling serde v1.0.0", "    Finished `dev` profile", "\x1b[1m\x1b[32m    Blocking\x1b[0m waiting"]
        {
            assert!(is_progress(step), "{step}");
        }
        for text in ["error[E0425]: no such name", "warning: unused", "  |     Finished", "   --> src/main.rs:1:1", ""]
        {
            assert!(!is_progress(text), "{text}");
        }
    }
}
