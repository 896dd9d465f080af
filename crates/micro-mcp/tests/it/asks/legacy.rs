//! Old clients are sent a request on the stream of their call.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{ABLE, server};
use crate::fixture::{Answer, Endpoint};

struct Client {
    endpoint: Endpoint,
    session: String,
}

impl Client {
    async fn able(able: &str) -> Self {
        Self::speaking("2025-11-25", able).await
    }

    async fn speaking(revision: &str, able: &str) -> Self {
        let endpoint = Endpoint::of(server(|server| server).0).await;
        let session = endpoint.initialize_able(revision, able, &[]).await;
        Self { endpoint, session }
    }

    async fn post(&self, body: &str) -> Answer {
        self.endpoint.send("POST", &[("Mcp-Session-Id", &self.session)], body.as_bytes()).await
    }

    async fn call(&self, name: &str) -> Answer {
        self.ask("tools/call", &format!(r#""name":"{name}","arguments":{{"row":1}}"#)).await
    }

    async fn ask(&self, method: &str, params: &str) -> Answer {
        self.post(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}}}}}"#)).await
    }

    /// Answers a question of the server's.
    async fn answer(&self, id: &Value, outcome: &str) -> u16 {
        self.post(&format!(r#"{{"jsonrpc":"2.0","id":{id},{outcome}}}"#)).await.whole().await.status
    }
}

/// The newest request on a stream.
async fn question(stream: &mut Answer, method: &str) -> Value {
    stream.until(&format!(r#""method":"{method}""#)).await;
    stream.until("}\n\n").await;
    let text = stream.text();
    let line = text.lines().rfind(|line| line.starts_with("data: ") && line.contains(method)).unwrap().to_owned();
    serde_json::from_str(line.trim_start_matches("data: ")).unwrap()
}

fn named(name: &str) -> String {
    format!(r#""result":{{"action":"accept","content":{{"name":"{name}"}}}}"#)
}

/// What a call without a question says.
async fn text(answer: Answer) -> (String, bool) {
    let whole = answer.whole().await;
    let last = if whole.body.starts_with('{') { whole.json() } else { whole.events().pop().unwrap() };
    let result = &last["result"];
    (result["content"][0]["text"].as_str().unwrap_or_default().to_owned(), result["isError"] == true)
}

#[tokio::test]
async fn the_question_comes_on_the_stream_and_the_answer_by_another_post() {
    let client = Client::able(ABLE).await;
    for (tool, method, outcome, expected) in [
        ("greet", "elicitation/create", named("Ann"), "Hello, Ann!"),
        ("visit", "elicitation/create", r#""result":{"action":"accept"}"#.to_owned(), "welcome"),
        (
            "sample",
            "sampling/createMessage",
            r#""result":{"role":"assistant","content":{"type":"text","text":"Yes."},"model":"m"}"#.to_owned(),
            "Yes.",
        ),
        ("roots", "roots/list", r#""result":{"roots":[{"uri":"file:///a"}]}"#.to_owned(), "1 roots"),
        ("polite", "elicitation/create", r#""result":{"action":"decline"}"#.to_owned(), "somebody"),
    ] {
        let mut stream = client.call(tool).await;
        let question = question(&mut stream, method).await;
        assert_eq!(client.answer(&question["id"], &outcome).await, 202, "{tool}");
        assert_eq!(text(stream).await, (expected.to_owned(), false), "{tool}");
    }
}

#[tokio::test]
async fn questions_are_written_as_the_revision_has_them() {
    let client = Client::able(ABLE).await;
    let mut stream = client.call("visit").await;
    let asked = question(&mut stream, "elicitation/create").await;
    assert_eq!((&asked["params"]["mode"], &asked["params"]["url"]), (&json!("url"), &json!("https://example.com/in")));
    assert!(asked["params"]["elicitationId"].is_string(), "2025-11-25 wants one");

    let old = Client::speaking("2025-06-18", ABLE).await;
    let (said, failed) = text(old.call("visit").await).await;
    assert!(failed && said.contains("URL elicitation"), "{said}");
    let mut stream = old.call("greet").await;
    let asked = question(&mut stream, "elicitation/create").await;
    let schema = json!({
        "type": "object",
        "properties": { "name": { "type": "string", "description": "Your first name.", "minLength": 1 } },
        "required": ["name"],
    });
    assert_eq!(asked["params"]["requestedSchema"], schema);
}

#[tokio::test]
async fn only_the_session_that_was_asked_can_answer() {
    let client = Client::able(ABLE).await;
    let mut stream = client.call("greet").await;
    let asked = question(&mut stream, "elicitation/create").await;
    let (id, endpoint) = (&asked["id"], &client.endpoint);
    let forged = format!(r#"{{"jsonrpc":"2.0","id":{id},{}}}"#, named("Eve"));
    let other = endpoint.initialize_able("2025-11-25", ABLE, &[]).await;
    for (session, status) in [(Some(other.as_str()), 202), (Some("made-up"), 404), (None, 202)] {
        let headers: Vec<_> = session.map(|session| ("Mcp-Session-Id", session)).into_iter().collect();
        assert_eq!(endpoint.send("POST", &headers, forged.as_bytes()).await.whole().await.status, status);
    }
    assert_eq!(client.answer(&json!("no-such-question"), &named("Eve")).await, 202);
    assert_eq!(client.answer(id, &named("Ann")).await, 202);
    assert_eq!(client.answer(id, &named("Eve")).await, 202, "too late");
    assert_eq!(text(stream).await.0, "Hello, Ann!");
}

#[tokio::test]
async fn a_client_is_never_asked_what_it_did_not_declare() {
    for (able, tool, needs) in [
        ("{}", "greet", "elicitation"),
        (r#"{"elicitation":{"url":{}}}"#, "greet", "elicitation"),
        (r#"{"elicitation":{}}"#, "visit", "URL elicitation"),
        ("{}", "sample", "sampling"),
        (r#"{"sampling":{}}"#, "sample_tools", "sampling with tools"),
        ("{}", "roots", "roots"),
        ("{}", "reserve", "elicitation"),
    ] {
        let client = Client::able(able).await;
        let expected = (format!("This needs a client with {needs}"), true);
        assert_eq!(text(client.call(tool).await).await, expected, "{able} {tool}");
    }
    // A prompt has no way to fail but an error, and its code is one that old clients know.
    let client = Client::able("{}").await;
    assert_eq!(client.ask("prompts/get", r#""name":"about""#).await.whole().await.error().1, -32602);
}

#[tokio::test]
async fn what_is_no_answer_is_a_failure_of_the_tool() {
    let client = Client::able(ABLE).await;
    for (outcome, expected) in [
        (r#""error":{"code":-1,"message":"User rejected"}"#, "the client did not answer: User rejected"),
        (r#""result":{"action":"decline"}"#, "the user declined to answer"),
        (r#""result":{"action":"cancel"}"#, "the user did not answer"),
        (r#""result":[]"#, "the client did not answer: an ElicitResult is an object with an action"),
        (r#""result":{"action":"accept","content":{"name":""}}"#, "the client did not answer: /name: "),
    ] {
        let mut stream = client.call("greet").await;
        let asked = question(&mut stream, "elicitation/create").await;
        client.answer(&asked["id"], outcome).await;
        let (said, failed) = text(stream).await;
        assert!(failed && said.starts_with(expected), "{outcome}: {said}");
    }
}

#[tokio::test]
async fn a_question_that_is_not_answered_in_time_is_taken_back() {
    let client = Client::able(ABLE).await;
    let events = client.call("hurry").await.whole().await.events();
    assert_eq!(events[1]["method"], "notifications/cancelled");
    assert_eq!(events[1]["params"]["requestId"], events[0]["id"]);
    assert_eq!(events[2]["result"]["content"][0]["text"], "no answer came in time");
}

#[tokio::test]
async fn a_client_without_a_stream_cannot_be_asked() {
    let client = Client::able(ABLE).await;
    let headers = [("Mcp-Session-Id", client.session.as_str()), ("Accept", "application/json")];
    let call = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"greet"}}"#;
    let answer = client.endpoint.send("POST", &headers, call).await;
    assert_eq!(text(answer).await, ("the client cannot be asked now".to_owned(), true));
}

#[tokio::test]
async fn the_end_of_a_call_takes_its_questions_back() {
    let client = Client::able(ABLE).await;
    let mut stream = client.call("greet").await;
    let asked = question(&mut stream, "elicitation/create").await;
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    assert_eq!(client.post(cancel).await.whole().await.status, 202);
    assert!(stream.whole().await.events().iter().all(|event| event.get("result").is_none()), "it is not answered");
    assert_eq!(client.answer(&asked["id"], &named("Ann")).await, 202, "nobody waits for it any more");
}

#[tokio::test]
async fn questions_that_wait_are_bounded() {
    let client = Client::able(ABLE).await;
    let events = client.call("many").await.whole().await.events();
    let asked = events.iter().filter(|event| event["method"] == "elicitation/create").count();
    assert!((1..=64).contains(&asked), "{asked} questions at once");
    assert_eq!(events.last().unwrap()["result"]["content"][0]["text"], "they wait");
}

#[tokio::test]
async fn a_handler_with_a_state_begins_once_and_goes_on_with_the_answers() {
    let (server, runs) = server(|server| server);
    let endpoint = Endpoint::of(server).await;
    let session = endpoint.initialize_able("2025-11-25", ABLE, &[]).await;
    let client = Client { endpoint, session };
    let mut stream = client.call("reserve").await;
    let asked = question(&mut stream, "elicitation/create").await;
    client.answer(&asked["id"], &named("Ann")).await;
    assert_eq!(text(stream).await, ("seat 10 for Ann".to_owned(), false));
    assert_eq!(runs.reserved.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn prompts_and_resources_ask_too() {
    let client = Client::able(ABLE).await;
    for (method, params, member, expected) in [
        ("prompts/get", r#""name":"about""#, "/result/messages/0/content/text", "Write about Ann."),
        ("resources/read", r#""uri":"ask://name""#, "/result/contents/0/text", "Ann"),
    ] {
        let mut stream = client.ask(method, params).await;
        let asked = question(&mut stream, "elicitation/create").await;
        client.answer(&asked["id"], &named("Ann")).await;
        let last = stream.whole().await.events().pop().unwrap();
        assert_eq!(last.pointer(member), Some(&json!(expected)), "{method}");
    }
}

#[tokio::test]
async fn a_handler_that_asks_nothing_runs_again_after_a_while() {
    let client = Client::able("{}").await;
    let begun = Instant::now();
    assert_eq!(text(client.call("busy").await).await, ("at last".to_owned(), false));
    assert!(begun.elapsed() >= Duration::from_millis(50 + 100 + 200), "it pauses");
    // There is nothing to ask, so no way to ask is needed.
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"busy"}}"#;
    assert_eq!(client.endpoint.post(call).await.json()["result"]["content"][0]["text"], "at last");
}
