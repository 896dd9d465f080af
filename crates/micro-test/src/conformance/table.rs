//! The scenarios that must pass, with the revisions they apply to.

use super::{Case, EXTENSIONS, Side, authorization};

/// The revisions with sessions that the suite drives in full.
const STATEFUL: &[&str] = &["2025-06-18", "2025-11-25"];
/// Every revision that has tools in the suite.
const ALL: &[&str] = &["2025-06-18", "2025-11-25", "2026-07-28"];
const RECENT: &[&str] = &["2025-11-25", "2026-07-28"];
const TASKS: &[&str] = &[EXTENSIONS];
const MODERN: &[&str] = &["2026-07-28"];

const SERVER: &[(&str, &[&str])] = &[
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

const EXTENSION: &[&str] = &[EXTENSIONS];
const OLDEST: &[&str] = &["2025-03-26"];

/// The scenarios of skills (SEP-2640) look at clients that have the extension only.
const CLIENT: &[(&str, &[&str])] = &[
    ("initialize", STATEFUL),
    ("tools_call", ALL),
    ("elicitation-sep1034-client-defaults", &["2025-11-25"]),
    ("sse-retry", &["2025-11-25"]),
    ("request-metadata", MODERN),
    ("sep-2322-client-request-state", MODERN),
    ("http-standard-headers", MODERN),
    ("http-custom-headers", MODERN),
    ("http-invalid-tool-headers", MODERN),
    ("json-schema-ref-no-deref", MODERN),
    ("json-schema-2020-12-preservation", RECENT),
    // Authorization.
    ("auth/2025-03-26-oauth-metadata-backcompat", OLDEST),
    ("auth/2025-03-26-oauth-endpoint-fallback", OLDEST),
    ("auth/metadata-default", RECENT),
    ("auth/metadata-var1", RECENT),
    ("auth/metadata-var2", RECENT),
    ("auth/metadata-var3", RECENT),
    ("auth/basic-cimd", RECENT),
    ("auth/scope-from-www-authenticate", RECENT),
    ("auth/scope-from-scopes-supported", RECENT),
    ("auth/scope-omitted-when-undefined", RECENT),
    ("auth/scope-step-up", RECENT),
    ("auth/scope-retry-limit", RECENT),
    ("auth/token-endpoint-auth-basic", ALL),
    ("auth/token-endpoint-auth-post", ALL),
    ("auth/token-endpoint-auth-none", ALL),
    ("auth/pre-registration", RECENT),
    ("auth/resource-mismatch", MODERN),
    ("auth/metadata-issuer-mismatch", MODERN),
    ("auth/offline-access-scope", MODERN),
    ("auth/offline-access-not-supported", MODERN),
    ("auth/authorization-server-migration", MODERN),
    ("auth/iss-supported", MODERN),
    ("auth/iss-not-advertised", MODERN),
    ("auth/iss-supported-missing", MODERN),
    ("auth/iss-wrong-issuer", MODERN),
    ("auth/iss-unexpected", MODERN),
    ("auth/iss-normalized", MODERN),
    ("auth/client-credentials-jwt", EXTENSION),
    ("auth/client-credentials-basic", EXTENSION),
    ("auth/enterprise-managed-authorization", EXTENSION),
    ("auth/dpop", EXTENSION),
    ("auth/dpop-nonce", EXTENSION),
    ("auth/wif-jwt-bearer", EXTENSION),
];

/// Every case that must pass, by side and revision.
pub fn required() -> Vec<Case> {
    let side = |side, scenarios: &'static [(&'static str, &'static [&'static str])]| {
        let of = move |(scenario, versions): &(&'static str, &'static [&'static str])| {
            let scenario = *scenario;
            versions.iter().map(move |version| Case { side, version, scenario })
        };
        let mut cases: Vec<_> = scenarios.iter().flat_map(of).collect();
        cases.sort_by_key(|case| case.version);
        cases
    };
    [side(Side::Server, SERVER), side(Side::Client, CLIENT), authorization::cases().collect()].concat()
}
