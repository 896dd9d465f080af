//! What a service takes for a gateway's word, and what not.

use super::*;
use crate::{Digest, Identity, Intent};

const NOW: u64 = 1_800_000_000;

fn alice() -> Assertion {
    let intent = Intent { id: "i-7".into(), message: Digest::of("hi"), tools: None, calls: 1, parents: Vec::new() };
    Assertion::of(&Caller::Account(Arc::new(Identity {
        scopes: Some(["orders:write", "*", "a b"].into_iter().collect()),
        tenant: Some("acme".into()),
        intent: Some(intent),
        ..Identity::named("alice", "token/1")
    })))
}

/// Signs any payload under any first part.
fn forge(key: &Signer, first: &str, payload: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(first), URL_SAFE_NO_PAD.encode(payload));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

const FIRST: &str = r#"{"alg":"EdDSA","typ":"micro-assertion+jwt"}"#;

#[test]
fn a_service_is_told_who_calls_and_no_scope_means_everything_by_accident() {
    let (key, _) = Signer::generate();
    let trust = Trust::new(vec![Signer::generate().0.public(), key.public()]);
    let asserter = Asserter::new(key);
    for (assertion, headers) in [
        (alice(), "mcp-account-id=alice mcp-tenant=acme mcp-scopes=orders:write mcp-intent-id=i-7"),
        (Assertion::of(&Caller::Trusted), "mcp-scopes=*"),
        (Assertion::of(&Caller::Account(Arc::new(Identity::named("bob", "token/2")))), "mcp-account-id=bob"),
    ] {
        let text = asserter.sign(&assertion, "orders", NOW);
        for _ in 0..2 {
            assert_eq!(*trust.verify(&text, "orders", NOW).unwrap(), assertion);
        }
        let mut metadata: Metadata =
            [("mcp-account-id", "mallory"), ("mcp-scopes", "*"), ("MCP-Tenant", "x")].into_iter().collect();
        trust.apply(&mut metadata, Some(&text), "orders", NOW).unwrap();
        let said: Vec<String> = metadata.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(said.join(" "), headers);
    }
}

#[test]
fn what_no_gateway_signed_for_this_service_and_this_minute_is_refused() {
    let (key, _) = Signer::generate();
    let (other, _) = Signer::generate();
    let payload = |aud: &str, exp: u64| format!(r#"{{"aud":"{aud}","exp":{exp},"sub":"alice","scope":"*"}}"#);
    let good = payload("orders", NOW + 60);
    let unsigned = format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode(&good));
    let signed = forge(&key, FIRST, &good);
    let (head, signature) = signed.rsplit_once('.').unwrap();
    let swapped = format!("{HEADER}.{}.{signature}", URL_SAFE_NO_PAD.encode(good.replace("alice", "admin")));
    for (what, text, expected) in [
        ("good", signed.clone(), Ok(())),
        ("the last moment", forge(&key, FIRST, &payload("orders", NOW - 4)), Ok(())),
        ("expired", forge(&key, FIRST, &payload("orders", NOW - 5)), Err(Unasserted::Expired)),
        ("for years", forge(&key, FIRST, &payload("orders", NOW + 66)), Err(Unasserted::TooLong)),
        ("the end of time", forge(&key, FIRST, &payload("orders", u64::MAX)), Err(Unasserted::TooLong)),
        ("another service", forge(&key, FIRST, &payload("users", NOW + 60)), Err(Unasserted::Audience)),
        ("another key", forge(&other, FIRST, &good), Err(Unasserted::Forged)),
        ("other words", swapped, Err(Unasserted::Forged)),
        ("no algorithm", unsigned, Err(Unasserted::Malformed)),
        ("another algorithm", forge(&key, r#"{"alg":"HS256"}"#, &good), Err(Unasserted::Malformed)),
        ("no signature", format!("{head}."), Err(Unasserted::Forged)),
        ("two parts", head.to_owned(), Err(Unasserted::Malformed)),
        ("nothing", String::new(), Err(Unasserted::Malformed)),
        ("not JSON", forge(&key, FIRST, "x"), Err(Unasserted::Malformed)),
        ("no audience", forge(&key, FIRST, r#"{"exp":1}"#), Err(Unasserted::Malformed)),
        ("no base64", format!("{HEADER}.%%%.{signature}"), Err(Unasserted::Malformed)),
        ("too long", format!("{HEADER}.{}.{signature}", "A".repeat(MAX_LEN)), Err(Unasserted::Malformed)),
    ] {
        let trust = Trust::new(vec![key.public()]);
        for round in 0..2 {
            let said = trust.verify(&text, "orders", NOW).map(|_| ());
            assert_eq!(said, expected, "{what}, time {round}");
        }
    }
}

#[test]
fn what_was_good_a_moment_ago_is_not_good_elsewhere_nor_for_ever() {
    let (key, _) = Signer::generate();
    let trust = Trust::new(vec![key.public()]);
    let asserter = Asserter::new(key);
    let text = asserter.sign(&alice(), "orders", NOW);
    for (service, now, expected) in [
        ("orders", NOW, Ok(())),
        ("users", NOW, Err(Unasserted::Audience)),
        ("orders", NOW + 64, Ok(())),
        ("orders", NOW + 65, Err(Unasserted::Expired)),
    ] {
        assert_eq!(trust.verify(&text, service, now).map(|_| ()), expected, "{service} {now}");
    }
    assert_eq!(asserter.sign(&alice(), "orders", NOW + 29), text, "sent again");
    assert_ne!(asserter.sign(&alice(), "orders", NOW + 30), text, "signed anew");
    assert_ne!(asserter.sign(&alice(), "users", NOW), text);
}

#[test]
fn without_an_assertion_nobody_is_named() {
    let trust = Trust::new(vec![Signer::generate().0.public()]);
    let mut metadata: Metadata =
        [("mcp-account-id", "admin"), ("mcp-scopes", "*"), ("mcp-trace-id", "t")].into_iter().collect();
    trust.apply(&mut metadata, None, "orders", NOW).unwrap();
    assert_eq!(metadata.iter().collect::<Vec<_>>(), [("mcp-trace-id", "t")]);
    let mut forged: Metadata = [("mcp-account-id", "admin")].into_iter().collect();
    assert_eq!(trust.apply(&mut forged, Some("x.y.z"), "orders", NOW), Err(Unasserted::Malformed));
}
