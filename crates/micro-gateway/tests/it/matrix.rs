//! Every way in × everything that can be said of a caller: each cell's answer, and its one record.
//!
//! Here is what is decided; how each front says it is in `matrix/fronts.rs`. Every cell exists: where a front has no place
//! for a part of the answer, or for a part of the record, that is said there.

mod fronts;
mod site;

use serde_json::{Value, json};

use self::{
    fronts::{FRONTS, Front},
    site::Site,
};

/// One caller, and what becomes of its call.
struct Case {
    name: &'static str,
    shows: Shows,
    arguments: &'static str,
    outcome: Outcome,
    /// As the record names what decided.
    rule: &'static str,
}

/// What a caller shows: over HTTP with each request, on stdio once for the process (`MICRO_TOKEN`).
#[derive(Debug, Clone, Copy)]
enum Shows {
    Nothing,
    Text(&'static str),
    /// A token of the trusted issuer, which may do everything that is tried here, with these claims changed.
    Token(&'static str),
    /// An API key that was taken back.
    RevokedKey,
    /// A token for one call that was made already.
    SpentIntent,
    /// A token for another tool.
    OtherIntent,
}

/// What the pipeline says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Allowed,
    /// The credential is not good, for this reason.
    Unauthenticated(&'static str),
    /// The tool asks for a scope that the caller does not have.
    OutOfScope,
    /// The call is refused for this reason; the caller is told that one.
    Forbidden(&'static str, &'static str),
    /// For this caller there is no such tool.
    Unknown,
    /// The arguments do not fit.
    Misfit,
}

const NOTE: &str = r#"{"text":"a"}"#;
const GOOD: &str = "{}";

#[rustfmt::skip] // a table
const CASES: [Case; 17] = {
    use Outcome::{Allowed, Forbidden, Misfit, OutOfScope, Unauthenticated, Unknown};
    use Shows::{Nothing, OtherIntent, RevokedKey, SpentIntent, Text, Token};
    const fn case(name: &'static str, shows: Shows, arguments: &'static str, outcome: Outcome, rule: &'static str) -> Case {
        Case { name, shows, arguments, outcome, rule }
    }
    [
        case("no token", Nothing, NOTE, Unauthenticated("missing token"), "authenticate"),
        case("nobody's", Text("0123456789abcdef"), NOTE, Unauthenticated("invalid token"), "authenticate"),
        case("malformed", Text("e30.e30.e30"), NOTE, Unauthenticated("malformed credential"), "authenticate"),
        case("expired", Token(r#"{"exp":1700000000}"#), NOTE, Unauthenticated("expired token"), "authenticate"),
        case("not yet valid", Token(r#"{"nbf":4000000000}"#), NOTE, Unauthenticated("token not yet valid"), "authenticate"),
        case("wrong issuer", Token(r#"{"iss":"https://evil.example"}"#), NOTE, Unauthenticated("wrong issuer"), "authenticate"),
        case("a tenant of another issuer", Token(r#"{"org":"initech"}"#), NOTE, Unauthenticated("wrong issuer"), "authenticate"),
        case("wrong audience", Token(r#"{"aud":"https://other.example/mcp"}"#), NOTE, Unauthenticated("wrong audience"), "authenticate"),
        case("revoked", RevokedKey, NOTE, Unauthenticated("revoked credential"), "authenticate"),
        case("wrong tenant", Token(r#"{"org":"umbrella"}"#), NOTE, Unknown, "tenant:umbrella"),
        case("outside the intent", OtherIntent, NOTE, Forbidden("outside the intent", "not what the user asked for"), "intent:ID"),
        case("missing scope", Token(r#"{"scope":"notes:read"}"#), NOTE, OutOfScope, "scopes:service"),
        case("a role without the scope", Token(r#"{"scope":"","roles":["reader"]}"#), NOTE, OutOfScope, "scopes:service"),
        case("denied by Cedar", Token(GOOD), r#"{"text":"a","stars":4}"#, Forbidden("denied by policy", "denied by policy"), "policy:few-stars"),
        case("wrong arguments", Token(GOOD), "{}", Misfit, "schema"),
        case("intent exhausted", SpentIntent, NOTE, Forbidden("intent exhausted", "the intent has no calls left"), "intent"),
        case("allowed", Token(GOOD), NOTE, Allowed, "policy:everyone"),
    ]
};

#[tokio::test]
async fn every_front_gives_every_case_its_answer_and_leaves_one_record() {
    let site = Site::start().await;
    let mut wrong = Vec::new();
    for front in FRONTS {
        for case in &CASES {
            let told = site.call(front, site.credential(case.shows).as_deref(), case.arguments).await;
            let expected = front.says(case.outcome, &site.origin());
            if told != expected {
                wrong.push(format!("{front:?}, {}: answered\n  {told:?}, not\n  {expected:?}", case.name));
            }
            let (records, expected) = (site.records(), [expected_record(front, case)]);
            if records != expected {
                wrong.push(format!("{front:?}, {}: recorded\n  {records:?}, not\n  {expected:?}", case.name));
            }
            // What is refused does not reach the service.
            let (reached, expected) = (site.reached(), u64::from(case.outcome == Outcome::Allowed));
            if reached != expected {
                wrong.push(format!("{front:?}, {}: the service was reached {reached} times", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    site.stop().await;
}

fn expected_record(front: Front, case: &Case) -> Value {
    let denied = match case.outcome {
        Outcome::Allowed => None,
        Outcome::Unauthenticated(why) | Outcome::Forbidden(why, _) => Some(why),
        Outcome::OutOfScope => Some("insufficient scopes"),
        Outcome::Unknown => Some("unknown tool"),
        Outcome::Misfit => Some("invalid arguments"),
    };
    let somebody = !matches!(case.outcome, Outcome::Unauthenticated(_));
    json!({
        "front": front.recorded(),
        "tool": front.tool(case.outcome),
        "account_id": somebody.then_some("agent"),
        "intent": matches!(case.shows, Shows::SpentIntent | Shows::OtherIntent).then_some("ID"),
        "rule": case.rule,
        "allowed": denied.is_none(),
        "denied_reason": denied,
    })
}
