//! Headers against bodies, case by case.

use serde_json::value::RawValue;

use super::*;
use crate::code;

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    map
}

fn raw(text: &str) -> &RawValue {
    serde_json::from_str(text).unwrap()
}

#[test]
fn values_that_would_not_survive_are_base64() {
    for (text, header) in [
        ("us-west1", "us-west1"),
        ("a b", "a b"),
        ("", ""),
        ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
        (" padded ", "=?base64?IHBhZGRlZCA=?="),
        ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
        ("line\nbreak", "=?base64?bGluZQpicmVhaw==?="),
    ] {
        assert_eq!(encode(text), header);
        assert_eq!(decode(header).unwrap(), text);
    }
    for literal in ["SGVsbG8=", "=?base64?SGVsbG8=", "=?BASE64?SGVsbG8=?="] {
        assert_eq!(decode(literal).unwrap(), literal);
    }
    for bad in ["=?base64?SGVsbG8?=", "=?base64?SGVs!!!bG8=?=", "=?base64?/w==?="] {
        assert_eq!(decode(bad).unwrap_err().code, code::HEADER_MISMATCH, "{bad}");
    }
}

#[test]
fn headers_must_say_what_the_body_says() {
    let params = Params::parse(Some(raw(r#"{"name":"a b","uri":"x:é"}"#))).unwrap();
    let right = headers(&[("mcp-method", " tools/call "), ("Mcp-Name", "a b"), ("mcp-protocol-version", "2026-07-28")]);
    assert!(check_method(&right, "tools/call").is_ok());
    assert!(check_method(&right, "TOOLS/CALL").is_err());
    assert!(check_name(&right, "tools/call", &params).is_ok());
    assert!(check_name(&right, "resources/read", &params).is_err());
    assert!(check_name(&headers(&[("mcp-name", "=?base64?eDrDqQ==?=")]), "resources/read", &params).is_ok());
    assert!(check_name(&headers(&[]), "tools/list", &params).is_ok());
    assert!(check_version(&right, "2026-07-28").is_ok());
    assert!(check_version(&right, "2025-11-25").is_err());
    assert!(check_version(&headers(&[]), "2026-07-28").is_err());
    let twice = headers(&[("mcp-method", "tools/call"), ("mcp-method", "tools/list")]);
    assert!(check_method(&twice, "tools/call").is_err());
}

#[test]
fn mirrored_arguments_are_compared_by_value() {
    let schema = raw(r#"{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},
            "deep":{"type":"object","properties":{"n":{"type":"integer","x-mcp-header":"N"}}},
            "dry":{"type":"boolean","x-mcp-header":"Dry"}}}"#);
    let specs = collect(schema).unwrap();
    assert_eq!(specs.len(), 3);
    let check = |pairs: &[(&str, &str)], arguments: &str| check_params(&specs, &headers(pairs), Some(raw(arguments)));
    let all = [("mcp-param-region", "eu"), ("Mcp-Param-N", "42"), ("mcp-param-dry", "true")];
    assert!(check(&all, r#"{"region":"eu","deep":{"n":42.0},"dry":true}"#).is_ok());
    assert!(check(&all, r#"{"region":"us","deep":{"n":42},"dry":true}"#).is_err());
    assert!(check(&all, r#"{"region":"eu","deep":{"n":43},"dry":true}"#).is_err());
    assert!(check(&all, r#"{"region":"eu","deep":{"n":42},"dry":false}"#).is_err());
    assert!(check(&[], r#"{"region":null}"#).is_ok(), "null has no header");
    assert!(check(&[], r#"{"region":"eu"}"#).is_err(), "a value must have one");
    assert!(check_params(&specs, &headers(&[]), None).is_ok());
}

#[test]
fn what_a_client_mirrors_is_what_a_server_checks() {
    let schema = raw(r#"{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},
            "n":{"type":"integer","x-mcp-header":"N"},"dry":{"type":"boolean","x-mcp-header":"Dry"}}}"#);
    let specs = collect(schema).unwrap();
    let arguments = raw(r#"{"region":" 世界","n":42.0,"dry":false}"#);
    let sent = mirror(&specs, Some(arguments));
    let shown: Vec<_> = sent.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    assert_eq!(shown, ["mcp-param-region: =?base64?IOS4lueVjA==?=", "mcp-param-n: 42", "mcp-param-dry: false"]);
    assert!(check_params(&specs, &sent.into_iter().collect(), Some(arguments)).is_ok());
    assert!(mirror(&specs, Some(raw(r#"{"region":null,"n":[]}"#))).is_empty());
    assert!(mirror(&specs, None).is_empty());
}

#[test]
fn annotations_that_clients_would_drop_the_tool_for_are_found() {
    let property = |schema: &str| format!(r#"{{"type":"object","properties":{{"a":{schema}}}}}"#);
    for bad in [
        property(r#"{"type":"string","x-mcp-header":""}"#),
        property(r#"{"type":"string","x-mcp-header":5}"#),
        property(r#"{"type":"string","x-mcp-header":"a b"}"#),
        property(r#"{"type":"string","x-mcp-header":"é"}"#),
        property(r#"{"type":"number","x-mcp-header":"A"}"#),
        property(r#"{"type":"object","x-mcp-header":"A"}"#),
        property(r#"{"type":"array","items":{"type":"string","x-mcp-header":"A"}}"#),
        property(r#"{"anyOf":[{"type":"string","x-mcp-header":"A"}]}"#),
        r#"{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}}"#.to_owned(),
        r#"{"type":"string","x-mcp-header":"A"}"#.to_owned(),
        r#"{"$defs":{"a":{"type":"string","x-mcp-header":"A"}}}"#.to_owned(),
    ] {
        assert!(collect(raw(&bad)).is_err(), "{bad}");
    }
    let value = property(r#"{"type":"object","default":{"x-mcp-header":""}}"#);
    assert_eq!(collect(raw(&value)), Ok(vec![]));
}
