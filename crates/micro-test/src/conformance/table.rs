//! The scenarios that must pass, with the revisions they apply to.

use super::Case;

/// The revisions with sessions that the suite drives in full.
const STATEFUL: &[&str] = &["2025-06-18", "2025-11-25"];
/// Every revision that has tools in the suite.
const ALL: &[&str] = &["2025-06-18", "2025-11-25", "2026-07-28"];
const RECENT: &[&str] = &["2025-11-25", "2026-07-28"];
const MODERN: &[&str] = &["2026-07-28"];

const SCENARIOS: &[(&str, &[&str])] = &[
    // Lifecycle.
    ("server-initialize", STATEFUL),
    ("server-session-lifecycle", &["2025-03-26", "2025-06-18", "2025-11-25"]),
    ("ping", STATEFUL),
    ("server-stateless", MODERN),
    // Tools.
    ("tools-list", ALL),
    ("tools-call-simple-text", ALL),
    ("tools-call-image", ALL),
    ("tools-call-audio", ALL),
    ("tools-call-embedded-resource", ALL),
    ("tools-call-mixed-content", ALL),
    ("tools-call-error", ALL),
    ("tools-call-with-progress", ALL),
    ("json-schema-2020-12", RECENT),
    // Streams.
    ("server-sse-polling", &["2025-11-25"]),
    ("server-sse-multiple-streams", RECENT),
    // Caching and headers.
    ("caching", MODERN),
    ("http-header-validation", MODERN),
    ("http-custom-header-server-validation", MODERN),
    ("dns-rebinding-protection", RECENT),
];

/// Every case that must pass, by revision.
pub fn required() -> Vec<Case> {
    let mut cases: Vec<_> = SCENARIOS
        .iter()
        .flat_map(|(scenario, versions)| versions.iter().map(|version| Case { version, scenario }))
        .collect();
    cases.sort_by_key(|case| case.version);
    cases
}
