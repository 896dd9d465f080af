//! The tasks extension: calls that go on after their request is answered.

use std::{sync::Arc, time::Duration};

use micro_mcp::{
    CallContext, CallError, InputRequired, NoArgs, Server,
    task::{TaskConfig, TaskMode},
};
use serde_json::{Value, json};
use tokio::time::{interval, timeout};

use crate::fixture::{Answer, Endpoint, Whole, taken, waiting};

#[derive(serde::Deserialize, schemars::JsonSchema)]
pub(crate) struct Who {
    pub(crate) name: String,
}

pub(crate) fn server(waiting: &Arc<crate::fixture::Waiting>, config: TaskConfig) -> Server {
    let [optional, required, late, impatient] = std::array::from_fn(|_| waiting.clone());
    let work = |waiting: Arc<crate::fixture::Waiting>| {
        move |cx: CallContext, _: NoArgs| {
            let waiting = waiting.clone();
            async move {
                cx.progress(1.0, None, Some("under way")).await;
                waiting.wait().await;
                "done"
            }
        }
    };
    Server::builder("worker", "1.0")
        .tasks(config)
        .tool("work")
        .task(TaskMode::Optional)
        .handler(work(optional))
        .tool("must")
        .task(TaskMode::Required)
        .handler(work(required))
        .tool("late")
        .task_on_demand(TaskMode::Optional)
        .handler(move |cx: CallContext, _: NoArgs| {
            let waiting = late.clone();
            async move {
                let who = cx.elicit::<Who>("Who are you?").key("who").await?;
                if who.name == "nobody" {
                    return Ok("nothing to do".to_owned());
                }
                cx.become_task().await;
                let again = cx.elicit::<Who>("Are you sure?").key("sure").await?;
                waiting.wait().await;
                Ok::<_, CallError>(format!("{}, that is {}", who.name, again.name))
            }
        })
        .tool("ask")
        .task(TaskMode::Required)
        .handler(|cx: CallContext, _: NoArgs| async move {
            let one = cx.elicit::<Who>("One?").key("one").into_future();
            let two = cx.elicit::<Who>("Two?").into_future();
            let (one, two) = tokio::try_join!(one, two)?;
            Ok::<_, CallError>(format!("{} {}", one.name, two.name))
        })
        .tool("book")
        .task(TaskMode::Required)
        .handler(|cx: CallContext, _: NoArgs| async move {
            let Some(seat) = cx.state::<u32>()? else {
                return Err(InputRequired::new().elicit::<Who>("who", "Who sits there?").state(&7).into());
            };
            let Some(who) = cx.response::<Who>("who")? else {
                return Err(InputRequired::new().elicit::<Who>("who", "Who again?").state(&seat).into());
            };
            Ok::<_, CallError>(format!("{} has seat {seat}", who.name))
        })
        .tool("impatient")
        .task(TaskMode::Required)
        .handler(move |cx: CallContext, _: NoArgs| {
            let waiting = impatient.clone();
            async move {
                let asked = timeout(Duration::from_millis(5), cx.elicit::<Who>("Quick!").key("who").into_future());
                let answer = asked.await;
                waiting.wait().await;
                if answer.is_ok() { "in time" } else { "without an answer" }
            }
        })
        .tool("panic")
        .task(TaskMode::Optional)
        .handler(|_: NoArgs| async {
            assert!(std::env::args().count() == 0, "inner text");
            "never"
        })
        .build()
        .unwrap()
}

struct Client {
    endpoint: Endpoint,
}

const KNOWS: &str = r#"{"elicitation":{},"extensions":{"io.modelcontextprotocol/tasks":{}}}"#;

impl Client {
    async fn connect(config: TaskConfig) -> Self {
        let waiting = waiting();
        Self { endpoint: Endpoint::serving(server(&waiting, config), waiting, |config| config).await }
    }

    async fn open(&self, who: &str, capabilities: &str, method: &str, mut params: Value) -> Answer {
        let name = params["name"].as_str().or(params["taskId"].as_str()).unwrap_or_default().to_owned();
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": serde_json::from_str::<Value>(capabilities).unwrap(),
        });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let token = format!("Bearer {who}");
        let headers = [
            ("MCP-Protocol-Version", "2026-07-28"),
            ("Mcp-Method", method),
            ("Mcp-Name", name.as_str()),
            ("Authorization", token.as_str()),
        ];
        self.endpoint.send("POST", &headers, body.as_bytes()).await
    }

    async fn send(&self, who: &str, method: &str, params: Value) -> Whole {
        self.open(who, KNOWS, method, params).await.whole().await
    }

    /// Calls a tool of a task; the task's id.
    async fn begin(&self, tool: &str) -> String {
        let result = self.send("ann", "tools/call", json!({ "name": tool })).await.json()["result"].clone();
        assert_eq!(result["resultType"], "task", "{result}");
        result["taskId"].as_str().unwrap().to_owned()
    }

    async fn get(&self, id: &str) -> Value {
        let answer = self.send("ann", "tasks/get", json!({ "taskId": id })).await.json();
        assert_ne!(answer["result"]["resultType"], "task");
        answer
    }

    /// Looks until the task is as wanted.
    async fn until(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let look = async {
            let mut often = interval(Duration::from_millis(5));
            loop {
                often.tick().await;
                let answer = self.get(id).await;
                if wanted(&answer["result"]) || wanted(&answer["error"]) {
                    return answer;
                }
            }
        };
        timeout(Duration::from_secs(10), look).await.expect("it comes to that")["result"].clone()
    }

    async fn ended(&self, id: &str) -> Value {
        self.until(id, |task| ["completed", "failed", "cancelled"].contains(&task["status"].as_str().unwrap_or("")))
            .await
    }

    async fn answer(&self, id: &str, key: &str, response: Value) {
        let params = json!({ "taskId": id, "inputResponses": { key: response } });
        let answer = self.send("ann", "tasks/update", params).await.json();
        let mut members: Vec<_> = answer["result"].as_object().expect("an acknowledgement").keys().collect();
        members.sort();
        assert_eq!(members, ["_meta", "resultType"]);
    }
}

fn keys(task: &Value) -> Vec<&str> {
    task["inputRequests"].as_object().map(|asked| asked.keys().map(String::as_str).collect()).unwrap_or_default()
}

fn accept(name: &str) -> Value {
    json!({ "action": "accept", "content": { "name": name } })
}

#[tokio::test]
async fn a_task_is_there_at_once_and_keeps_its_result() {
    let client = Client::connect(TaskConfig::default()).await;
    let created = client.send("ann", "tools/call", json!({ "name": "work" })).await.json()["result"].clone();
    assert_eq!((&created["resultType"], &created["status"]), (&json!("task"), &json!("working")));
    assert_eq!((&created["ttlMs"], &created["pollIntervalMs"]), (&json!(3_600_000), &json!(1000)));
    assert!(created["createdAt"].as_str().unwrap().ends_with('Z') && created["lastUpdatedAt"].is_string());
    let id = created["taskId"].as_str().unwrap();
    // The client is gone since, and the task is not.
    let task = client.until(id, |task| task["statusMessage"] == "under way").await;
    assert_eq!((&task["status"], &task["result"]), (&json!("working"), &Value::Null));
    client.endpoint.waiting.go.add_permits(1);
    for _ in 0..2 {
        let task = client.ended(id).await;
        assert_eq!((&task["status"], &task["taskId"]), (&json!("completed"), &json!(id)));
        assert_eq!(task["result"]["content"][0]["text"], "done");
    }
}

#[tokio::test]
async fn a_task_is_its_callers_alone() {
    let client = Client::connect(TaskConfig::default()).await;
    let id = client.begin("work").await;
    let other = Client::connect(TaskConfig::default()).await.begin("work").await;
    for (who, id) in [("bob", id.as_str()), ("ann", "made-up"), ("ann", &other), ("ann", &id[1..])] {
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            let params = json!({ "taskId": id, "inputResponses": {} });
            assert_eq!(client.send(who, method, params).await.error().1, -32602, "{who} {method}");
        }
    }
    assert_eq!(client.get(&id).await["result"]["status"], "working");
}

#[tokio::test]
async fn who_does_not_know_tasks_waits_or_is_told() {
    let client = Client::connect(TaskConfig::default()).await;
    client.endpoint.waiting.go.add_permits(1);
    let call = |tool: &str| json!({ "name": tool });
    let answer = client.open("ann", "{}", "tools/call", call("work")).await.whole().await.json();
    assert_eq!(answer["result"]["content"][0]["text"], "done");
    let required = json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } });
    for (method, params) in [
        ("tools/call", call("must")),
        ("tasks/get", json!({ "taskId": "x" })),
        ("tasks/update", json!({ "taskId": "x", "inputResponses": {} })),
        ("tasks/cancel", json!({ "taskId": "x" })),
        ("subscriptions/listen", json!({ "notifications": { "taskIds": ["x"] } })),
    ] {
        let answer = client.open("ann", "{}", method, params).await.whole().await;
        assert_eq!(answer.error(), (400, -32021), "{method}");
        assert_eq!(answer.json()["error"]["data"]["requiredCapabilities"], required);
    }
    for method in ["tasks/list", "tasks/result", "tasks/other"] {
        assert_eq!(client.send("ann", method, json!({ "taskId": "x" })).await.error(), (404, -32601), "{method}");
    }
}

#[tokio::test]
async fn the_legacy_era_has_no_tasks() {
    let client = Client::connect(TaskConfig::default()).await;
    let session = client.endpoint.initialize("2025-11-25", &[]).await;
    let send = async |method: &str, params: Value| {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        client.endpoint.send("POST", &[("Mcp-Session-Id", &session)], body.as_bytes()).await.whole().await
    };
    client.endpoint.waiting.go.add_permits(1);
    assert_eq!(send("tools/call", json!({ "name": "work" })).await.json()["result"]["content"][0]["text"], "done");
    assert_eq!(send("tools/call", json!({ "name": "must" })).await.json()["result"]["isError"], true);
    assert_eq!(send("tasks/get", json!({ "taskId": "x" })).await.error().1, -32601);
}

#[tokio::test]
async fn a_cancelled_task_stops_and_stays_cancelled() {
    let client = Client::connect(TaskConfig::default()).await;
    let id = client.begin("work").await;
    taken(&client.endpoint.waiting.begun).await;
    for _ in 0..2 {
        let answer = client.send("ann", "tasks/cancel", json!({ "taskId": id })).await.json();
        assert_eq!(answer["result"]["resultType"], "complete");
        assert_eq!(client.get(&id).await["result"]["status"], "cancelled");
    }
    taken(&client.endpoint.waiting.dropped).await;
}

#[tokio::test]
async fn questions_of_a_task_are_answered_one_by_one() {
    let client = Client::connect(TaskConfig::default()).await;
    let id = client.begin("ask").await;
    let task = client.until(&id, |task| keys(task).len() == 2).await;
    assert_eq!((keys(&task), &task["status"]), (vec!["ask-2", "one"], &json!("input_required")));
    assert_eq!(task["inputRequests"]["one"]["method"], "elicitation/create");
    client.answer(&id, "no-such", accept("x")).await;
    client.answer(&id, "one", accept("Ann")).await;
    let task = client.get(&id).await["result"].clone();
    assert_eq!((keys(&task), &task["status"]), (vec!["ask-2"], &json!("input_required")));
    // What is no answer is asked for anew; a key never means two questions.
    client.answer(&id, "ask-2", json!(7)).await;
    let task = client.until(&id, |task| !keys(task).is_empty()).await;
    assert_eq!(keys(&task), ["ask-3"]);
    client.answer(&id, "ask-3", accept("Bob")).await;
    assert_eq!(client.ended(&id).await["result"]["content"][0]["text"], "Ann Bob");
}

#[tokio::test]
async fn a_handler_of_a_task_may_end_with_its_questions_and_begin_again() {
    let client = Client::connect(TaskConfig::default()).await;
    let id = client.begin("book").await;
    client.until(&id, |task| keys(task) == ["who"]).await;
    client.answer(&id, "who", json!({ "action": "accept", "content": { "name": 7 } })).await;
    // A key is used once in the life of a task.
    client.until(&id, |task| keys(task) == ["who-2"]).await;
    client.answer(&id, "who-2", accept("Ann")).await;
    assert_eq!(client.ended(&id).await["result"]["content"][0]["text"], "Ann has seat 7");
    let id = client.begin("book").await;
    client.until(&id, |task| keys(task) == ["who"]).await;
    client.answer(&id, "who", json!({ "action": "decline" })).await;
    let task = client.ended(&id).await;
    assert_eq!((&task["status"], &task["result"]["isError"]), (&json!("completed"), &json!(true)));
}

#[tokio::test]
async fn a_refusal_reaches_the_handler() {
    let client = Client::connect(TaskConfig::default()).await;
    let id = client.begin("ask").await;
    client.until(&id, |task| keys(task).len() == 2).await;
    client.answer(&id, "one", json!({ "action": "decline" })).await;
    let task = client.ended(&id).await;
    assert_eq!((&task["status"], &task["result"]["isError"]), (&json!("completed"), &json!(true)));
    assert!(keys(&task).is_empty(), "nothing is asked any more");
}

#[tokio::test]
async fn a_call_may_ask_first_and_then_become_a_task() {
    let client = Client::connect(TaskConfig::default()).await;
    let first = client.send("ann", "tools/call", json!({ "name": "late" })).await.json()["result"].clone();
    assert_eq!((&first["resultType"], &first["taskId"]), (&json!("input_required"), &Value::Null));
    let again = async |name: &str| {
        let state = &first["requestState"];
        let params = json!({ "name": "late", "inputResponses": { "who": accept(name) }, "requestState": state });
        client.send("ann", "tools/call", params).await.json()["result"].clone()
    };
    assert_eq!(again("nobody").await["content"][0]["text"], "nothing to do");
    let created = again("Ann").await;
    assert_eq!((&created["resultType"], &created["requestState"]), (&json!("task"), &Value::Null));
    let id = created["taskId"].as_str().unwrap();
    client.until(id, |task| keys(task) == ["sure"]).await;
    client.answer(id, "sure", accept("Bob")).await;
    client.endpoint.waiting.go.add_permits(1);
    assert_eq!(client.ended(id).await["result"]["content"][0]["text"], "Ann, that is Bob");
}

#[tokio::test]
async fn a_task_that_panics_has_failed_and_tells_nothing() {
    let client = Client::connect(TaskConfig::default()).await;
    let id = client.begin("panic").await;
    let task = client.ended(&id).await;
    assert_eq!((&task["status"], &task["result"]), (&json!("failed"), &Value::Null));
    assert_eq!(task["error"]["code"], -32603);
    assert!(!task.to_string().contains("inner text"));
}

#[tokio::test]
async fn an_expired_task_is_stopped_and_unknown() {
    let config = TaskConfig { ttl: Duration::from_millis(300), ..TaskConfig::default() };
    let client = Client::connect(config).await;
    let id = client.begin("work").await;
    assert_eq!(client.get(&id).await["result"]["status"], "working");
    taken(&client.endpoint.waiting.dropped).await;
    client.until(&id, |error| error["code"] == -32602).await;
}

#[tokio::test]
async fn one_caller_has_so_many_tasks_and_those_that_ended_make_room() {
    let client = Client::connect(TaskConfig { per_principal: 2, ..TaskConfig::default() }).await;
    let (one, two) = (client.begin("work").await, client.begin("work").await);
    let call = async |who: &str, tool: &str| {
        client.send(who, "tools/call", json!({ "name": tool })).await.json()["result"].clone()
    };
    assert_eq!(call("ann", "must").await["isError"], true, "both run");
    assert_eq!(call("bob", "must").await["resultType"], "task");
    client.send("ann", "tasks/cancel", json!({ "taskId": one })).await;
    let three = client.begin("must").await;
    assert_eq!(client.get(&one).await["error"]["code"], -32602, "it made room");
    for id in [two, three] {
        assert_eq!(client.get(&id).await["result"]["status"], "working");
    }
}

#[tokio::test]
async fn a_tool_that_may_do_without_a_task_does_when_there_are_too_many() {
    let client = Client::connect(TaskConfig { per_principal: 1, ..TaskConfig::default() }).await;
    client.begin("must").await;
    taken(&client.endpoint.waiting.begun).await;
    let call = async |params: Value| client.send("ann", "tools/call", params).await.json()["result"].clone();
    // It runs to its end while there is no room for a task.
    let runs = async |params: Value| {
        let (result, ()) = tokio::join!(call(params), async {
            taken(&client.endpoint.waiting.begun).await;
            client.endpoint.waiting.go.add_permits(2);
        });
        result
    };
    // What asks does so in rounds.
    let first = call(json!({ "name": "late" })).await;
    let answered = |state: &Value, key: &str, name: &str| json!({ "name": "late", "inputResponses": { key: accept(name) }, "requestState": state });
    let second = call(answered(&first["requestState"], "who", "Ann")).await;
    assert_eq!(second["resultType"], "input_required", "{second}");
    let last = runs(answered(&second["requestState"], "sure", "Bob")).await;
    assert_eq!(last["content"][0]["text"], "Ann, that is Bob", "{last}");

    let client = Client::connect(TaskConfig { per_principal: 1, ..TaskConfig::default() }).await;
    client.begin("must").await;
    taken(&client.endpoint.waiting.begun).await;
    let (work, ()) = tokio::join!(client.send("ann", "tools/call", json!({ "name": "work" })), async {
        taken(&client.endpoint.waiting.begun).await;
        client.endpoint.waiting.go.add_permits(2);
    });
    assert_eq!(work.json()["result"]["content"][0]["text"], "done");
}

#[tokio::test]
async fn a_question_that_a_task_gives_up_is_asked_no_more() {
    let client = Client::connect(TaskConfig::default()).await;
    let id = client.begin("impatient").await;
    taken(&client.endpoint.waiting.begun).await;
    let task = client.until(&id, |task| task["status"] == "working").await;
    assert!(keys(&task).is_empty());
    client.endpoint.waiting.go.add_permits(1);
    assert_eq!(client.ended(&id).await["result"]["content"][0]["text"], "without an answer");
}

#[tokio::test]
async fn the_name_header_names_the_task() {
    let client = Client::connect(TaskConfig::default()).await;
    let id = client.begin("work").await;
    let meta = format!(
        r#""taskId":"{id}","_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{KNOWS}}}"#
    );
    let body = crate::fixture::modern_body("1", "tasks/get", &meta);
    for (name, expected) in [(Some(id.as_str()), (200, 0)), (Some("other"), (400, -32020)), (None, (400, -32020))] {
        let mut headers =
            vec![("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tasks/get"), ("Authorization", "Bearer ann")];
        headers.extend(name.map(|name| ("Mcp-Name", name)));
        let answer = client.endpoint.send("POST", &headers, body.as_bytes()).await.whole().await;
        assert_eq!(answer.error(), expected, "{name:?}");
    }
}

#[tokio::test]
async fn who_listens_hears_of_its_tasks() {
    let client = Client::connect(TaskConfig::default()).await;
    let (id, other) = (client.begin("ask").await, client.begin("work").await);
    let wish = |ids: &[&str]| json!({ "notifications": { "taskIds": ids } });
    let mut stream = client.open("ann", KNOWS, "subscriptions/listen", wish(&[&id, "made-up"])).await;
    stream.until(r#""status":"input_required""#).await;
    for (key, name) in [("one", "Ann"), ("ask-2", "Bob")] {
        client.answer(&id, key, accept(name)).await;
    }
    stream.until(r#""status":"completed""#).await;
    assert_eq!(client.get(&other).await["result"]["status"], "working");
    client.endpoint.drain.begin();
    let events = stream.whole().await.events();
    assert_eq!(events[0]["params"]["notifications"], json!({ "taskIds": [id] }), "only what is its own");
    let told: Vec<&Value> = events.iter().filter(|event| event["method"] == "notifications/tasks").collect();
    assert!(told.iter().all(|event| event["params"]["taskId"] == id.as_str()));
    assert!(told.iter().all(|event| event["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == 1));
    let last = &told.last().unwrap()["params"];
    assert_eq!((&last["result"]["content"][0]["text"], &last["resultType"]), (&json!("Ann Bob"), &Value::Null));

    // Somebody else's task is as good as none.
    let client = Client::connect(TaskConfig::default()).await;
    let id = client.begin("work").await;
    let mut stream = client.open("bob", KNOWS, "subscriptions/listen", wish(&[&id])).await;
    stream.until(r#""notifications":{}"#).await;
}
