//! The envelope parser never panics, and what it parses, written again, parses to the same.
//!
//! `cargo xtask fuzz envelope`; the corpus is also a plain test.
#![no_main]

use libfuzzer_sys::fuzz_target;
use micro_mcp_proto::{Message, Params, ToolCall, is_json, parse};

fuzz_target!(|bytes: &[u8]| {
    if is_json(bytes) {
        serde_json::from_slice::<&serde_json::value::RawValue>(bytes).expect("only we take it for JSON");
    }
    // The short way takes nothing that the long way does not, and reads it the same.
    if let Some(call) = ToolCall::parse(bytes) {
        let Ok(Message::Request { id, method, params }) = parse(bytes) else { panic!("only the short way takes it") };
        assert_eq!((call.id, "tools/call"), (id, &*method));
        assert_eq!(format!("{:?}", call.params), format!("{:?}", Params::parse(params).unwrap()));
    }
    let Ok(Message::Request { id, method, params }) = parse(bytes) else { return };
    let _ = Params::parse(params);
    let params_json = params.map_or(String::new(), |p| format!(r#","params":{}"#, p.get()));
    let method_json = serde_json::to_string(&method).unwrap();
    let again = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":{method_json}{params_json}}}"#);
    let Ok(Message::Request { id: id2, method: method2, params: params2 }) = parse(again.as_bytes()) else {
        panic!("{again} no longer parses")
    };
    assert_eq!((id, method), (id2, method2));
    assert_eq!(params.map(|p| p.get()), params2.map(|p| p.get()));
});
