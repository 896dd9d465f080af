//! Tokens that can do what a user asked for, and nothing else.

use serde_json::{Value, json};

use super::browser::{App, Site};
use crate::fixture::Answer;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Exchanges a token; nobody has to say which client asks.
async fn exchange(site: &Site, subject: &str, more: &[(&str, &str)]) -> Answer {
    let mut all = vec![("grant_type", EXCHANGE), ("subject_token", subject), ("subject_token_type", ACCESS)];
    all.extend(more);
    site.form("/oauth/token", &[], &all).await
}

async fn intent(site: &Site, subject: &str, more: &[(&str, &str)]) -> Value {
    let answer = exchange(site, subject, more).await;
    assert_eq!(answer.status, 200, "{more:?}: {}", answer.text);
    let told = answer.json();
    assert_eq!((&told["issued_token_type"], &told["token_type"]), (&ACCESS.into(), &"Bearer".into()));
    told
}

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}"))
}

async fn alice(site: &Site) -> String {
    site.user("alice", "notes:write notes:read").await;
    let app = App::register(site, json!({})).await;
    text(&app.sign_in(site, "alice", "").await, "access_token").to_owned()
}

const KEEP: (&str, &str) = ("intent_tools", "notes.Notes.Keep");

#[tokio::test]
async fn an_intent_does_what_was_asked_and_no_more() {
    let site = Site::start().await;
    let alice = alice(&site).await;
    let told = intent(&site, &alice, &[("intent_message", "Keep two notes"), KEEP, ("intent_calls", "2")]).await;
    assert_eq!(told["expires_in"], 300);
    assert!(text(&told, "intent").starts_with("int_"));
    let token = text(&told, "access_token");
    assert_eq!(site.count(token).await, 403, "alice may, and did not ask for it");
    assert_eq!(site.keep(token).await, 200);
    // A call whose arguments do not fit is not made, and costs none.
    let bearer = format!("Bearer {token}");
    let bad = site.gateway.send("POST", "/api/notes/Notes.Keep", &[("authorization", &bearer)], "{}").await;
    assert_eq!(bad.status, 400);
    assert_eq!(site.keep(token).await, 200);
    let spent =
        site.gateway.send("POST", "/api/notes/Notes.Keep", &[("authorization", &bearer)], r#"{"text":"a"}"#).await;
    assert_eq!(spent.status, 403);
    assert!(spent.text.contains("no calls left") && !spent.headers.contains_key("www-authenticate"), "{}", spent.text);
    let mcp =
        site.gateway.modern("tools/call", json!({"name": "notes_Keep", "arguments": {"text": "a"}}), Some(token)).await;
    assert_eq!(mcp.status, 403);
    let records = site.gateway.stop_for("").await;
    let reasons: Vec<_> = records.iter().filter_map(|record| record["denied_reason"].as_str()).collect();
    assert_eq!(reasons, ["outside the intent", "invalid arguments", "intent exhausted", "intent exhausted"]);
    let made = records.iter().find(|record| record["kind"] == "intent").expect("the token is on record");
    assert_eq!((&made["message"], &made["account_id"]), (&"Keep two notes".into(), &"alice".into()));
    let calls: Vec<_> = records.iter().filter(|record| record["kind"] == "call").collect();
    assert_eq!(calls.len(), 6);
    for record in [&[made], &calls[..]].concat() {
        assert_eq!(record["intent"], told["intent"], "{record}");
    }
}

#[tokio::test]
async fn nothing_wider_comes_out_than_what_goes_in() {
    let site = Site::start().await;
    let alice = alice(&site).await;
    let message = ("intent_message", "Keep a note");
    let told = intent(&site, &alice, &[message, KEEP, ("intent_calls", "5"), ("scope", "notes:write")]).await;
    let held = text(&told, "access_token");
    for (more, error) in [
        (&[("intent_calls", "1"), ("intent_tools", "notes.Notes.Keep notes.Notes.Count")][..], "invalid_scope"),
        (&[("intent_calls", "1"), ("intent_tools", "notes.*")], "invalid_scope"),
        (&[("intent_calls", "1"), ("intent_tools", "*")], "invalid_scope"),
        (&[("intent_calls", "6")], "invalid_scope"),
        (&[("intent_calls", "1"), ("scope", "notes:read")], "invalid_scope"),
        (&[("intent_calls", "1"), ("scope", "notes:write notes:read")], "invalid_scope"),
        (&[("intent_calls", "0")], "invalid_request"),
        (&[("intent_calls", "1"), ("intent_message", "Delete everything")], "invalid_request"),
        (&[("intent_calls", "1"), ("resource", "https://elsewhere.example")], "invalid_target"),
        (&[("intent_calls", "1"), ("actor_token", "nobody"), ("actor_token_type", ACCESS)], "invalid_grant"),
    ] {
        let answer = exchange(&site, held, more).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (400, &error.into()), "{more:?}");
    }
    for subject in ["", "nobody", "a.b.c"] {
        let answer = exchange(&site, subject, &[message, ("intent_calls", "1")]).await;
        assert_eq!(answer.status, 400, "{subject}");
    }
    let longer = intent(&site, held, &[("intent_calls", "1"), ("intent_lifetime", "3600")]).await;
    assert!(longer["expires_in"].as_u64().unwrap() <= 300, "not longer than what it comes from");
    assert_eq!(
        exchange(&site, &alice, &[("intent_calls", "1")]).await.json()["error"],
        "invalid_request",
        "no message"
    );
    // Who tried to get more, and of what, is on record.
    let records = site.gateway.stop_for("").await;
    let denied: Vec<_> = records.iter().filter(|record| record["allowed"] == false).collect();
    let reasons: Vec<_> = denied.iter().map(|record| text(record, "denied_reason")).collect();
    let (tools, scopes) = ("the subject's intent does not allow these tools", "the subject does not have these scopes");
    let calls = ["the subject's intent has fewer calls", "intent_calls is 1 to 1,000,000"];
    let words = "a narrower intent has the message of the subject's; leave intent_message out";
    assert_eq!(reasons, [tools, tools, tools, calls[0], scopes, scopes, calls[1], words]);
    assert_eq!((&denied[1]["kind"], &denied[1]["tools"]), (&"intent".into(), &json!(["notes.*"])));
    assert_eq!((&denied[1]["parent"], &denied[1]["account_id"]), (&told["intent"], &"alice".into()));
}

#[tokio::test]
async fn what_a_sub_agent_may_call_is_taken_from_what_its_agent_may() {
    let site = Site::start().await;
    let alice = alice(&site).await;
    let machine = super::browser::App { id: "machine".into(), secret: Some(super::browser::SECRET.into()) };
    let actor = machine.post(&site, "token", &[("grant_type", "client_credentials")]).await.json();
    let actor = text(&actor, "access_token").to_owned();
    let acting = [("actor_token", actor.as_str()), ("actor_token_type", ACCESS)];
    let all = [("intent_message", "Keep"), KEEP, ("intent_calls", "5"), acting[0], acting[1]];
    let parent = intent(&site, &alice, &all).await;
    let child = intent(&site, text(&parent, "access_token"), &[("intent_calls", "3"), acting[0], acting[1]]).await;
    assert_ne!(parent["intent"], child["intent"]);
    let more = exchange(&site, text(&parent, "access_token"), &[("intent_calls", "3")]).await;
    assert_eq!(more.json()["error"], "invalid_scope", "two are left");
    let calls = async |token: &str| {
        let mut good = 0;
        while site.keep(token).await == 200 {
            good += 1;
        }
        good
    };
    assert_eq!((calls(text(&parent, "access_token")).await, calls(text(&child, "access_token")).await), (2, 3));
    let told = machine.post(&site, "introspect", &[("token", text(&child, "access_token"))]).await.json();
    assert_eq!(told["act"], json!({"sub": "machine", "act": {"sub": "machine"}}), "{told}");
    assert_eq!(told["intent"]["parents"], json!([parent["intent"]]));
    assert_eq!(told["sub"], "alice");
}

#[tokio::test]
async fn a_count_is_exact_however_many_call_at_once_at_however_many_gateways() {
    let site = Site::start().await;
    let other = site.replica().await;
    let alice = alice(&site).await;
    let told = intent(&site, &alice, &[("intent_message", "Keep"), KEEP, ("intent_calls", "7")]).await;
    let token = text(&told, "access_token");
    let calls = (0..64).map(|n| {
        let site = if n % 2 == 0 { &site } else { &other };
        site.keep(token)
    });
    let outcomes = futures_util::future::join_all(calls).await;
    assert_eq!(outcomes.iter().filter(|status| **status == 200).count(), 7, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|status| **status == 403).count(), 57, "{outcomes:?}");
}

#[tokio::test]
async fn parts_of_an_intent_are_given_away_once_however_many_ask_at_once() {
    let site = Site::start().await;
    let alice = alice(&site).await;
    let told = intent(&site, &alice, &[("intent_message", "Keep"), KEEP, ("intent_calls", "10")]).await;
    let tries = (0..64).map(|_| exchange(&site, text(&told, "access_token"), &[("intent_calls", "3")]));
    let outcomes = futures_util::future::join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|answer| answer.status == 200).count(), 3);
}

#[tokio::test]
async fn an_intent_ends_with_the_consent_that_it_comes_from_and_takes_its_own_with_it() {
    let site = Site::start().await;
    site.user("alice", "notes:write").await;
    let app = App::register(&site, json!({})).await;
    let tokens = app.sign_in(&site, "alice", "").await;
    let asked = [("intent_message", "Keep"), ("intent_calls", "900000"), ("client_id", app.id.as_str())];
    let access = text(&tokens, "access_token");
    // A client that did not register for it may not.
    assert_eq!(exchange(&site, access, &asked).await.json()["error"], "unauthorized_client");
    let first = intent(&site, access, &asked[..2]).await;
    let second = intent(&site, text(&first, "access_token"), &[("intent_calls", "400000")]).await;
    let other = intent(&site, access, &asked[..2]).await;
    assert_eq!(site.keep(text(&second, "access_token")).await, 200);
    // Who holds an intent may give it back, with what came of it and nothing else.
    assert_eq!(site.form("/oauth/revoke", &[], &[("token", text(&first, "access_token"))]).await.status, 200);
    site.refused_soon(text(&second, "access_token")).await;
    assert_eq!(site.keep(text(&other, "access_token")).await, 200);
    assert_eq!(site.form("/oauth/revoke", &[], &[("token", access)]).await.status, 400, "that is a client's");
    app.post(&site, "revoke", &[("token", text(&tokens, "refresh_token"))]).await;
    for told in [&first, &second, &other] {
        site.refused_soon(text(told, "access_token")).await;
    }
}
