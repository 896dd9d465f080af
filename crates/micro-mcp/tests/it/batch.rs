//! JSON-RPC batches, which 2025-03-26 has and no other revision.

use serde_json::{Value, json};

use crate::fixture::{Answer, Endpoint, taken};

struct Client {
    endpoint: Endpoint,
    session: String,
}

impl Client {
    async fn connect(revision: &str) -> Self {
        let endpoint = Endpoint::start().await;
        let session = endpoint.initialize(revision, &[]).await;
        Self { endpoint, session }
    }

    async fn send(&self, message: &Value) -> Answer {
        self.endpoint.send("POST", &[("Mcp-Session-Id", &self.session)], message.to_string().as_bytes()).await
    }
}

fn call(id: usize, tool: &str, arguments: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool, "arguments": arguments } })
}

#[tokio::test]
async fn answers_come_in_order_and_a_failure_stays_its_own() {
    let client = Client::connect("2025-03-26").await;
    let batch = json!([
        call(1, "add", &json!({ "a": 1, "b": 1 })),
        { "jsonrpc": "2.0", "method": "notifications/x" },
        { "jsonrpc": "2.0", "id": 2, "method": "initialize", "params": {} },
        { "id": 3 },
        7,
        { "jsonrpc": "2.0", "id": 4, "method": "no/such" },
        call(5, "no_such", &json!({})),
        call(6, "add", &json!({ "a": "x" })),
        { "jsonrpc": "2.0", "id": "seven", "method": "ping" },
        { "jsonrpc": "2.0", "id": 99, "result": {} },
    ]);
    let json = client.send(&batch).await.whole().await.json();
    let answers: Vec<_> = json.as_array().unwrap().iter().map(|a| (&a["id"], a["error"]["code"].as_i64())).collect();
    let (seven, null) = (json!("seven"), Value::Null);
    let ids: Vec<Value> = (1..=6).map(Value::from).collect();
    assert_eq!(
        answers,
        [
            (&ids[0], None),
            (&ids[1], Some(-32600)),
            (&ids[2], Some(-32600)),
            (&null, Some(-32600)),
            (&ids[3], Some(-32601)),
            (&ids[4], Some(-32602)),
            (&ids[5], None),
            (&seven, None),
        ]
    );
    assert_eq!(json[0]["result"]["content"][0]["text"], r#"{"sum":2}"#);
    assert_eq!(json[6]["result"]["isError"], true);
}

#[tokio::test]
async fn a_thousand_requests_are_answered_and_no_more() {
    let client = Client::connect("2025-03-26").await;
    let add = |id: usize| call(id, "add", &json!({ "a": id, "b": 1 }));
    let batch: Value = (0..1000).map(add).collect();
    let json = client.send(&batch).await.whole().await.json();
    let answers = json.as_array().unwrap();
    assert_eq!(answers.len(), 1000);
    for (i, answer) in answers.iter().enumerate() {
        let sum = format!(r#"{{"sum":{}}}"#, i + 1);
        assert_eq!((&answer["id"], &answer["result"]["content"][0]["text"]), (&json!(i), &json!(sum)));
    }
    let batch: Value = (0..=1000).map(add).collect();
    assert_eq!(client.send(&batch).await.whole().await.error(), (400, -32600));
}

#[tokio::test]
async fn a_batch_runs_side_by_side_within_bounds() {
    let client = Client::connect("2025-03-26").await;
    let batch: Value = (0..20).map(|id| call(id, "wait", &json!({}))).collect();
    let answer = client.send(&batch).await;
    let waiting = &client.endpoint.waiting;
    for _ in 0..16 {
        taken(&waiting.begun).await;
    }
    assert_eq!(client.endpoint.post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await.status, 200);
    assert_eq!(waiting.begun.available_permits(), 0, "the rest awaits its turn");
    waiting.go.add_permits(20);
    let json = answer.whole().await.json();
    let ids: Vec<_> = json.as_array().unwrap().iter().map(|answer| answer["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn one_request_of_a_batch_is_cancelled_alone() {
    let client = Client::connect("2025-03-26").await;
    let batch: Value = (0..3).map(|id| call(id, "wait", &json!({}))).collect();
    let answer = client.send(&batch).await;
    let waiting = &client.endpoint.waiting;
    for _ in 0..3 {
        taken(&waiting.begun).await;
    }
    let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 } });
    client.send(&cancel).await.whole().await;
    taken(&waiting.dropped).await;
    waiting.go.add_permits(2);
    let json = answer.whole().await.json();
    let ids: Vec<_> = json.as_array().unwrap().iter().map(|answer| answer["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [0, 2]);
}

#[tokio::test]
async fn what_the_requests_of_a_batch_say_comes_before_the_answers() {
    let client = Client::connect("2025-03-26").await;
    let talk = |id: usize| {
        let meta = json!({ "progressToken": id });
        json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": "talk", "_meta": meta } })
    };
    let events = client.send(&json!([talk(1), talk(2)])).await.whole().await.events();
    for token in [1, 2] {
        let of = |event: &&Value| event["params"]["progressToken"] == token;
        let steps: Vec<_> = events.iter().filter(of).filter_map(|e| e["params"]["progress"].as_u64()).collect();
        assert_eq!(steps, (0..200).collect::<Vec<_>>());
    }
    assert_eq!(events.last().unwrap().as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn notifications_alone_are_not_answered() {
    let client = Client::connect("2025-03-26").await;
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/x" });
    let answer = client.send(&json!([note, note])).await.whole().await;
    assert_eq!((answer.status, answer.body.as_str()), (202, ""));
}

#[tokio::test]
async fn other_revisions_have_no_batches() {
    for revision in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let client = Client::connect(revision).await;
        let answer = client.send(&json!([{ "jsonrpc": "2.0", "id": 1, "method": "ping" }])).await.whole().await;
        assert_eq!(answer.error(), (400, -32600), "{revision}");
    }
}
