//! The envelope, message by message.

use super::*;

fn code(text: &str) -> (Option<&str>, i32) {
    let malformed = parse(text.as_bytes()).expect_err(text);
    (malformed.id.map(Id::as_str), malformed.error.code)
}

#[test]
fn a_request_borrows_its_parts() {
    let text = r#" {"id":"a\"1","params":{"x":[1, 2]},"method":"tools\/call","jsonrpc":"2.0","more":{"id":3}} "#;
    let Ok(Message::Request { id, method, params }) = parse(text.as_bytes()) else { panic!("a request") };
    assert_eq!((id.as_str(), &*method, params.unwrap().get()), (r#""a\"1""#, "tools/call", r#"{"x":[1, 2]}"#));
}

#[test]
fn kinds_are_told_by_their_members() {
    assert!(matches!(parse(br#"{"jsonrpc":"2.0","method":"n"}"#), Ok(Message::Notification { params: None, .. })));
    assert!(matches!(
        parse(br#"{"jsonrpc":"2.0","id":1,"result":null}"#),
        Ok(Message::Response { id: Some(_), outcome: Ok(_) })
    ));
    assert!(matches!(
        parse(br#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":""}}"#),
        Ok(Message::Response { id: None, outcome: Err(_) })
    ));
    assert!(matches!(parse(b" [1, {}] "), Ok(Message::Batch(elements)) if elements.len() == 2));
}

#[test]
fn what_is_no_message_is_refused_with_the_id_when_there_is_one() {
    assert_eq!(code(""), (None, -32700));
    assert_eq!(code("{"), (None, -32700));
    assert_eq!(code(r#"{"jsonrpc":"2.0","id":7,"method":"x",}"#), (Some("7"), -32700));
    assert_eq!(code(r#"{"jsonrpc":"2.0","id":7,"method":"x"} x"#), (Some("7"), -32700));
    assert_eq!(code("5"), (None, -32600));
    assert_eq!(code("[]"), (None, -32600));
    assert_eq!(code("[1"), (None, -32700));
    assert_eq!(code(r#"{"jsonrpc":"1.0","id":7,"method":"x"}"#), (Some("7"), -32600));
    assert_eq!(code(r#"{"id":7,"method":"x"}"#), (Some("7"), -32600));
    assert_eq!(code(r#"{"jsonrpc":"2.0","method":5,"id":7}"#), (Some("7"), -32600));
    assert_eq!(code(r#"{"jsonrpc":"2.0","id":7}"#), (Some("7"), -32600));
    assert_eq!(code(r#"{"jsonrpc":"2.0","id":7,"method":"a","method":"b"}"#), (Some("7"), -32600));
    assert_eq!(code(r#"{"jsonrpc":"2.0","id":7,"method":"a","\u0069d":8}"#), (Some("8"), -32600));
    assert_eq!(code(r#"{"jsonrpc":"2.0","id":7,"method":"a","result":{}}"#), (Some("7"), -32600));
}

#[test]
fn an_id_is_a_string_or_an_integer() {
    for id in ["null", "1.5", "1e3", "true", "{}", "[1]", "-0.0"] {
        assert_eq!(code(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"x"}}"#)), (None, -32600), "{id}");
    }
    for id in ["0", "-7", "123456789012345678901234567890", r#""""#, r#""é""#] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"x"}}"#);
        assert!(matches!(parse(text.as_bytes()), Ok(Message::Request { id: read, .. }) if read.as_str() == id));
    }
}

#[test]
fn ten_thousand_levels_are_skipped_without_recursion() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let text = format!(r#"{{"jsonrpc":"2.0","x":{deep},"id":1,"method":"m","params":{{"a":{deep}}}}}"#);
    assert!(matches!(parse(text.as_bytes()), Ok(Message::Request { .. })));
    assert!(matches!(parse(deep.as_bytes()), Ok(Message::Batch(_))));
}

#[test]
fn bytes_that_are_no_utf8_are_a_parse_error() {
    let malformed = parse(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}").unwrap_err();
    assert_eq!(malformed.error.code, -32700);
}

/// Re-serialising what parsed parses to the same, for every file the fuzzer has kept.
#[test]
fn the_fuzz_corpus_never_panics_and_round_trips() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/envelope");
    let mut files = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        round_trip(&bytes);
        files += 1;
    }
    assert!(files >= 30, "the corpus has {files} files");
}

fn round_trip(bytes: &[u8]) {
    let Ok(Message::Request { id, method, params }) = parse(bytes) else { return };
    let method_json = serde_json::to_string(&method).unwrap();
    let params_json = params.map_or(String::new(), |p| format!(r#","params":{}"#, p.get()));
    let again = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":{method_json}{params_json}}}"#);
    let Ok(Message::Request { id: id2, method: method2, params: params2 }) = parse(again.as_bytes()) else {
        panic!("{again} no longer parses")
    };
    assert_eq!((id, method), (id2, method2));
    assert_eq!(params.map(RawValue::get), params2.map(RawValue::get));
}
