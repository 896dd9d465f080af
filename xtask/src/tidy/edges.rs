//! Which crate may use which. Adding a line here is a decision about the house, not a formality.

use super::Problem;

/// In place of every row above.
const EVERYTHING_ABOVE: &str = "*";

/// The floors, bottom first: a crate of `crates/` and the crates of ours that it may use.
///
/// Holds for normal and build dependencies; tests may use what they need. What lives outside `crates/`
/// (examples, whole-system tests, benchmarks, this program) may use anything and be used by nothing.
const ALLOWED: &[(&str, &[&str])] = &[
    ("micro-core", &[]),
    ("micro-macros", &[]),
    ("micro-mcp-proto", &[]),
    ("micro-runtime", &[]),
    ("micro-store", &[]),
    ("micro-policy", &["micro-core"]),
    ("micro-registry", &["micro-core"]),
    ("micro-mcp", &["micro-core", "micro-macros", "micro-mcp-proto", "micro-runtime"]),
    ("micro-rpc", &["micro-core", "micro-policy", "micro-registry", "micro-runtime"]),
    (
        "micro-gateway",
        &[
            "micro-core",
            "micro-mcp-proto",
            "micro-runtime",
            "micro-store",
            "micro-policy",
            "micro-registry",
            "micro-mcp",
            "micro-rpc",
        ],
    ),
    ("micro-rs", &[EVERYTHING_ABOVE]),
    ("micro-cli", &[EVERYTHING_ABOVE]),
    // For tests only: no row names it, so it can only be a dev-dependency.
    ("micro-test", &[]),
];

/// Every edge of one crate of `crates/` that the table does not allow. `ours` are all members.
pub(super) fn check(manifest: &str, krate: &str, uses: &[String], ours: &[String]) -> Vec<Problem> {
    let Some(row) = row(krate) else {
        return vec![Problem::new(manifest, format!("{krate} has no row in xtask/src/tidy/edges.rs; give it a floor"))];
    };
    let allowed = |used: &str| match ALLOWED[row].1 {
        [EVERYTHING_ABOVE] => ALLOWED[..row].iter().any(|(above, _)| *above == used),
        names => names.contains(&used),
    };
    uses.iter()
        .filter(|used| ours.contains(used) && !allowed(used))
        .map(|used| {
            Problem::new(
                manifest,
                format!("{krate} must not use {used}; move the code to a floor that may, or argue for the edge in xtask/src/tidy/edges.rs"),
            )
        })
        .collect()
}

fn row(krate: &str) -> Option<usize> {
    ALLOWED.iter().position(|(name, _)| *name == krate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn says(krate: &str, uses: &[&str], expect: &[&str]) {
        let names = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        let ours: Vec<_> = ALLOWED.iter().map(|(name, _)| ToString::to_string(name)).collect();
        let found = check("Cargo.toml", krate, &names(uses), &ours);
        assert_eq!(found.len(), expect.len(), "{found:?}");
        for (problem, part) in found.iter().zip(expect) {
            assert!(problem.text.contains(part), "{problem:?} does not say {part}");
        }
    }

    #[test]
    fn a_crate_may_use_lower_floors_and_the_world() {
        says("micro-rpc", &["micro-core", "micro-registry", "tokio"], &[]);
        says("micro-rs", &["micro-core", "micro-gateway"], &[]);
    }

    #[test]
    fn every_edge_upwards_is_named() {
        says(
            "micro-policy",
            &["micro-gateway", "micro-core", "micro-mcp"],
            &["must not use micro-gateway", "must not use micro-mcp"],
        );
    }

    #[test]
    fn the_test_vocabulary_is_no_normal_dependency() {
        says("micro-cli", &["micro-test"], &["must not use micro-test"]);
        says("micro-rs", &["micro-cli"], &["must not use micro-cli"]);
    }

    #[test]
    fn a_crate_without_a_floor_is_refused() {
        says("micro-attic", &[], &["no row"]);
    }

    #[test]
    fn each_row_uses_only_rows_above_it() {
        for (at, (krate, uses)) in ALLOWED.iter().enumerate() {
            for used in uses.iter().filter(|used| **used != EVERYTHING_ABOVE) {
                assert!(row(used).is_some_and(|lower| lower < at), "{krate} uses {used}, which is no lower floor");
            }
        }
    }
}
