//! Mirrored headers: any text survives a header, and no header, schema or argument makes the checks panic.
#![no_main]

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use micro_mcp_proto::{Params, headers};
use serde_json::value::RawValue;

fuzz_target!(|input: (&str, &str, &str, &[u8])| {
    let (text, schema, arguments, value) = input;
    let written = headers::encode(text);
    let header = HeaderValue::from_str(&written).expect("what was encoded is a header value");
    assert_eq!(headers::decode(header.to_str().unwrap()).unwrap(), text);

    let mut map = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(value) {
        map.append(&headers::NAME, value.clone());
        map.append(&headers::METHOD, value.clone());
        map.append(&headers::PROTOCOL_VERSION, value.clone());
        map.append("mcp-param-region", value);
    }
    let _ = headers::check_version(&map, text);
    let _ = headers::check_method(&map, text);
    let arguments: Option<&RawValue> = serde_json::from_str(arguments).ok();
    if let Ok(params) = Params::parse(arguments) {
        let _ = headers::check_name(&map, "tools/call", &params);
        let _ = headers::check_name(&map, "resources/read", &params);
    }
    let Ok(schema) = serde_json::from_str::<&RawValue>(schema) else { return };
    if let Ok(specs) = headers::collect(schema) {
        let _ = headers::check_params(&specs, &map, arguments);
    }
});
