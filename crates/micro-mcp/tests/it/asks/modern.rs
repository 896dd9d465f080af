//! Clients of 2026-07-28 get the question as the result, and call again with the answer.

use std::{sync::atomic::Ordering, time::Duration};

use micro_mcp::{Builder, KeyRing};
use serde_json::{Value, json};

use super::{ABLE, server};
use crate::fixture::{Endpoint, Whole, modern_body_able, modern_headers};

struct Client {
    endpoint: Endpoint,
    bearer: Option<&'static str>,
    able: &'static str,
}

impl Client {
    async fn new() -> Self {
        Self::of(|server| server).await
    }

    async fn of(configure: impl FnOnce(Builder) -> Builder) -> Self {
        Self { endpoint: Endpoint::of(server(configure).0).await, bearer: None, able: ABLE }
    }

    async fn send(&self, method: &str, params: &str) -> Whole {
        let body = modern_body_able("1", method, params, self.able);
        let mut headers = modern_headers(&body);
        headers.extend(self.bearer.map(|name| ("Authorization", format!("Bearer {name}"))));
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.endpoint.send("POST", &headers, body.as_bytes()).await.whole().await
    }

    /// Calls a tool, with the answers and the state of an earlier round.
    async fn call(&self, name: &str, answers: &Value, state: &Value) -> Value {
        self.send("tools/call", &again(&format!(r#""name":"{name}","arguments":{{"row":1}}"#), answers, state))
            .await
            .json()
    }

    async fn first(&self, name: &str) -> Value {
        self.call(name, &Value::Null, &Value::Null).await["result"].clone()
    }
}

/// Params of another round.
fn again(params: &str, answers: &Value, state: &Value) -> String {
    let mut params = params.to_owned();
    for (member, value) in [("inputResponses", answers), ("requestState", state)] {
        if !value.is_null() {
            params.push_str(&format!(r#","{member}":{value}"#));
        }
    }
    params
}

fn named(name: &str) -> Value {
    json!({ "action": "accept", "content": { "name": name } })
}

fn asked(result: &Value) -> Vec<&str> {
    assert_eq!(result["resultType"], "input_required", "{result}");
    result["inputRequests"].as_object().map(|asks| asks.keys().map(String::as_str).collect()).unwrap_or_default()
}

fn text(answer: &Value) -> &str {
    assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    answer["result"]["content"][0]["text"].as_str().unwrap()
}

#[tokio::test]
async fn a_question_is_a_result_and_the_answer_another_call() {
    let client = Client::new().await;
    let answer = client.send("tools/call", r#""name":"greet","arguments":{}"#).await;
    assert_eq!(answer.header("content-type"), Some("application/json"), "nothing is sent on the way");
    let result = answer.json()["result"].clone();
    assert_eq!(asked(&result), ["who"]);
    assert_eq!(result["inputRequests"]["who"]["method"], "elicitation/create");
    assert_eq!(result["inputRequests"]["who"]["params"]["message"], "Who are you?");
    assert!(result["_meta"]["io.modelcontextprotocol/serverInfo"].is_object());
    assert!(result.get("ttlMs").is_none());

    let params = again(r#""name":"greet","arguments":{}"#, &json!({ "who": named("Ann") }), &result["requestState"]);
    assert_eq!(text(&client.send("tools/call", &params).await.json()), "Hello, Ann!");
}

#[tokio::test]
async fn every_kind_of_question_can_be_asked() {
    let client = Client::new().await;
    let said = json!({ "role": "assistant", "content": { "type": "text", "text": "Yes." }, "model": "m" });
    for (tool, method, answer, expected) in [
        ("visit", "elicitation/create", json!({ "action": "accept" }), "welcome"),
        ("sample", "sampling/createMessage", said.clone(), "Yes."),
        ("sample_tools", "sampling/createMessage", said, "Yes."),
        ("roots", "roots/list", json!({ "roots": [{ "uri": "file:///a" }] }), "1 roots"),
        ("polite", "elicitation/create", json!({ "action": "decline" }), "somebody"),
        ("careless", "elicitation/create", named("Ann"), "Ann"),
    ] {
        let first = client.first(tool).await;
        let key = asked(&first)[0].to_owned();
        assert_eq!(first["inputRequests"][&key]["method"], method, "{tool}");
        let answer = client.call(tool, &json!({ key: answer }), &first["requestState"]).await;
        assert_eq!(text(&answer), expected, "{tool}");
    }
}

#[tokio::test]
async fn earlier_answers_travel_in_the_state() {
    let (server, runs) = server(|server| server);
    let client = Client { endpoint: Endpoint::of(server).await, bearer: None, able: ABLE };
    let first = client.first("two").await;
    assert_eq!(asked(&first), ["ask-1"]);
    let second = client.call("two", &json!({ "ask-1": named("Ann") }), &first["requestState"]).await["result"].clone();
    assert_eq!(asked(&second), ["ask-2"]);
    assert_ne!(first["requestState"], second["requestState"]);
    // What was answered once stays as it was.
    let answers = json!({ "ask-1": named("Eve"), "ask-2": named("Bob"), "more": 7 });
    let third = client.call("two", &answers, &second["requestState"]).await;
    assert_eq!(text(&third), "row 1: Ann and Bob");
    assert_eq!(runs.two.load(Ordering::SeqCst), 3, "the handler began anew each time");
}

#[tokio::test]
async fn joined_questions_are_asked_at_once_and_only_what_is_missing_again() {
    let client = Client::new().await;
    let first = client.first("both").await;
    assert_eq!(asked(&first), ["who", "roots"]);
    let roots = json!({ "roots": [] });
    let second = client.call("both", &json!({ "roots": roots }), &first["requestState"]).await["result"].clone();
    assert_eq!(asked(&second), ["who"]);
    let third = client.call("both", &json!({ "who": named("Ann") }), &second["requestState"]).await;
    assert_eq!(text(&third), "Ann with 0 roots");
}

#[tokio::test]
async fn a_state_is_good_for_the_same_request_of_the_same_caller_only() {
    let client = Client::new().await;
    let state = client.first("two").await["requestState"].clone();
    let answers = json!({ "ask-1": named("Ann") });
    assert_eq!(asked(&client.call("two", &answers, &state).await["result"]), ["ask-2"]);

    let mut changed = state.as_str().unwrap().to_owned();
    changed.push_str("-TAMPERED");
    let mut flipped = state.as_str().unwrap().to_owned().into_bytes();
    flipped[40] = if flipped[40] == b'A' { b'B' } else { b'A' };
    for forged in [json!(changed), json!(String::from_utf8(flipped).unwrap()), json!(""), json!(7)] {
        assert_eq!(client.call("two", &answers, &forged).await["error"]["code"], -32602, "{forged}");
    }
    for (name, arguments) in [("two", r#"{"row":2}"#), ("greet", r#"{"row":1}"#), ("two", r#"{"row":1,"x":1}"#)] {
        let params = again(&format!(r#""name":"{name}","arguments":{arguments}"#), &answers, &state);
        assert_eq!(client.send("tools/call", &params).await.error().1, -32602, "{name} {arguments}");
    }
    let spaced = again(r#""name":"two","arguments":{ "row" : 1 }"#, &answers, &state);
    assert_eq!(asked(&client.send("tools/call", &spaced).await.json()["result"]), ["ask-2"], "blanks do not matter");

    let ann = Client { bearer: Some("ann"), ..client };
    assert_eq!(ann.call("two", &answers, &state).await["error"]["code"], -32602, "somebody else's");
    let stranger = Client::new().await;
    assert_eq!(stranger.call("two", &answers, &state).await["error"]["code"], -32602, "another server's");
}

#[tokio::test]
async fn a_state_expires() {
    let client = Client::of(|server| server.state_ttl(Duration::ZERO)).await;
    let state = client.first("greet").await["requestState"].clone();
    assert_eq!(client.call("greet", &json!({ "who": named("Ann") }), &state).await["error"]["code"], -32602);
}

#[tokio::test]
async fn replicas_with_the_same_keys_go_on_where_another_stopped() {
    let keys = KeyRing::random();
    let one = Client::of(|server| server.keys(keys.clone())).await;
    let two = Client::of(|server| server.keys(keys.clone())).await;
    let state = one.first("greet").await["requestState"].clone();
    assert_eq!(text(&two.call("greet", &json!({ "who": named("Ann") }), &state).await), "Hello, Ann!");
}

#[tokio::test]
async fn an_answer_that_is_missing_or_wrong_never_completes_a_call() {
    let client = Client::new().await;
    let state = client.first("greet").await["requestState"].clone();
    for answers in [
        json!({}),
        json!({ "wrong": named("Ann") }),
        json!({ "who": { "action": "accept" } }),
        json!({ "who": { "action": "accept", "content": { "name": 7 } } }),
        json!({ "who": { "action": "accept", "content": { "name": "" } } }),
    ] {
        assert_eq!(asked(&client.call("greet", &answers, &state).await["result"]), ["who"], "{answers}");
    }
    for answers in [json!({ "who": 7 }), json!({ "who": null }), json!({ "who": ["accept"] }), json!([]), json!(7)] {
        assert_eq!(client.call("greet", &answers, &state).await["error"]["code"], -32602, "{answers}");
    }
    let declined = client.call("greet", &json!({ "who": { "action": "decline" } }), &state).await;
    assert_eq!((text(&declined), &declined["result"]["isError"]), ("the user declined to answer", &json!(true)));
}

#[tokio::test]
async fn a_client_is_never_asked_what_it_did_not_declare() {
    let mut client = Client::new().await;
    for (able, tool, required) in [
        ("{}", "greet", json!({ "elicitation": { "form": {} } })),
        (r#"{"elicitation":{}}"#, "visit", json!({ "elicitation": { "url": {} } })),
        ("{}", "sample", json!({ "sampling": {} })),
        (r#"{"sampling":{}}"#, "sample_tools", json!({ "sampling": { "tools": {} } })),
        ("{}", "roots", json!({ "roots": {} })),
        (r#"{"sampling":{}}"#, "reserve", json!({ "elicitation": { "form": {} } })),
    ] {
        client.able = able;
        let params = format!(r#""name":"{tool}","arguments":{{"row":1}}"#);
        let answer = client.send("tools/call", &params).await;
        assert_eq!(answer.error(), (400, -32021), "{able} {tool}");
        assert_eq!(answer.json()["error"]["data"]["requiredCapabilities"], required);
    }
}

#[tokio::test]
async fn a_handler_with_a_state_begins_once() {
    let (server, runs) = server(|server| server);
    let client = Client { endpoint: Endpoint::of(server).await, bearer: None, able: ABLE };
    let first = client.first("reserve").await;
    let second = client.call("reserve", &json!({}), &first["requestState"]).await["result"].clone();
    assert_eq!(asked(&second), ["who"], "no answer, so it asks again");
    let third = client.call("reserve", &json!({ "who": named("Ann") }), &second["requestState"]).await;
    assert_eq!(text(&third), "seat 10 for Ann");
    assert_eq!(runs.reserved.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn mistakes_of_the_handler_are_internal_errors() {
    let client = Client::new().await;
    assert_eq!(client.call("no_form", &Value::Null, &Value::Null).await["error"]["code"], -32603);
    let state = client.first("same_key").await["requestState"].clone();
    let answer = client.call("same_key", &json!({ "x": named("Ann") }), &state).await;
    assert_eq!(answer["error"]["code"], -32603, "or the second question would have the first one's answer");
}

#[tokio::test]
async fn prompts_and_resources_ask_too() {
    let client = Client::new().await;
    for (method, params, member, expected) in [
        ("prompts/get", r#""name":"about""#, "/result/messages/0/content/text", "Write about Ann."),
        ("resources/read", r#""uri":"ask://name""#, "/result/contents/0/text", "Ann"),
    ] {
        let first = client.send(method, params).await.json()["result"].clone();
        assert_eq!(asked(&first), ["who"], "{method}");
        let params = again(params, &json!({ "who": named("Ann") }), &first["requestState"]);
        let answer = client.send(method, &params).await.json();
        assert_eq!(answer.pointer(member), Some(&json!(expected)), "{method}");
    }
}
