//! Completion, watching resources, and servers that change while they run.

use micro_mcp::{
    BuildError, Live, NoArgs, Server,
    proto::{Content, Icon, Prompt, PromptArgument, PromptMessage, Resource, ResourceContents, ResourceTemplate},
};
use serde_json::{Value, json};

use crate::{
    fixture::{Answer, Endpoint, initialize_body},
    stdio::Pipe,
};

const TEMPLATE: &str = "note://{user}/{title}";

fn server() -> Server {
    let argument = PromptArgument { name: "language".into(), ..PromptArgument::default() };
    let prompt = Prompt { name: "review".into(), arguments: vec![argument], ..Prompt::default() };
    let resource = |uri: &str| Resource { uri: uri.into(), name: uri.into(), ..Resource::default() };
    let template = ResourceTemplate { uri_template: TEMPLATE.into(), name: "note".into(), ..Default::default() };
    Server::builder("features", "1.0")
        .title("All features")
        .icon(Icon { src: "https://example.com/a.png".into(), ..Icon::default() })
        .subscriptions()
        .tool("early")
        .title("The first")
        .icon(Icon { src: "data:,x".into(), sizes: vec!["any".into()], ..Icon::default() })
        .meta("com.example/rank", 1)
        .handler(|_: NoArgs| async { "here" })
        .resource(resource("news://today"), |read| async {
            Ok(ResourceContents::text(read.uri, "text/plain", "quiet"))
        })
        .resource(resource("news://sport"), |read| async { Ok(ResourceContents::text(read.uri, "text/plain", "2:1")) })
        .resource_template(template, |read| async move {
            match &*read.variables["user"] {
                "ann" => Ok(ResourceContents::text(&*read.uri, "text/plain", "a note")),
                _ => Err(read.not_found()),
            }
        })
        .complete_template(TEMPLATE, "user", |typed| async move {
            ["ann", "anton", "bob"].into_iter().filter(move |name| name.starts_with(&typed.value))
        })
        .prompt(prompt, |_| async { Ok(vec![PromptMessage::user(Content::text("Review."))]) })
        .complete_prompt("review", "language", |typed| async move {
            let from = typed.arguments.get("from").cloned().unwrap_or_default();
            (0..150).map(move |n| format!("{from}{}{n}", typed.value))
        })
        .build()
        .expect("the fixture is in order")
}

async fn endpoint() -> (Endpoint, Live) {
    let server = server();
    let live = server.live();
    (Endpoint::of(server).await, live)
}

async fn modern(endpoint: &Endpoint, method: &str, params: &str) -> Value {
    endpoint.modern("1", method, params).await.whole().await.json()
}

async fn legacy(endpoint: &Endpoint, session: &str, method: &str, params: &str) -> Value {
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}}}}}"#);
    endpoint.send("POST", &[("Mcp-Session-Id", session)], body.as_bytes()).await.whole().await.json()
}

#[tokio::test]
async fn arguments_and_variables_are_completed() {
    let (endpoint, _) = endpoint().await;
    let complete = async |reference: &str, argument: &str, value: &str| {
        let params = format!(
            r#""ref":{reference},"argument":{{"name":"{argument}","value":"{value}"}},"context":{{"arguments":{{"from":"x"}}}}"#
        );
        modern(&endpoint, "completion/complete", &params).await
    };
    let (prompt, note) =
        (r#"{"type":"ref/prompt","name":"review"}"#, r#"{"type":"ref/resource","uri":"note://{user}/{title}"}"#);
    let users = complete(note, "user", "an").await;
    assert_eq!(users["result"]["completion"], json!({ "values": ["ann", "anton"], "total": 2, "hasMore": false }));
    let many = &complete(prompt, "language", "r").await["result"]["completion"];
    assert_eq!(
        (many["values"].as_array().unwrap().len(), &many["total"], &many["hasMore"]),
        (100, &json!(150), &json!(true))
    );
    assert_eq!(many["values"][0], "xr0", "the other arguments are known");
    assert_eq!(
        complete(note, "title", "a").await["result"]["completion"],
        json!({ "values": [] }),
        "nothing completes it"
    );
    for unknown in [r#"{"type":"ref/prompt","name":"x"}"#, r#"{"type":"ref/resource","uri":"x"}"#, r#"{"type":"x"}"#] {
        assert_eq!(complete(unknown, "a", "").await["error"]["code"], -32602, "{unknown}");
    }
    let session = endpoint.initialize("2024-11-05", &[]).await;
    let params = format!(r#""ref":{note},"argument":{{"name":"user","value":"b"}}"#);
    assert_eq!(
        legacy(&endpoint, &session, "completion/complete", &params).await["result"]["completion"]["values"],
        json!(["bob"])
    );
}

#[tokio::test]
async fn what_completes_nothing_is_found_when_the_server_is_built() {
    let none = |_| async { Vec::<String>::new() };
    for builder in [
        Server::builder("s", "1").complete_prompt("review", "language", none),
        Server::builder("s", "1").complete_template(TEMPLATE, "user", none),
        Server::builder("s", "1")
            .prompt(Prompt { name: "review".into(), ..Prompt::default() }, |_| async { Ok(Vec::new()) })
            .complete_prompt("review", "language", none),
    ] {
        assert!(matches!(builder.build(), Err(BuildError::Completion(_))));
    }
}

async fn get(endpoint: &Endpoint, session: &str) -> Answer {
    let mut stream = endpoint.send("GET", &[("Mcp-Session-Id", session)], b"").await;
    stream.until("text/event-stream").await;
    stream
}

#[tokio::test]
async fn an_old_client_hears_of_the_resources_its_session_watches() {
    let (endpoint, _) = endpoint().await;
    let (ours, theirs) = (endpoint.initialize("2025-06-18", &[]).await, endpoint.initialize("2025-06-18", &[]).await);
    let (mut stream, mut silent) = (get(&endpoint, &ours).await, get(&endpoint, &theirs).await);
    let watch = async |method: &str, uri: &str| {
        legacy(&endpoint, &ours, &format!("resources/{method}"), &format!(r#""uri":"{uri}""#)).await
    };
    for uri in ["news://today", "news://sport", "note://ann/x"] {
        assert_eq!(watch("subscribe", uri).await["result"], json!({}), "{uri}");
    }
    assert_eq!(watch("subscribe", "news://none").await["error"]["code"], -32002);
    assert_eq!(watch("unsubscribe", "news://sport").await["result"], json!({}));

    endpoint.notifier.resource_updated("news://sport");
    endpoint.notifier.resource_updated("note://ann/x");
    endpoint.notifier.resource_updated("news://today");
    stream.until("news://today").await;
    endpoint.drain.begin();
    let uris: Vec<_> = stream.whole().await.events().iter().map(|event| event["params"]["uri"].clone()).collect();
    assert_eq!(uris, ["note://ann/x", "news://today"]);
    silent.until("\r\n0\r\n").await;
    assert!(!silent.text().contains("updated"), "another session watches nothing");
}

#[tokio::test]
async fn an_old_client_on_a_pipe_hears_of_the_resources_it_watches() {
    let server = server();
    let notifier = server.notifier();
    let mut pipe = Pipe::of(server);
    pipe.ask(&initialize_body("2025-11-25", "{}")).await;
    let subscribe = r#"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"news://today"}}"#;
    assert_eq!(pipe.ask(subscribe).await["result"], json!({}));
    notifier.resource_updated("news://sport");
    notifier.resource_updated("news://today");
    assert_eq!(pipe.read().await["params"], json!({ "uri": "news://today" }));
}

#[tokio::test]
async fn a_new_client_hears_of_the_resources_it_asked_for() {
    let (endpoint, _) = endpoint().await;
    let wish = r#""notifications":{"resourceSubscriptions":["news://today","note://ann"]}"#;
    let mut stream = endpoint.modern("7", "subscriptions/listen", wish).await;
    stream.until("acknowledged").await;
    for uri in ["news://sport", "note://ann/x", "news://today"] {
        endpoint.notifier.resource_updated(uri);
    }
    stream.until("news://today\",\"_meta\"").await;
    endpoint.drain.begin();
    let events = stream.whole().await.events();
    assert_eq!(events[0]["params"]["notifications"]["resourceSubscriptions"], json!(["news://today", "note://ann"]));
    let told: Vec<_> = events[1..3].iter().map(|event| event["params"]["uri"].clone()).collect();
    assert_eq!(told, ["note://ann/x", "news://today"], "what is below a watched resource counts");
    assert!(events[1..3].iter().all(|e| e["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == 7));
}

#[tokio::test]
async fn a_resource_that_is_not_there_has_the_code_of_its_revision() {
    let (endpoint, _) = endpoint().await;
    let session = endpoint.initialize("2025-11-25", &[]).await;
    for uri in ["news://none", "note://eve/x"] {
        let params = format!(r#""uri":"{uri}""#);
        let old = legacy(&endpoint, &session, "resources/read", &params).await;
        assert_eq!((&old["error"]["code"], &old["error"]["data"]["uri"]), (&json!(-32002), &json!(uri)));
        let new = modern(&endpoint, "resources/read", &params).await;
        assert_eq!((&new["error"]["code"], &new["error"]["data"]["uri"]), (&json!(-32602), &json!(uri)));
    }
}

#[tokio::test]
async fn pictures_and_metadata_are_shown() {
    let (endpoint, _) = endpoint().await;
    let tool = modern(&endpoint, "tools/list", "").await["result"]["tools"][0].clone();
    assert_eq!(tool["title"], "The first");
    assert_eq!(tool["icons"], json!([{ "src": "data:,x", "sizes": ["any"] }]));
    assert_eq!(tool["_meta"], json!({ "com.example/rank": 1 }));
    let info =
        modern(&endpoint, "server/discover", "").await["result"]["_meta"]["io.modelcontextprotocol/serverInfo"].clone();
    assert_eq!(
        (&info["title"], &info["icons"][0]["src"]),
        (&json!("All features"), &json!("https://example.com/a.png"))
    );
}

async fn names(endpoint: &Endpoint) -> Vec<String> {
    let list = modern(endpoint, "tools/list", "").await;
    list["result"]["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_server_changes_while_it_runs_and_tells() {
    let (endpoint, live) = endpoint().await;
    let wish = r#""notifications":{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true}"#;
    let mut stream = endpoint.modern("1", "subscriptions/listen", wish).await;
    stream.until("acknowledged").await;

    live.update(|server| server.tool("late").handler(|_: NoArgs| async { "at last" })).unwrap();
    stream.until("notifications/tools/list_changed").await;
    assert_eq!(names(&endpoint).await, ["early", "late"]);
    let called = modern(&endpoint, "tools/call", r#""name":"late","arguments":{}"#).await;
    assert_eq!(called["result"]["content"][0]["text"], "at last");
    assert!(!stream.text().contains("prompts/list_changed"), "only what changed is told");

    live.update(|server| server.remove_prompt("review").remove_resource_template(TEMPLATE)).unwrap();
    stream.until("notifications/prompts/list_changed").await;
    stream.until("notifications/resources/list_changed").await;
    let capabilities = modern(&endpoint, "server/discover", "").await["result"]["capabilities"].clone();
    assert_eq!(capabilities.as_object().unwrap().keys().collect::<Vec<_>>(), ["tools", "resources"]);

    live.update(|server| server.remove_tool("late").remove_tool("never there")).unwrap();
    assert_eq!(names(&endpoint).await, ["early"]);
}

#[tokio::test]
async fn a_change_that_cannot_be_is_refused_as_a_whole() {
    let (endpoint, live) = endpoint().await;
    let twice = live.update(|server| {
        server.tool("new").handler(|_: NoArgs| async { "" }).tool("early").handler(|_: NoArgs| async { "" })
    });
    assert!(matches!(twice, Err(BuildError::Twice(name)) if name == "early"));
    assert_eq!(names(&endpoint).await, ["early"]);
}

#[tokio::test]
async fn what_outlives_its_server_does_no_harm() {
    let server = server();
    let (live, notifier) = (server.live(), server.notifier());
    drop(server);
    notifier.resource_updated("news://today");
    live.update(|_| unreachable!("there is nothing to change")).unwrap();
}

#[test]
fn an_update_within_an_update_is_refused_and_not_waited_for() {
    let server = server();
    let live = server.live();
    let tool = |server: micro_mcp::Builder, name: &str| server.tool(name).handler(|_: NoArgs| async { "here" });
    let within = live.update(|server| {
        assert!(matches!(live.update(|server| tool(server, "inner")), Err(BuildError::UpdateWithinUpdate)));
        tool(server, "outer")
    });
    assert!(within.is_ok());
    // Neither that nor a closure that panics keeps the next one out.
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| live.update(|_| panic!("within"))));
    assert!(panicked.is_err());
    assert!(matches!(live.update(|server| tool(server, "outer")), Err(BuildError::Twice(name)) if name == "outer"));
    live.update(|server| tool(server, "inner")).unwrap();
}
