//! What a gateway passes on keeps what the gateway does not know.

use micro_mcp_proto::{Id, Message, RawObject, Revision, parse, write};
use proptest::prelude::*;
use serde_json::{Map, Value, value::RawValue};

use crate::make;

/// An object with a member that everybody knows somewhere among members nobody knows.
fn with_name() -> impl Strategy<Value = Map<String, Value>> {
    (make::object(), any::<prop::sample::Index>()).prop_map(|(unknown, at)| {
        let mut members: Vec<_> = unknown.into_iter().filter(|(key, _)| key != "name").collect();
        members.insert(at.index(members.len() + 1), ("name".to_owned(), Value::from("old")));
        members.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_renamed_tool_keeps_all_else_in_place(members in with_name(), spaces in " {0,2}") {
        // Spaces and numbers as peers write them, not as we would.
        let text = serde_json::to_string(&members).unwrap().replace(':', &format!(":{spaces}"));
        let Ok(mut object) = serde_json::from_str::<RawObject<'_>>(&text) else {
            return Err(TestCaseError::reject("a colon inside a key made two keys one"));
        };
        object.set("name", "new").unwrap();
        let expected = text.replacen(&format!("\"name\":{spaces}\"old\""), "\"name\":\"new\"", 1);
        let squeezed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let written = serde_json::to_string(&object).unwrap();
        prop_assert_eq!(squeezed(&written), squeezed(&expected));
        for (key, value) in object.iter().filter(|(key, _)| *key != "name") {
            prop_assert!(text.contains(value.get()), "{key} was written anew");
        }
    }

    #[test]
    fn params_go_from_envelope_to_envelope_as_they_were_written(
        members in make::object(),
        meta in make::request_meta(Revision::LATEST),
        id in any::<i64>(),
    ) {
        let mut params = members;
        params.insert("_meta".to_owned(), serde_json::to_value(meta).unwrap());
        let params = serde_json::to_string_pretty(&params).unwrap();
        let incoming = format!(r#" {{ "params" : {params} , "method":"tools/call","id":{id},"jsonrpc":"2.0","x-new":1}}"#);
        let Ok(Message::Request { params: Some(read), method, .. }) = parse(incoming.as_bytes()) else {
            return Err(TestCaseError::fail("no request"));
        };
        let outgoing = write::request("up-1", &method, read.get().as_bytes());
        let Ok(Message::Request { params: Some(arrived), .. }) = parse(&outgoing) else {
            return Err(TestCaseError::fail("no request"));
        };
        prop_assert_eq!(arrived.get(), params);
    }

    #[test]
    fn results_come_back_as_they_were_written(result in make::object(), id in "\\PC{0,8}") {
        let result = serde_json::to_string_pretty(&result).unwrap();
        let id = RawValue::from_string(serde_json::to_string(&id).unwrap()).unwrap();
        let answer = write::response(Id::new(&id).unwrap(), result.as_bytes());
        let Ok(Message::Response { outcome: Ok(read), id: Some(echo) }) = parse(&answer) else {
            return Err(TestCaseError::fail("no response"));
        };
        prop_assert_eq!((read.get(), echo.as_str()), (result.as_str(), id.get()));
    }
}
