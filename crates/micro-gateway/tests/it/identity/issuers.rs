//! Tokens of a real issuer, and of those who would like to be one.

use std::time::Duration;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{self, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::provider::Provider;
use crate::fixture::{Running, host, moved, ok, site, start};

pub(super) const FRONTS: [&str; 4] = ["modern", "legacy", "rest", "compat"];
const RESOURCE: &str = "https://gateway.example/mcp";

fn config(issuer: &str) -> String {
    config_with(issuer, "")
}

/// With more in the issuer's entry.
fn config_with(issuer: &str, more: &str) -> String {
    format!(
        r#"
        url = "https://gateway.example"
        [auth]
        mode = "on"
        [[auth.issuers]]
        issuer = "{issuer}"
        claims.account_prefix = "idp:"
        claims.tenant = "org"
        claims.tenants = ["*"]
        {more}
        "#
    )
}

/// Calls `Keep` through a front: the status, and the text of the answer.
pub(super) async fn keep(gateway: &Running, front: &str, token: &str) -> (u16, String) {
    let params = json!({"name": "notes_Keep", "arguments": {"text": "a"}});
    let bearer = format!("Bearer {token}");
    let answer = match front {
        "modern" => gateway.modern("tools/call", params, Some(token)).await,
        "legacy" => gateway.legacy("tools/call", params, Some(token)).await,
        "rest" => gateway.send("POST", "/api/notes/Notes.Keep", &[("authorization", &bearer)], r#"{"text":"a"}"#).await,
        _ => {
            let body = r#"{"tool":"notes_Keep","input":{"text":"a"}}"#;
            gateway.send("POST", "/mcp/call", &[("authorization", &bearer)], body).await
        }
    };
    (answer.status.as_u16(), answer.text)
}

#[tokio::test]
async fn a_token_of_a_real_issuer_is_taken_on_every_front() {
    let provider = Provider::start();
    let gateway = start(&config(&provider.issuer)).await;
    let (writer, reader) =
        (provider.token(RESOURCE, "notes:write").await, provider.token(RESOURCE, "notes:read").await);
    let stranger = provider.token("https://other.example/mcp", "notes:write").await;
    for front in FRONTS {
        for (token, status, told) in [
            (&writer, 200, "a"),
            (&reader, 403, "insufficient scopes"),
            (&stranger, 401, "wrong audience"),
            (&format!("{writer}A"), 401, "invalid token"),
        ] {
            let (given, text) = keep(&gateway, front, token).await;
            assert_eq!((given, text.contains(told)), (status, true), "{front}: {text}");
        }
    }
    assert_eq!(provider.fetched().await, 1);
    let records = gateway.stop().await;
    assert_eq!(records[0]["account_id"], "idp:agent", "{}", records[0]);
}

#[tokio::test]
async fn keys_rotate_without_one_failed_call_and_old_tokens_go_on() {
    let provider = Provider::start();
    let gateway = start(&config(&provider.issuer)).await;
    let old = provider.token(RESOURCE, "notes:write").await;
    assert_eq!(keep(&gateway, "rest", &old).await.0, 200);
    let unseen = provider.token(RESOURCE, "notes:write").await;
    for _ in 0..2 {
        provider.rotate().await;
        let new = provider.token(RESOURCE, "notes:write").await;
        let calls = (0..20).map(|_| keep(&gateway, "rest", &new));
        for (status, text) in futures_util::future::join_all(calls).await {
            assert_eq!(status, 200, "{text}");
        }
    }
    for token in [&old, &unseen] {
        assert_eq!(keep(&gateway, "rest", token).await.0, 200);
    }
    assert_eq!(provider.fetched().await, 3);
}

#[tokio::test]
async fn an_issuer_that_is_down_breaks_no_token_whose_key_is_known() {
    let provider = Provider::start();
    let gateway = start(&config(&provider.issuer)).await;
    assert_eq!(keep(&gateway, "rest", &provider.token(RESOURCE, "notes:write").await).await.0, 200);
    let unseen = provider.token(RESOURCE, "notes:write").await;
    let forged = Signer::new().token(&provider.issuer, &json!({"alg": "ES256", "kid": "no such key"}));
    drop(provider);
    assert_eq!(keep(&gateway, "rest", &unseen).await.0, 200);
    // Whether this one is good cannot be said now.
    let (status, text) = keep(&gateway, "rest", &forged).await;
    assert_eq!((status, text.contains("cannot be checked now")), (503, true), "{text}");
}

#[tokio::test]
async fn made_up_names_of_keys_do_not_make_the_gateway_ask() {
    let provider = Provider::start();
    let gateway = start(&config(&provider.issuer)).await;
    assert_eq!(keep(&gateway, "rest", &provider.token(RESOURCE, "notes:write").await).await.0, 200);
    let thief = Signer::new();
    let tokens: Vec<_> = (0..100)
        .map(|n| thief.token(&provider.issuer, &json!({"alg": "ES256", "kid": format!("made-up-{n}")})))
        .collect();
    for (status, text) in futures_util::future::join_all(tokens.iter().map(|token| keep(&gateway, "rest", token))).await
    {
        assert_eq!((status, text.contains("invalid token")), (401, true), "{text}");
    }
    // The same again: it is known that there are none of these.
    for token in &tokens[..10] {
        assert_eq!(keep(&gateway, "rest", token).await.0, 401);
    }
    let fetched = provider.fetched().await;
    assert!(fetched <= 3, "asked {fetched} times");
}

/// Somebody who signs with a key of their own (P-256).
pub(crate) struct Signer {
    key: EncodingKey,
    point: Vec<u8>,
}

impl Signer {
    pub(crate) fn new() -> Self {
        let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let der = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        let point = EcdsaKeyPair::from_pkcs8(algorithm, der.as_ref()).unwrap().public_key().as_ref().to_vec();
        Self { key: EncodingKey::from_ec_der(der.as_ref()), point }
    }

    pub(crate) fn published(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"kty": "EC", "crv": "P-256", "x": text(&self.point[1..33]), "y": text(&self.point[33..]), "kid": "k"})
    }

    /// A token that says everything that is asked of one.
    fn token(&self, issuer: &str, header: &Value) -> String {
        let claims = json!({
            "iss": issuer, "aud": RESOURCE, "sub": "thief", "org": "acme", "scope": "notes:write", "exp": 4_000_000_000u32,
        });
        self.sign(header, &claims)
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.key, Algorithm::ES256).unwrap();
        format!("{signed}.{signature}")
    }
}

#[tokio::test]
async fn forged_tokens_are_refused_and_nobody_is_asked_whom_they_name() {
    let (signer, thief) = (Signer::new(), Signer::new());
    let keys = json!({"keys": [signer.published()]});
    let (issuer, _paths) = site(move |_| ok(&keys)).await;
    let (bait, mut baited) = site(|_| ok(&json!({"keys": []}))).await;
    let gateway = start(&config_with(&issuer, &format!("jwks_url = \"{issuer}/keys\""))).await;
    let good = signer.token(&issuer, &json!({"alg": "ES256", "kid": "k"}));
    assert_eq!(keep(&gateway, "rest", &good).await.0, 200);
    let unsigned = |alg: &str| {
        let token = signer.token(&issuer, &json!({"alg": alg, "kid": "k"}));
        token.rsplit_once('.').unwrap().0.to_owned() + "."
    };
    let hmac = |secret: &[u8]| {
        let claims = json!({"iss": issuer, "aud": RESOURCE, "sub": "thief", "org": "acme", "exp": 4_000_000_000u32});
        let header = jsonwebtoken::Header { kid: Some("k".into()), ..jsonwebtoken::Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(secret)).unwrap()
    };
    // Good in every other way.
    let oversize = signer.token(&issuer, &json!({"alg": "ES256", "kid": "k", "x": "A".repeat(16 << 10)}));
    for (what, token) in [
        ("alg none", unsigned("none")),
        ("no signature", unsigned("ES256")),
        ("the public key as a secret", hmac(&signer.point)),
        ("the key set as a secret", hmac(signer.published().to_string().as_bytes())),
        ("another key", thief.token(&issuer, &json!({"alg": "ES256", "kid": "k"}))),
        ("a key inside", thief.token(&issuer, &json!({"alg": "ES256", "kid": "k", "jwk": thief.published()}))),
        ("jku", thief.token(&issuer, &json!({"alg": "ES256", "kid": "k", "jku": format!("{bait}/jku")}))),
        ("x5u", thief.token(&issuer, &json!({"alg": "ES256", "kid": "k", "x5u": format!("{bait}/x5u")}))),
        ("crit", signer.token(&issuer, &json!({"alg": "ES256", "kid": "k", "crit": ["exp"]}))),
        ("a stranger's issuer", thief.token(&bait, &json!({"alg": "ES256", "kid": "k"}))),
        ("oversize", oversize),
    ] {
        for front in FRONTS {
            let (status, text) = keep(&gateway, front, &token).await;
            assert_eq!(status, 401, "{what} on {front}: {text}");
        }
    }
    assert!(baited.try_recv().is_err(), "somebody was asked");
}

#[tokio::test]
async fn an_issuer_cannot_make_the_gateway_ask_where_it_must_not() {
    let (bait, mut baited) = site(|_| ok(&json!({"keys": []}))).await;
    let port = bait.rsplit(':').next().unwrap();
    // All of them lead to the same listener, for whoever asks them.
    for (target, asked) in [
        (bait.clone(), true),
        (format!("http://0.0.0.0:{port}"), false),
        (format!("http://[::ffff:0.0.0.0]:{port}"), false),
        (format!("http://idp@127.0.0.1:{port}"), false),
    ] {
        for way in ["metadata moved", "named by metadata"] {
            let leads = target.clone();
            let (issuer, _paths) = site(move |head| match way {
                "metadata moved" => moved(&format!("{leads}/meta")),
                _ => ok(&json!({"issuer": format!("http://{}", host(head)), "jwks_uri": format!("{leads}/keys")})),
            })
            .await;
            let gateway = start(&config(&issuer)).await;
            let token = Signer::new().token(&issuer, &json!({"alg": "ES256", "kid": "k"}));
            let answer = tokio::time::timeout(Duration::from_secs(20), keep(&gateway, "rest", &token));
            let (status, text) = answer.await.expect("nobody is waited for");
            assert!(matches!(status, 401 | 503), "{way} {target}: {text}");
            assert_eq!(baited.try_recv().is_ok(), asked, "{way} {target}");
            while baited.try_recv().is_ok() {}
        }
    }
}

#[tokio::test]
async fn keys_whose_version_is_known_are_not_sent_again() {
    let signer = Signer::new();
    let keys = json!({"keys": [signer.published()]});
    let (heads, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let (issuer, _paths) = site(move |head| {
        let known = head.to_ascii_lowercase().contains("if-none-match: \"1\"");
        let _ = heads.send(known);
        if known { "HTTP/1.1 304 Not Modified\r\nconnection: close\r\n\r\n".to_owned() } else { ok(&keys) }
    })
    .await;
    let gateway = start(&config_with(&issuer, &format!("jwks_url = \"{issuer}/keys\""))).await;
    assert_eq!(keep(&gateway, "rest", &signer.token(&issuer, &json!({"alg": "ES256", "kid": "k"}))).await.0, 200);
    assert_eq!(keep(&gateway, "rest", &signer.token(&issuer, &json!({"alg": "ES256", "kid": "other"}))).await.0, 401);
    assert_eq!((seen.recv().await, seen.recv().await), (Some(false), Some(true)));
    assert_eq!(
        keep(&gateway, "rest", &signer.token(&issuer, &json!({"alg": "ES256", "kid": "k", "typ": "JWT"}))).await.0,
        200
    );
}

#[tokio::test]
async fn a_caller_finds_out_who_issues_tokens_and_what_to_ask_for() {
    let gateway = start(&config("http://127.0.0.1:9")).await;
    let metadata = "https://gateway.example/.well-known/oauth-protected-resource";
    for (front, path) in FRONTS.into_iter().zip(["/mcp", "/mcp", "/api", "/mcp"]) {
        let headers = [("content-type", "application/json"), ("mcp-protocol-version", "2025-11-25")];
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "notes_Keep"}});
        let answer = match front {
            "modern" => gateway.modern("tools/call", json!({"name": "notes_Keep"}), None).await,
            "legacy" => gateway.send("POST", "/mcp", &headers, &call.to_string()).await,
            "rest" => gateway.send("POST", "/api/notes/Notes.Keep", &[], "{}").await,
            _ => gateway.send("POST", "/mcp/call", &[], "{}").await,
        };
        let told = answer.headers["www-authenticate"].to_str().unwrap();
        let scope = if matches!(front, "modern" | "legacy") { "scope=\"notes:write\", " } else { "" };
        assert_eq!(told, format!("Bearer {scope}resource_metadata=\"{metadata}{path}\""), "{front}");
    }
    for path in ["", "/mcp", "/api"] {
        let answer = gateway.send("GET", &format!("/.well-known/oauth-protected-resource{path}"), &[], "").await;
        let document = answer.json();
        assert_eq!(document["resource"], format!("https://gateway.example{path}"));
        assert_eq!(document["authorization_servers"], json!(["http://127.0.0.1:9"]));
        assert_eq!(document["scopes_supported"], json!(["notes:read", "notes:write"]));
    }
    assert_eq!(gateway.send("GET", "/.well-known/oauth-protected-resource/other", &[], "").await.status, 404);
    // Where nobody issues tokens, nobody is named.
    let gateway = start("auth.mode = \"on\"").await;
    assert_eq!(gateway.send("POST", "/mcp/call", &[], "{}").await.headers["www-authenticate"], "Bearer");
    assert_eq!(gateway.send("GET", "/.well-known/oauth-protected-resource/mcp", &[], "").await.status, 404);
}
