//! What counts as passed.

use anyhow::{Context, Result};
use serde_json::Value;

/// How a scenario ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All is well.
    Passed {
        /// How many checks succeeded.
        checks: usize,
    },
    /// Nothing failed because nothing was looked at.
    NotExercised,
    /// Why it failed, a sentence each.
    Failed(Vec<String>),
}

/// Judges the `checks.json` of one scenario.
///
/// # Errors
/// When it is no list of checks.
pub fn judge(checks: &[u8]) -> Result<Verdict> {
    let checks: Vec<Value> = serde_json::from_slice(checks).context("checks.json is no list")?;
    let mut reasons = Vec::new();
    let (mut succeeded, mut exercised) = (0, false);
    for check in &checks {
        let text = |key: &str| check[key].as_str().unwrap_or_default();
        match text("status") {
            "SUCCESS" => {
                succeeded += 1;
                exercised |= !text("id").starts_with("wire-schema");
            }
            status @ ("FAILURE" | "WARNING") => {
                let why = if text("errorMessage").is_empty() { text("description") } else { text("errorMessage") };
                reasons.push(format!("{status} {}: {why}", text("id")));
            }
            // INFO and SKIPPED say nothing about us.
            _ => {}
        }
    }
    Ok(match (reasons.is_empty(), exercised) {
        (false, _) => Verdict::Failed(reasons),
        (true, true) => Verdict::Passed { checks: succeeded },
        (true, false) => Verdict::NotExercised,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(checks: &[(&str, &str)], expect: &Verdict) {
        let checks: Vec<_> = checks
            .iter()
            .map(|(id, status)| json!({"id": id, "status": status, "description": "what", "errorMessage": ""}))
            .collect();
        assert_eq!(&judge(&serde_json::to_vec(&checks).unwrap()).unwrap(), expect);
    }

    #[test]
    fn successes_pass() {
        let all = [("wire-schema-valid", "SUCCESS"), ("tools-list", "SUCCESS"), ("note", "INFO"), ("x", "SKIPPED")];
        check(&all, &Verdict::Passed { checks: 2 });
    }

    #[test]
    fn a_silent_server_does_not_pass() {
        check(&[], &Verdict::NotExercised);
        check(&[("wire-schema-valid", "SUCCESS"), ("tools-list", "SKIPPED")], &Verdict::NotExercised);
    }

    #[test]
    fn failures_and_warnings_fail_with_their_reasons() {
        let reasons = vec!["WARNING b: what".to_owned(), "FAILURE c: what".to_owned()];
        check(&[("a", "SUCCESS"), ("b", "WARNING"), ("c", "FAILURE")], &Verdict::Failed(reasons));
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        assert!(judge(b"{}").is_err());
    }
}
