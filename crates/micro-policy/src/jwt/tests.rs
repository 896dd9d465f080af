//! Tokens of every kind that must not pass, beside those that must.

use std::sync::LazyLock;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{self, EcdsaKeyPair, KeyPair as _},
};
use jsonwebtoken::{EncodingKey, Header as JwtHeader, encode};
use serde_json::json;

use super::*;

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://login.example";

/// A signing key (P-256), and the set that its public half is published in.
struct Signer {
    key: EncodingKey,
    point: Vec<u8>,
}

impl Signer {
    fn new() -> Self {
        let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let der = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        let point = EcdsaKeyPair::from_pkcs8(algorithm, der.as_ref()).unwrap().public_key().as_ref().to_vec();
        Self { key: EncodingKey::from_ec_der(der.as_ref()), point }
    }

    fn published(&self, kid: Option<&str>) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"kty": "EC", "crv": "P-256", "x": text(&self.point[1..33]), "y": text(&self.point[33..]), "kid": kid})
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.key, jsonwebtoken::Algorithm::ES256);
        format!("{signed}.{}", signature.unwrap())
    }
}

static SIGNER: LazyLock<Signer> = LazyLock::new(Signer::new);

fn keys() -> KeySet {
    KeySet::parse(json!({"keys": [SIGNER.published(Some("k1"))]}).to_string().as_bytes()).unwrap()
}

fn issuer() -> Issuer {
    Issuer {
        name: ISSUER.to_owned(),
        audience: vec!["https://gateway.example/mcp".to_owned(), "micro".to_owned()],
        algorithms: Algorithm::ALL.to_vec(),
        claims: Claims::default(),
        skew: Duration::from_secs(60),
    }
}

/// What every token says, changed by `patch`; `null` leaves a claim out.
fn claims(patch: &Value) -> Value {
    let mut claims = json!({"iss": ISSUER, "aud": "micro", "sub": "alice", "exp": NOW + 300, "jti": "t1"});
    for (name, value) in patch.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

fn judge(issuer: &Issuer, token: &str) -> Result<Identity, Unproven> {
    let token = Token::parse(token).expect("the form of a token")?;
    issuer.verify(&token, &keys(), Timestamp::from_second(NOW).unwrap())
}

fn signed(patch: &Value) -> String {
    SIGNER.sign(&json!({"alg": "ES256", "kid": "k1", "typ": "at+jwt"}), &claims(patch))
}

#[test]
fn a_good_token_says_whose_it_is() {
    let token = signed(&json!({
        "scope": "notes:read Notes:Write", "roles": ["reader"], "client_id": "app",
        "act": {"sub": "sub-agent", "act": {"sub": "agent"}},
        "cnf": {"x5t#S256": URL_SAFE_NO_PAD.encode([7; 32])},
    }));
    let identity = judge(&issuer(), &token).unwrap();
    assert_eq!(&*identity.account, "alice");
    assert_eq!(identity.scopes.unwrap().iter().collect::<Vec<_>>(), ["notes:read", "notes:write"]);
    assert_eq!(identity.roles.iter().map(|role| &**role).collect::<Vec<_>>(), ["reader"]);
    assert_eq!(identity.actors.iter().map(|actor| &**actor).collect::<Vec<_>>(), ["sub-agent", "agent"]);
    assert_eq!(identity.issuer.as_deref(), Some(ISSUER));
    assert_eq!(&*identity.credential, "jwt/https://login.example/t1");
    assert_eq!(identity.expires.unwrap().as_second(), NOW + 360, "the clocks may be apart");
    assert_eq!(identity.certificate, Some(Digest::from([7; 32])));
    assert_eq!((identity.tenant, identity.intent), (None, None));
}

#[test]
fn claims_are_found_where_the_config_says() {
    let issuer = Issuer {
        claims: Claims {
            account: "email".into(),
            account_prefix: "okta:".into(),
            scopes: Some("https://acme.example/scopes".into()),
            roles: "realm_access.roles".into(),
            tenant: Some("org.id".into()),
            tenants: vec!["umbrella".into(), "acme".into()],
            fixed_tenant: None,
        },
        ..issuer()
    };
    let said = json!({
        "email": "a@acme.example", "https://acme.example/scopes": ["a", "b"], "scope": "not-these",
        "realm_access": {"roles": "reader writer"}, "org": {"id": "acme"}, "jti": null,
    });
    let identity = judge(&issuer, &signed(&said)).unwrap();
    assert_eq!((&*identity.account, identity.tenant.as_deref()), ("okta:a@acme.example", Some("acme")));
    assert_eq!(identity.scopes.unwrap().iter().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(identity.roles.len(), 2);
    assert!(identity.credential.starts_with("jwt/https://login.example/sha256:"));
    // Without its tenant a token would see what no tenant may.
    for (claim, value) in
        [("org", Value::Null), ("org", json!({"id": 7})), ("email", json!("a\nb")), ("email", json!(""))]
    {
        let mut said = said.clone();
        said[claim] = value;
        assert_eq!(judge(&issuer, &signed(&said)), Err(Rejection::Malformed.into()), "{said}");
    }
    // What one tenant's issuer says of another's accounts is not believed.
    for (tenant, good) in [("umbrella", true), ("initech", false), ("*", false), ("ACME", false)] {
        let mut said = said.clone();
        said["org"]["id"] = tenant.into();
        let judged = judge(&issuer, &signed(&said));
        assert_eq!(judged.map(drop), if good { Ok(()) } else { Err(Rejection::Issuer.into()) }, "{tenant}");
        let trusting =
            Issuer { claims: Claims { tenants: vec!["*".into()], ..issuer.claims.clone() }, ..issuer.clone() };
        assert_eq!(judge(&trusting, &signed(&said)).unwrap().tenant.as_deref(), Some(tenant));
    }
    let scp = judge(&self::issuer(), &signed(&json!({"scp": ["a"]}))).unwrap();
    assert!(scp.scopes.unwrap().contains("a"));
}

#[test]
fn every_claim_that_guards_is_checked() {
    let rejected = Unproven::Rejected;
    for (patch, expected) in [
        (json!({}), Ok(())),
        (json!({"aud": ["other", "https://gateway.example/mcp"]}), Ok(())),
        (json!({"exp": NOW - 59}), Ok(())),
        (json!({"exp": NOW as f64 + 0.5}), Ok(())),
        (json!({"nbf": NOW + 60}), Ok(())),
        (json!({"exp": u64::MAX}), Ok(())),
        (json!({"iss": "https://login.example/"}), Err(rejected(Rejection::Issuer))),
        (json!({"iss": null}), Err(rejected(Rejection::Issuer))),
        (json!({"aud": "other"}), Err(rejected(Rejection::Audience))),
        (json!({"aud": "micro "}), Err(rejected(Rejection::Audience))),
        (json!({"aud": []}), Err(rejected(Rejection::Audience))),
        (json!({"aud": null}), Err(rejected(Rejection::Audience))),
        (json!({"exp": NOW - 60}), Err(rejected(Rejection::Expired))),
        (json!({"exp": -1}), Err(rejected(Rejection::Expired))),
        (json!({"exp": i64::MIN}), Err(rejected(Rejection::Expired))),
        (json!({"exp": null}), Err(rejected(Rejection::Malformed))),
        (json!({"exp": "tomorrow"}), Err(rejected(Rejection::Malformed))),
        (json!({"nbf": NOW + 61}), Err(rejected(Rejection::NotYetValid))),
        (json!({"nbf": "now"}), Err(rejected(Rejection::Malformed))),
        (json!({"sub": null}), Err(rejected(Rejection::Malformed))),
        (json!({"sub": "x".repeat(257)}), Err(rejected(Rejection::Malformed))),
        (json!({"sub": "alice\u{1b}[2J"}), Err(rejected(Rejection::Malformed))),
        (json!({"act": {"name": "nobody"}}), Err(rejected(Rejection::Malformed))),
        (json!({"act": "agent"}), Err(rejected(Rejection::Malformed))),
        (json!({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}), Err(rejected(Rejection::Bound))),
        (json!({"cnf": {"x5t#S256": "AAAA"}}), Err(rejected(Rejection::Malformed))),
        (json!({"cnf": 7}), Err(rejected(Rejection::Bound))),
    ] {
        assert_eq!(judge(&issuer(), &signed(&patch)).map(|_| ()), expected, "{patch}");
    }
}

#[test]
fn a_chain_of_actors_is_bounded() {
    let mut act = json!({"sub": "a"});
    for _ in 0..MAX_NAMES {
        act = json!({"sub": "a", "act": act});
    }
    let outcome = judge(&issuer(), &signed(&json!({ "act": act })));
    assert_eq!(outcome.map(|_| ()), Err(Rejection::Malformed.into()));
}

#[test]
fn only_headers_that_are_understood_pass() {
    let rejected = Unproven::Rejected;
    for (header, expected) in [
        (json!({"alg": "ES256", "kid": "k1"}), Ok(())),
        (json!({"alg": "ES256"}), Ok(())),
        (json!({"alg": "ES256", "kid": "k1", "typ": "JWT"}), Ok(())),
        (json!({"alg": "ES256", "kid": "k1", "typ": "application/at+jwt"}), Ok(())),
        (json!({"alg": "ES256", "kid": "k1", "typ": "dpop+jwt"}), Err(rejected(Rejection::Invalid))),
        (json!({"alg": "ES256", "kid": "k1", "typ": "logout+jwt"}), Err(rejected(Rejection::Invalid))),
        (json!({"alg": "ES256", "kid": "k1", "crit": ["b64"], "b64": false}), Err(rejected(Rejection::Invalid))),
        (json!({"alg": "none", "kid": "k1"}), Err(rejected(Rejection::Invalid))),
        (json!({"alg": "None", "kid": "k1"}), Err(rejected(Rejection::Invalid))),
        (json!({"alg": "HS256", "kid": "k1"}), Err(rejected(Rejection::Invalid))),
        (json!({"alg": "es256", "kid": "k1"}), Err(rejected(Rejection::Invalid))),
        (json!({"kid": "k1"}), Err(rejected(Rejection::Malformed))),
        (json!({"alg": "ES256", "kid": ["k1"]}), Err(rejected(Rejection::Malformed))),
        (json!({"alg": "ES256", "kid": "k2"}), Err(Unproven::UnknownKey)),
        // The key is there, and for another algorithm.
        (json!({"alg": "ES384", "kid": "k1"}), Err(Unproven::UnknownKey)),
        (json!({"alg": "RS256", "kid": "k1"}), Err(Unproven::UnknownKey)),
        (json!({"alg": "EdDSA", "kid": "k1"}), Err(Unproven::UnknownKey)),
    ] {
        let outcome = judge(&issuer(), &SIGNER.sign(&header, &claims(&json!({}))));
        assert_eq!(outcome.map(|_| ()), expected, "{header}");
    }
}

#[test]
fn an_algorithm_that_the_config_does_not_list_is_refused() {
    let issuer = Issuer { algorithms: vec![Algorithm::RS256], ..issuer() };
    assert_eq!(judge(&issuer, &signed(&json!({}))), Err(Rejection::Invalid.into()));
}

#[test]
fn a_public_key_is_no_shared_secret() {
    // The classic confusion: signed with the published key as the secret of HS256.
    let secrets = [SIGNER.point.clone(), SIGNER.published(Some("k1")).to_string().into_bytes()];
    for secret in secrets {
        let header = JwtHeader { kid: Some("k1".into()), ..JwtHeader::new(jsonwebtoken::Algorithm::HS256) };
        let token = encode(&header, &claims(&json!({})), &EncodingKey::from_secret(&secret)).unwrap();
        assert_eq!(judge(&issuer(), &token), Err(Rejection::Invalid.into()));
        // The same bytes under a name that is allowed.
        let (_, rest) = token.split_once('.').unwrap();
        let header = URL_SAFE_NO_PAD.encode(json!({"alg": "ES256", "kid": "k1"}).to_string());
        assert_eq!(judge(&issuer(), &format!("{header}.{rest}")), Err(Rejection::Invalid.into()));
    }
}

#[test]
fn keys_that_a_token_brings_along_are_not_looked_at() {
    let thief = Signer::new();
    for header in [
        json!({"alg": "ES256", "kid": "k1", "jwk": thief.published(Some("k1"))}),
        json!({"alg": "ES256", "kid": "k1", "jku": "https://evil.example/jwks"}),
        json!({"alg": "ES256", "kid": "k1", "x5u": "https://evil.example/cert", "x5c": ["MIIB"]}),
    ] {
        let outcome = judge(&issuer(), &thief.sign(&header, &claims(&json!({}))));
        assert_eq!(outcome, Err(Rejection::Invalid.into()), "{header}");
    }
}

#[test]
fn a_changed_token_is_refused() {
    let token = signed(&json!({}));
    let (rest, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = rest.split_once('.').unwrap();
    let other = URL_SAFE_NO_PAD.encode(claims(&json!({"sub": "admin"})).to_string());
    for (changed, expected) in [
        (format!("{header}.{other}.{signature}"), Rejection::Invalid),
        (format!("{rest}."), Rejection::Invalid),
        (format!("{rest}.{}", "A".repeat(signature.len())), Rejection::Invalid),
        (format!("{token}A"), Rejection::Invalid),
        (format!("{rest}.{signature}="), Rejection::Invalid),
        (format!("{header}..{signature}"), Rejection::Malformed),
        (format!(".{other}.{signature}"), Rejection::Malformed),
        (format!("{rest}.{}", "A".repeat(MAX_TOKEN)), Rejection::Malformed),
    ] {
        assert_eq!(judge(&issuer(), &changed), Err(expected.into()), "{changed:.60}");
    }
}

#[test]
fn without_three_parts_it_is_no_token_of_an_issuer() {
    for text in ["", "mk_abc", "a.b", "a.b.c.d", "a.b.c.d.e"] {
        assert!(Token::parse(text).is_none(), "{text}");
    }
    for text in ["..", "a.b.c", "e30.e30.", "bm90anNvbg.e30."] {
        assert!(matches!(Token::parse(text), Some(Err(Rejection::Malformed))), "{text}");
    }
}

#[test]
fn the_fuzz_corpus_never_panics_and_proves_nothing() {
    let mut read = 0;
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/token")).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        if let Some(Ok(token)) = Token::parse(&text) {
            assert!(issuer().verify(&token, &keys(), Timestamp::from_second(NOW).unwrap()).is_err(), "{text:.60}");
            read += 1;
        }
    }
    assert!(read >= 10, "only {read} of the corpus are tokens");
}
