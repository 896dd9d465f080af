//! Asking over a pipe, in both eras.

use serde_json::json;

use super::{ABLE, server};
use crate::{
    fixture::{initialize_body, modern_body_able},
    stdio::Pipe,
};

#[tokio::test]
async fn an_old_client_answers_on_the_pipe() {
    let mut pipe = Pipe::of(server(|server| server).0);
    pipe.ask(&initialize_body("2025-11-25", ABLE)).await;
    pipe.write(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"greet"}}"#).await;
    let asked = pipe.read().await;
    assert_eq!(asked["method"], "elicitation/create");
    let answer =
        json!({ "jsonrpc": "2.0", "id": asked["id"], "result": { "action": "accept", "content": { "name": "Ann" } } });
    let result = pipe.ask(&answer.to_string()).await;
    assert_eq!((&result["id"], &result["result"]["content"][0]["text"]), (&json!(1), &json!("Hello, Ann!")));
}

#[tokio::test]
async fn a_new_client_is_sent_no_request_on_the_pipe() {
    let mut pipe = Pipe::of(server(|server| server).0);
    // It has initialized too: that changes nothing for requests that say they are modern.
    pipe.ask(&initialize_body("2025-11-25", ABLE)).await;
    let first = pipe.ask(&modern_body_able("1", "tools/call", r#""name":"greet","arguments":{}"#, ABLE)).await;
    assert_eq!((&first["id"], &first["result"]["resultType"]), (&json!(1), &json!("input_required")));
    let answers = r#""inputResponses":{"who":{"action":"accept","content":{"name":"Ann"}}}"#;
    let params =
        format!(r#""name":"greet","arguments":{{}},{answers},"requestState":{}"#, first["result"]["requestState"]);
    let second = pipe.ask(&modern_body_able("2", "tools/call", &params, ABLE)).await;
    assert_eq!(second["result"]["content"][0]["text"], "Hello, Ann!");
}

#[tokio::test]
async fn a_question_ends_with_the_input_that_its_answer_would_come_by() {
    let mut pipe = Pipe::of(server(|server| server).0);
    pipe.ask(&initialize_body("2025-11-25", ABLE)).await;
    let asked = pipe.ask(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"greet"}}"#).await;
    assert_eq!(asked["method"], "elicitation/create");
    let rest = pipe.close().await;
    assert_eq!(rest.last().unwrap()["result"]["content"][0]["text"], "the client cannot be asked now");
}
