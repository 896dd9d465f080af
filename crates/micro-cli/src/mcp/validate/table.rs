//! Long because: it is the table of all checks, in the order in which they are made.

use micro_mcp::proto::Revision;

use super::{Check, Level, Way, base, features, headers, lists, session, tools, versions};

/// `LEVEL "id" WAY "section in 2026-07-28" "section before" [>= revision] [<= revision] function => "rule"`
macro_rules! checks {
    ($($level:ident $id:literal $way:ident $modern:literal $legacy:literal $(>= $since:ident)? $(<= $until:ident)?
       $module:ident::$run:ident => $rule:literal;)*) => {
        /// Every check. What was noticed on the way is looked at last.
        pub(crate) const CHECKS: &[Check] = &[$(Check {
            id: $id,
            level: Level::$level,
            way: Way::$way,
            modern: $modern,
            legacy: $legacy,
            since: first!($($since)? V2024_11_05),
            until: first!($($until)? V2026_07_28),
            rule: $rule,
            run: |probe| Box::pin($module::$run(probe)),
        }),*];
    };
}

macro_rules! first {
    ($first:ident $($rest:ident)*) => {
        Revision::$first
    };
}

checks! {
    // Messages.
    Must "base-envelope" Any "basic#responses" "basic#responses" base::envelope
        => "a response has `jsonrpc` 2.0, the id of its request, and either a result or an error";
    Must "base-id-string" Any "basic#requests" "basic#requests" base::string_id
        => "a response to a request with a text as id has the same text";
    Must "base-id-integer" Any "basic#requests" "basic#requests" base::integer_id
        => "a response to a request with an integer as id has the same integer";
    Should "base-id-null" Any "basic#requests" "basic#requests" base::null_id
        => "a request whose id is null is not answered with a result";
    Must "base-error-shape" Any "basic#error-responses" "basic#responses" base::error_shape
        => "an error has an integer code, a message, and the id of its request";
    Must "base-unknown-method" Any "basic#error-codes" "basic#responses" base::unknown_method
        => "a method that the server does not have is answered with -32601";
    Must "base-unknown-method-status" Http "basic/transports/streamable-http#protocol-version-header" "" base::unknown_method_status
        => "a method that the server does not have is answered with HTTP 404";
    Must "base-parse-status" Http "basic/transports/streamable-http#sending-messages" "basic/transports#sending-messages-to-the-server"
        >= V2025_03_26 base::parse_status
        => "a body that is no JSON is refused with an HTTP status of 400 to 499";
    Should "base-parse-code" Any "basic#error-codes" "basic#responses" base::parse_code
        => "a message that is no JSON is answered with -32700";
    Should "base-garbage" Pipe "basic/transports/stdio#receiving-messages" "basic/transports#stdio" base::goes_on
        => "a line that is no message does not end the server";
    Must "base-no-message" Http "basic/transports/streamable-http#sending-messages" "basic/transports#sending-messages-to-the-server"
        >= V2025_03_26 base::no_message
        => "JSON that is no message is refused with an HTTP status of 400 to 499";
    Should "base-jsonrpc-version" Any "basic#messages" "basic#requests" base::other_json_rpc
        => "a request of another JSON-RPC version is not answered with a result";
    Should "base-params-object" Any "basic#requests" "basic#requests" base::params_array
        => "a request whose params are a list is not answered with a result";
    Must "base-notification-silence" Any "basic#notifications" "basic#notifications" base::silence
        => "notifications are not answered, unknown ones included";
    Must "base-notification-status" Http "" "basic/transports#sending-messages-to-the-server" >= V2025_03_26 base::accepted
        => "a notification that is accepted is answered with HTTP 202 and no body";
    Must "base-batch" Any "" "basic#batching" >= V2025_03_26 <= V2025_03_26 base::batch_answered
        => "every request of a batch is answered";
    Should "base-no-batch" Any "basic/transports/streamable-http#sending-messages" "basic/transports#sending-messages-to-the-server"
        >= V2025_06_18 base::batch_refused
        => "a batch is not answered: these versions have none";
    Must "base-at-once" Any "basic#responses" "basic#responses" base::at_once
        => "requests that are sent at once are all answered";

    // Versions.
    Must "hello-initialize" Any "" "basic/lifecycle#initialization" versions::hello_shape
        => "`initialize` is answered with version, capabilities, and the server's name and version";
    Must "hello-other-version" Any "" "basic/lifecycle#version-negotiation" versions::other_version
        => "a version that the server does not speak is answered with one that it does, or with an error";
    Should "hello-latest-version" Any "" "basic/lifecycle#version-negotiation" versions::latest_offered
        => "a version that the server does not speak is answered with its latest";
    Must "hello-ping" Any "" "basic/utilities/ping#behavior-requirements" versions::ping
        => "`ping` is answered with an empty result";
    Must "hello-discover" Any "server/discover#response" "" versions::hello_shape
        => "`server/discover` is answered with supported versions and capabilities";
    Should "hello-server-info" Any "server/discover#discoverresult" "" versions::named
        => "`server/discover` tells the server's name and version in `_meta`";
    Must "hello-unsupported-version" Any "basic/versioning#protocol-version-negotiation" "" versions::unsupported
        => "a version that the server does not speak is answered with -32022, `supported` and `requested`, and HTTP 400";
    Must "hello-stateless" Any "basic#statelessness" "" versions::stateless
        => "the first request on a connection is answered, whatever it is";
    Should "hello-names-versions" Any "basic/versioning#backward-compatibility-with-initialization-based-versions" "" versions::names_versions
        => "a server without legacy versions names its versions when it refuses `initialize`";
    Should "hello-removed-methods" Any "changelog" "" versions::removed
        => "methods that this version removed are answered with -32601";
    Should "hello-undeclared" Any "server/discover#discoverresult" "basic/lifecycle#operation" versions::undeclared
        => "methods of capabilities that are not declared are answered with -32601";
    Must "meta-version" Http "basic#meta" "" versions::missing_version
        => "a request without the version in `_meta` is answered with -32602 and HTTP 400";
    Must "meta-capabilities" Any "basic#meta" "" versions::missing_capabilities
        => "a request without the client's capabilities in `_meta` is answered with -32602 and HTTP 400";
    Must "meta-client-info" Any "basic#meta" "" versions::anonymous_client
        => "a request without `clientInfo` in `_meta` is answered";
    Should "meta-log-level" Any "server/utilities/logging#error-handling" "" versions::bad_log_level
        => "a request with an unknown log level in `_meta` is answered with -32602";

    // HTTP.
    Must "http-media-type" Http "basic/transports/streamable-http#sending-messages" "basic/transports#sending-messages-to-the-server"
        >= V2025_03_26 headers::media
        => "a request is answered with JSON or an event stream";
    Must "http-origin" Http "basic/transports/streamable-http#security-&-endpoint" "basic/transports#security-warning"
        >= V2025_03_26 headers::origin_refused
        => "a request with the `Origin` of a page elsewhere is refused";
    Must "http-origin-status" Http "basic/transports/streamable-http#security-&-endpoint" "basic/transports#security-warning"
        >= V2025_11_25 headers::origin_status
        => "a request with the `Origin` of a page elsewhere is answered with HTTP 403";
    Must "http-get" Http "" "basic/transports#listening-for-messages-from-the-server" >= V2025_03_26 headers::get
        => "GET is answered with an event stream or HTTP 405";
    Should "http-no-get" Http "basic/transports/streamable-http#earlier-streamable-http-revisions" "" headers::get
        => "GET is answered with HTTP 405";
    Should "http-stream-end" Http "basic/transports/streamable-http#receiving-messages" "basic/transports#sending-messages-to-the-server"
        >= V2025_03_26 headers::stream_ends
        => "an event stream ends after the response";
    Should "http-unbuffered" Http "basic/transports/streamable-http#receiving-messages" "" headers::unbuffered
        => "an event stream has `X-Accel-Buffering: no`";
    Should "http-no-session" Http "basic/transports/streamable-http#earlier-streamable-http-revisions" "" headers::no_session
        => "session ids are ignored and not given";
    Must "http-response" Http "" "basic/transports#sending-messages-to-the-server" >= V2025_03_26 session::responses
        => "a response to nothing is accepted (202) or refused (400 to 499)";
    Must "header-version" Http "basic/transports/streamable-http#server-validation" "" headers::version_differs
        => "`MCP-Protocol-Version` that differs from the body is answered with -32020 and HTTP 400";
    Must "header-version-missing" Http "basic/transports/streamable-http#protocol-version-header" "" headers::version_missing
        => "a request without `MCP-Protocol-Version` is answered with -32020 and HTTP 400";
    Must "header-method" Http "basic/transports/streamable-http#server-validation" "" headers::method_differs
        => "`Mcp-Method` that differs from the body is answered with -32020 and HTTP 400";
    Must "header-method-missing" Http "basic/transports/streamable-http#standard-request-headers" "" headers::method_missing
        => "a request without `Mcp-Method` is answered with -32020 and HTTP 400";
    Must "header-method-case" Http "basic/transports/streamable-http#case-sensitivity" "" headers::method_case
        => "`Mcp-Method` in other letters than the body is answered with -32020 and HTTP 400";
    Must "header-name" Http "basic/transports/streamable-http#server-validation" "" headers::name_differs
        => "`Mcp-Name` that differs from the body is answered with -32020 and HTTP 400";
    Must "header-name-missing" Http "basic/transports/streamable-http#standard-request-headers" "" headers::name_missing
        => "`tools/call` without `Mcp-Name` is answered with -32020 and HTTP 400";
    Must "header-name-encoded" Http "basic/transports/streamable-http#value-encoding" "" headers::name_encoded
        => "an encoded `Mcp-Name` is decoded before it is compared";
    Must "header-name-garbled" Http "basic/transports/streamable-http#value-encoding" "" headers::name_garbled
        => "an encoded `Mcp-Name` that cannot be decoded is answered with -32020 and HTTP 400";
    Must "header-param-missing" Http "basic/transports/streamable-http#server-behavior-for-custom-headers" "" headers::param_missing
        => "`tools/call` without the `Mcp-Param-` header of an annotated argument is answered with -32020 and HTTP 400";
    Must "header-version-invalid" Http "" "basic/transports#protocol-version-header" >= V2025_06_18 headers::bad_version
        => "an unknown `MCP-Protocol-Version` is answered with HTTP 400";
    Should "header-version-absent" Http "" "basic/transports#protocol-version-header" >= V2025_06_18 headers::no_version
        => "a request without `MCP-Protocol-Version` is taken as one of 2025-03-26";
    Must "session-characters" Http "" "basic/transports#session-management" >= V2025_03_26 session::characters
        => "a session id has visible ASCII characters only";
    Should "session-unique" Http "" "basic/transports#session-management" >= V2025_03_26 session::unique
        => "session ids are unique and cannot be guessed";
    Should "session-missing" Http "" "basic/transports#session-management" >= V2025_03_26 session::missing
        => "a request without the session's id is answered with HTTP 400";
    Should "session-unknown" Http "" "basic/transports#session-management" >= V2025_03_26 session::made_up
        => "a request with an id that was never given is answered with HTTP 404";
    Must "session-delete" Http "" "basic/transports#session-management" >= V2025_03_26 session::delete
        => "DELETE ends the session, or is answered with HTTP 405";
    Must "session-over" Http "" "basic/transports#session-management" >= V2025_03_26 session::over
        => "a request in a session that was ended is answered with HTTP 404";
    Must "auth-challenge" Http "basic/authorization#error-handling" "basic/authorization#error-handling"
        >= V2025_06_18 headers::challenge
        => "a request without a token is answered with HTTP 401 and `WWW-Authenticate`";
    Must "auth-foreign-token" Http "basic/authorization#token-handling" "basic/authorization#token-handling" >= V2025_03_26 headers::foreign_token
        => "a token that the server did not get is answered with HTTP 401";

    // Lists.
    Must "list-tools" Any "server/tools#capabilities" "server/tools#listing-tools" lists::tools
        => "`tools/list` is answered with all pages when `tools` is declared";
    Must "list-resources" Any "server/resources#capabilities" "server/resources#listing-resources" lists::resources
        => "`resources/list` is answered with all pages when `resources` is declared";
    Must "list-prompts" Any "server/prompts#capabilities" "server/prompts#listing-prompts" lists::prompts
        => "`prompts/list` is answered with all pages when `prompts` is declared";
    Should "list-cursor" Any "server/utilities/pagination#error-handling" "server/utilities/pagination#error-handling" lists::bad_cursor
        => "a cursor that the server did not give is answered with -32602";
    Should "list-unique" Any "server/tools#tool-names" "server/tools#tool" lists::unique
        => "no two items of a list have the same name or URI";
    Should "list-order" Any "server/tools#capabilities" "" lists::order
        => "tools come in the same order each time";
    Must "cache-hints" Any "server/utilities/caching#cacheable-results" "" lists::cache_hints
        => "`server/discover` and all lists say how long (`ttlMs`) and for whom (`cacheScope`) they hold";
    Must "cache-scope" Any "server/utilities/caching#interaction-with-pagination" "" lists::one_scope
        => "all pages of a list have the same `cacheScope`";

    // Tools.
    Must "tool-shape" Any "server/tools#tool" "server/tools#tool" tools::shape
        => "a tool has a name and an `inputSchema` of an object; hints are true or false";
    Must "tool-schemas" Any "basic#schema-validation" "server/tools#tool" tools::schemas
        => "schemas of tools are valid JSON Schema";
    Should "tool-names" Any "server/tools#tool-names" "server/tools#tool-names" >= V2025_11_25 lists::names
        => "names of tools are 1 to 128 characters of A-Z, a-z, 0-9, `_`, `-`, `.`";
    Must "tool-headers" Any "server/tools#x-mcp-header" "" tools::mirrored
        => "`x-mcp-header` follows its rules, or clients leave the tool out";
    Should "tool-unknown" Any "server/tools#error-handling" "server/tools#error-handling" tools::unknown
        => "calling a tool that is not there is answered with -32602";
    Must "tool-result" Any "server/tools#tool-result" "server/tools#tool-result" tools::results
        => "a call is answered with content of known types";
    Must "tool-structure" Any "server/tools#output-schema" "server/tools#output-schema" >= V2025_06_18 tools::structure
        => "structured results fit the tool's `outputSchema`";
    Should "tool-arguments" Any "server/tools#error-handling" "server/tools#error-handling" tools::bad_arguments
        => "a call without the arguments that it needs is answered with `isError`";
    Must "tool-progress" Any "basic/patterns/progress" "basic/utilities/progress#progress-flow" tools::progress
        => "progress has the token of its request and only grows";

    // Resources, prompts, completion, logging.
    Must "resource-shape" Any "server/resources#resource" "server/resources#resource" lists::resource_shape
        => "a resource has a URI and a name";
    Must "resource-uri" Any "server/resources#custom-uri-schemes" "server/resources#common-uri-schemes" lists::uris
        => "URIs of resources have a scheme (RFC 3986)";
    Must "resource-templates" Any "server/resources#resource-templates" "server/resources#resource-templates" lists::template_shape
        => "a resource template has a `uriTemplate` and a name";
    Must "resource-contents" Any "server/resources#resource-contents" "server/resources#resource-contents" features::contents
        => "reading a resource is answered with text, or with Base64";
    Must "resource-cache-hints" Any "server/utilities/caching#cacheable-results" "" features::contents_hint
        => "`resources/read` says how long and for whom its result holds";
    Must "resource-missing" Any "server/resources#error-handling" "" features::missing_modern
        => "reading a resource that is not there is answered with -32602";
    Should "resource-missing-code" Any "" "server/resources#error-handling" features::missing_legacy
        => "reading a resource that is not there is answered with -32002";
    Must "resource-subscribe" Any "" "server/resources#subscriptions" lists::subscribed
        => "a resource can be subscribed to when `subscribe` is declared";
    Must "subscription-acknowledged" Any "basic/patterns/subscriptions" "" lists::listened
        => "`subscriptions/listen` is acknowledged first, with the subscription's id";
    Must "prompt-shape" Any "server/prompts#prompt" "server/prompts#prompt" lists::prompt_shape
        => "prompts and their arguments have names";
    Must "prompt-messages" Any "server/prompts#promptmessage" "server/prompts#promptmessage" features::messages
        => "getting a prompt is answered with messages of user and assistant";
    Should "prompt-unknown" Any "server/prompts#error-handling" "server/prompts#error-handling" features::unknown_prompt
        => "getting a prompt that is not there is answered with -32602";
    Should "prompt-arguments" Any "server/prompts#error-handling" "server/prompts#error-handling" features::missing_arguments
        => "getting a prompt without the arguments that it needs is answered with -32602";
    Must "completion-values" Any "server/utilities/completion#completion-results" "server/utilities/completion#completion-results"
        >= V2025_03_26 features::completion
        => "completion is answered with at most 100 texts";
    Should "completion-unknown" Any "server/utilities/completion#error-handling" "server/utilities/completion#error-handling"
        >= V2025_03_26 features::unknown_reference
        => "completion for a prompt that is not there is answered with -32602";
    Must "logging-level" Any "" "server/utilities/logging#setting-log-level" lists::log_level
        => "`logging/setLevel` is answered when `logging` is declared";
    Should "logging-unknown-level" Any "" "server/utilities/logging#error-handling" lists::bad_level
        => "`logging/setLevel` with an unknown level is answered with -32602";

    // What was noticed on the way.
    Must "all-result-types" Any "basic#result-responses" "" base::result_types
        => "every result has a `resultType`";
    Must "all-reserved-codes" Any "basic#error-codes" "" base::reserved_codes
        => "no error has a code that is reserved and not defined";
    Must "all-no-requests" Any "basic#message-patterns" "" base::no_questions
        => "the server sends no requests";
    Must "all-messages" Pipe "basic/transports/stdio" "basic/transports#stdio" base::messages_only
        => "standard output carries messages and nothing else";
    Should "all-farewell" Pipe "basic/transports/stdio#shutdown" "basic/lifecycle#shutdown" base::farewell
        => "the server ends when its standard input does";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_every_check_applies_somewhere() {
        let mut ids = HashSet::new();
        for check in CHECKS {
            assert!(ids.insert(check.id), "{} is there twice", check.id);
            let applies = |revision: &Revision| check.applies(*revision, true) || check.applies(*revision, false);
            assert!(Revision::ALL.iter().any(applies), "{} is never made", check.id);
            assert!(check.since <= check.until, "{}", check.id);
        }
    }
}
