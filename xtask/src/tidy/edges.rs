//! Which crate may use which. Adding a line here is a decision about the house, not a formality.

use super::Problem;

/// The floors, bottom first: a crate of `crates/` and the crates of ours that it may use.
///
/// Holds for normal and build dependencies; tests may use what they need. What lives outside `crates/`
/// (examples, whole-system tests, benchmarks, this program) may use anything and be used by nothing.
const ALLOWED: &[(&str, &[&str])] = &[
    ("micro-core", &[]),
    ("micro-macros", &[]),
    ("micro-mcp-proto", &[]),
    ("micro-runtime", &[]),
    ("micro-policy", &["micro-core"]),
    ("micro-registry", &["micro-core"]),
    ("micro-mcp", &["micro-core", "micro-mcp-proto", "micro-runtime"]),
    ("micro-rpc", &["micro-core", "micro-registry", "micro-runtime"]),
    (
        "micro-gateway",
        &["micro-core", "micro-mcp-proto", "micro-runtime", "micro-policy", "micro-registry", "micro-mcp", "micro-rpc"],
    ),
    // The facade.
    (
        "micro-rs",
        &[
            "micro-core",
            "micro-macros",
            "micro-mcp-proto",
            "micro-runtime",
            "micro-policy",
            "micro-registry",
            "micro-mcp",
            "micro-rpc",
            "micro-gateway",
        ],
    ),
    (
        "micro-cli",
        &[
            "micro-core",
            "micro-mcp-proto",
            "micro-runtime",
            "micro-policy",
            "micro-registry",
            "micro-mcp",
            "micro-rpc",
            "micro-gateway",
            "micro-rs",
        ],
    ),
    // For tests only: no row names it, so it can only be a dev-dependency.
    ("micro-test", &[]),
];

/// Every edge of one crate of `crates/` that the table does not allow. `ours` are all members.
pub(super) fn check(manifest: &str, krate: &str, uses: &[String], ours: &[String]) -> Vec<Problem> {
    let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == krate) else {
        return vec![Problem::new(manifest, format!("{krate} has no row in xtask/src/tidy/edges.rs; give it a floor"))];
    };
    uses.iter()
        .filter(|used| ours.contains(used) && !allowed.contains(&used.as_str()))
        .map(|used| {
            Problem::new(
                manifest,
                format!("{krate} must not use {used}; move the code to a floor that may, or argue for the edge in xtask/src/tidy/edges.rs"),
            )
        })
        .collect()
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
    }

    #[test]
    fn a_crate_without_a_floor_is_refused() {
        says("micro-attic", &[], &["no row"]);
    }

    #[test]
    fn each_row_uses_only_rows_above_it() {
        for (at, (krate, uses)) in ALLOWED.iter().enumerate() {
            for used in *uses {
                assert!(
                    ALLOWED[..at].iter().any(|(name, _)| name == used),
                    "{krate} uses {used}, which is no lower floor"
                );
            }
        }
    }
}
