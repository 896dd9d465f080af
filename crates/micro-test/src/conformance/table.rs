//! The scenarios that must pass, with the revisions they apply to.

use super::{Case, EXTENSIONS};

/// The revisions with sessions that the suite drives in full.
const STATEFUL: &[&str] = &["2025-06-18", "2025-11-25"];
/// Every revision that has tools in the suite.
const ALL: &[&str] = &["2025-06-18", "2025-11-25", "2026-07-28"];
const RECENT: &[&str] = &["2025-11-25", "2026-07-28"];
const TASKS: &[&str] = &[EXTENSIONS];
const MODERN: &[&str] = &["2026-07-28"];

const SCENARIOS: &[(&str, &[&str])] = &[
    // Lifecycle.
    ("server-initialize", STATEFUL),
    ("server-session-lifecycle", &["2025-03-26", "2025-06-18", "2025-11-25"]),
    ("ping", STATEFUL),
    ("server-stateless", MODERN),
    ("logging-set-level", STATEFUL),
    ("completion-complete", ALL),
    // Tools.
    ("tools-list", ALL),
    ("tools-call-simple-text", ALL),
    ("tools-call-image", ALL),
    ("tools-call-audio", ALL),
    ("tools-call-embedded-resource", ALL),
    ("tools-call-mixed-content", ALL),
    ("tools-call-error", ALL),
    ("tools-call-with-progress", ALL),
    ("tools-call-with-logging", STATEFUL),
    ("tools-call-sampling", STATEFUL),
    ("tools-call-elicitation", STATEFUL),
    ("elicitation-sep1034-defaults", &["2025-11-25"]),
    ("elicitation-sep1330-enums", &["2025-11-25"]),
    ("json-schema-2020-12", RECENT),
    // Resources.
    ("resources-list", ALL),
    ("resources-read-text", ALL),
    ("resources-read-binary", ALL),
    ("resources-templates-read", ALL),
    ("resources-subscribe", STATEFUL),
    ("resources-unsubscribe", STATEFUL),
    ("sep-2164-resource-not-found", MODERN),
    // Prompts.
    ("prompts-list", ALL),
    ("prompts-get-simple", ALL),
    ("prompts-get-with-args", ALL),
    ("prompts-get-embedded-resource", ALL),
    ("prompts-get-with-image", ALL),
    // Several rounds.
    ("input-required-result-basic-elicitation", MODERN),
    ("input-required-result-basic-sampling", MODERN),
    ("input-required-result-basic-list-roots", MODERN),
    ("input-required-result-request-state", MODERN),
    ("input-required-result-multiple-input-requests", MODERN),
    ("input-required-result-multi-round", MODERN),
    ("input-required-result-missing-input-response", MODERN),
    ("input-required-result-non-tool-request", MODERN),
    ("input-required-result-result-type", MODERN),
    ("input-required-result-unsupported-methods", MODERN),
    ("input-required-result-tampered-state", MODERN),
    ("input-required-result-capability-check", MODERN),
    ("input-required-result-ignore-extra-params", MODERN),
    ("input-required-result-validate-input", MODERN),
    // Streams.
    ("server-sse-polling", &["2025-11-25"]),
    ("server-sse-multiple-streams", RECENT),
    // Caching and headers.
    ("caching", MODERN),
    ("http-header-validation", MODERN),
    ("http-custom-header-server-validation", MODERN),
    ("dns-rebinding-protection", RECENT),
    // Tasks. `tasks-status-notifications` looks at nothing, and so cannot pass.
    ("tasks-lifecycle", TASKS),
    ("tasks-capability-negotiation", TASKS),
    ("tasks-wire-fields", TASKS),
    ("tasks-request-state-removal", TASKS),
    ("tasks-mrtr-input", TASKS),
    ("tasks-request-headers", TASKS),
    ("tasks-dispatch-and-envelope", TASKS),
    ("tasks-required-task-error", TASKS),
    ("tasks-mrtr-composition", TASKS),
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
