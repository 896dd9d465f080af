//! `#[tools]`: a type's methods, called as clients call them.

use micro_mcp::{
    self as mcp, BuildError, CallContext, CallError, CallParams, Cx, Handler, Peer, Principal, Request, Server,
    Transport,
    proto::{Params, PromptMessage, Revision},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

struct Notes {
    all: parking_lot::Mutex<Vec<String>>,
}

#[derive(Deserialize, JsonSchema)]
struct Search {
    /// What to look for.
    words: String,
}

#[derive(Serialize, JsonSchema)]
struct Found {
    notes: Vec<String>,
}

#[mcp::tools]
impl Notes {
    /// Write a note.
    ///
    /// @param text What it says.
    /// @example {"text": "milk"}
    #[tool(idempotent, destructive = false, title = "Write", icons = ["https://example.com/pen.png"])]
    async fn write(&self, text: String, copies: Option<u8>) {
        let copies = copies.unwrap_or(1).into();
        self.all.lock().extend(std::iter::repeat_n(text, copies));
    }

    /// Find notes.
    #[tool(read_only)]
    fn find(&self, request: Search) -> Result<Found, CallError> {
        if request.words.is_empty() {
            return Err("look for what?".into());
        }
        let notes = self.all.lock().iter().filter(|note| note.contains(&request.words)).cloned().collect();
        Ok(Found { notes })
    }

    /// Count them.
    #[tool(name = "how_many")]
    async fn count(&self, cx: CallContext) -> String {
        format!("{} in {}", self.all.lock().len(), cx.revision)
    }

    /// Sum them up.
    #[prompt]
    fn summary(&self, tone: String, length: Option<String>) -> Vec<PromptMessage> {
        let length = length.map(|length| format!(" in {length}")).unwrap_or_default();
        vec![PromptMessage::user(mcp::proto::Content::text(format!("Sum up, {tone}{length}.")))]
    }

    /// All of them.
    #[resource("notes://all", mime_type = "text/plain")]
    fn all(&self) -> String {
        self.all.lock().join("\n")
    }

    /// One of them.
    #[resource("notes://{number}")]
    fn one(&self, number: String) -> Result<Vec<u8>, CallError> {
        let note = number.parse().ok().and_then(|number: usize| self.all.lock().get(number).cloned());
        Ok(note.ok_or("there is no such note")?.into_bytes())
    }
}

fn notes() -> Notes {
    Notes { all: parking_lot::Mutex::default() }
}

/// The result, or the code of the error.
async fn ask(method: &str, params: Value) -> Result<Value, i32> {
    let server = Server::builder("notes", "1").tools(notes()).build().unwrap();
    ask_of(&server, method, &params).await
}

/// Asks a handler as its own transport would, in the newest revision.
pub(crate) async fn ask_of(server: &dyn Handler, method: &str, params: &Value) -> Result<Value, i32> {
    let raw = serde_json::value::to_raw_value(params).unwrap();
    let read = Params::parse(Some(&raw)).unwrap();
    let request = match method {
        "tools/list" => Request::ListTools { cursor: None },
        "tools/call" => Request::CallTool(CallParams {
            name: Params::string(read.name, "name").unwrap(),
            arguments: read.arguments,
            input_responses: None,
            request_state: None,
        }),
        _ => Request::Other { method: method.into(), params: Some(&raw) },
    };
    let (nobody, peer) = (Principal::anonymous(), Peer::of(Transport::Stdio));
    let answer =
        Cx::detached(Revision::LATEST, &nobody, &read.meta, peer, async |cx| server.handle(cx, &request).await).await;
    answer.map(|bytes| serde_json::from_slice(&bytes).unwrap()).map_err(|failure| failure.error().code)
}

#[tokio::test]
async fn methods_are_shown_as_their_comments_and_types_say() {
    let list = ask("tools/list", json!({})).await.unwrap();
    let tools: Vec<&Value> = list["tools"].as_array().unwrap().iter().collect();
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["write", "find", "how_many"]);
    let write = tools[0];
    assert_eq!((&write["title"], &write["description"]), (&json!("Write"), &json!("Write a note.")));
    assert_eq!(write["annotations"], json!({ "idempotentHint": true, "destructiveHint": false }));
    assert_eq!(write["icons"], json!([{ "src": "https://example.com/pen.png" }]));
    assert_eq!(write["inputSchema"]["examples"], json!([{ "text": "milk" }]));
    assert_eq!(write["inputSchema"]["required"], json!(["text"]));
    assert_eq!(write["inputSchema"]["properties"]["text"]["description"], "What it says.");
    assert_eq!(tools[1]["outputSchema"]["required"], json!(["notes"]));
    assert_eq!(tools[2]["outputSchema"], Value::Null, "texts are no structured content");

    let list = ask("prompts/list", json!({})).await.unwrap();
    assert_eq!(
        list["prompts"],
        json!([{ "name": "summary", "description": "Sum them up.", "arguments": [{ "name": "tone", "required": true }, { "name": "length" }] }])
    );
    let list = ask("resources/list", json!({})).await.unwrap();
    assert_eq!(
        list["resources"],
        json!([{ "uri": "notes://all", "name": "all", "description": "All of them.", "mimeType": "text/plain" }])
    );
    let list = ask("resources/templates/list", json!({})).await.unwrap();
    assert_eq!(list["resourceTemplates"][0]["uriTemplate"], "notes://{number}");
}

#[tokio::test]
async fn calls_reach_the_methods_and_answers_come_back() {
    let server = Server::builder("notes", "1").tools(notes()).build().unwrap();
    let call = async |name: &str, arguments: Value| {
        ask_of(&server, "tools/call", &json!({ "name": name, "arguments": arguments })).await
    };
    assert_eq!(call("write", json!({ "text": "milk", "copies": 2 })).await.unwrap()["content"], json!([]));
    let found = call("find", json!({ "words": "mi" })).await.unwrap();
    assert_eq!(found["structuredContent"], json!({ "notes": ["milk", "milk"] }));
    let failed = call("find", json!({ "words": "" })).await.unwrap();
    assert_eq!((&failed["isError"], &failed["content"][0]["text"]), (&json!(true), &json!("look for what?")));
    let wrong = call("write", json!({ "txt": "milk" })).await.unwrap();
    assert_eq!(wrong["isError"], true, "the schema is checked");
    assert_eq!(call("how_many", json!({})).await.unwrap()["content"][0]["text"], "2 in 2026-07-28");

    let prompt = json!({ "name": "summary", "arguments": { "tone": "kindly", "length": "ten words" } });
    let prompt = ask_of(&server, "prompts/get", &prompt).await.unwrap();
    assert_eq!(prompt["messages"][0]["content"]["text"], "Sum up, kindly in ten words.");
    let all = ask_of(&server, "resources/read", &json!({ "uri": "notes://all" })).await.unwrap();
    assert_eq!(all["contents"], json!([{ "uri": "notes://all", "mimeType": "text/plain", "text": "milk\nmilk" }]));
    let one = ask_of(&server, "resources/read", &json!({ "uri": "notes://1" })).await.unwrap();
    assert_eq!(one["contents"], json!([{ "uri": "notes://1", "blob": "bWlsaw==" }]));
    assert_eq!(ask_of(&server, "resources/read", &json!({ "uri": "notes://7" })).await, Err(-32603));
}

#[test]
fn an_example_that_does_not_fit_is_an_error_of_the_server() {
    struct Wrong;

    #[mcp::tools]
    impl Wrong {
        /// Doubles.
        ///
        /// @example {"n": "two"}
        #[tool]
        fn double(&self, n: i64) -> String {
            (n * 2).to_string()
        }
    }

    let built = Server::builder("wrong", "1").tools(Wrong).build();
    assert!(matches!(built.err(), Some(BuildError::Example { tool, .. }) if tool == "double"));
}

#[test]
fn mistakes_are_errors_on_the_tokens_that_made_them() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}

#[tokio::test]
async fn a_method_may_be_a_task_or_answer_with_a_list() {
    struct Jobs;

    #[derive(Serialize, JsonSchema)]
    struct Job {
        name: String,
    }

    #[mcp::tools]
    impl Jobs {
        /// Print a book.
        #[tool(task = optional)]
        async fn print(&self) -> String {
            "printed".to_owned()
        }

        /// Bind a book.
        #[tool(task = required)]
        async fn bind(&self) -> String {
            "bound".to_owned()
        }

        /// What there is to do.
        #[tool]
        fn jobs(&self) -> Vec<Job> {
            vec![Job { name: "print".to_owned() }]
        }

        /// What there is to see.
        #[tool]
        fn look(&self) -> Vec<mcp::proto::Content> {
            vec![mcp::proto::Content::text("a press")]
        }
    }

    let server = Server::builder("press", "1").tools(Jobs).build().unwrap();
    let call = async |name: &str| ask_of(&server, "tools/call", &json!({ "name": name })).await;
    assert_eq!(call("print").await.unwrap()["content"][0]["text"], "printed", "whoever knows no tasks waits");
    assert_eq!(call("bind").await, Err(-32021));
    assert_eq!(call("jobs").await.unwrap()["structuredContent"], json!([{ "name": "print" }]));
    assert_eq!(call("look").await.unwrap()["content"][0]["text"], "a press");
}
