//! An MCP server that takes the provider's tokens, and only those made for it.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Response, StatusCode, header::AUTHORIZATION, request::Parts};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{JwkSet, ThumbprintHash},
};
use micro_mcp::http::{Config, StreamableHttp};
use micro_runtime::{
    Drain,
    http::{Body, Guard, Limits, serve},
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use super::Provider;
use crate::fixture::{server, waiting};

const NONCE: &str = "the nonce of the site";

pub(crate) struct Site {
    pub(crate) url: String,
    door: Arc<Door>,
}

/// Who is let in.
struct Door {
    url: String,
    metadata: String,
    issuer: String,
    keys: JwkSet,
    dpop: bool,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    token: String,
    scopes: String,
    revoked: Vec<String>,
}

/// Why somebody is not let in.
struct Closed(StatusCode, &'static str);

impl Site {
    /// `add` wants the scope `mcp:read`, every other tool `mcp:write`.
    pub(crate) async fn start(provider: &Provider, dpop: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let keys = reqwest::get(format!("{}/jwks", provider.issuer)).await.unwrap().text().await.unwrap();
        let url = format!("http://{address}/mcp");
        let metadata = json!({
            "resource": url,
            "authorization_servers": [provider.issuer],
            "dpop_bound_access_tokens_required": dpop,
        });
        let door = Arc::new(Door {
            url: url.clone(),
            metadata: metadata.to_string(),
            issuer: provider.issuer.clone(),
            keys: serde_json::from_str(&keys).unwrap(),
            dpop,
            seen: Mutex::default(),
        });
        let drain = Drain::new();
        let config = Config { guard: Guard::of(address), drain: drain.clone(), ..Config::default() };
        let endpoint = StreamableHttp::new(Arc::new(server(&waiting())), config);
        let keeper = door.clone();
        tokio::spawn(serve(listener, Limits::default(), drain, move |request| {
            let (endpoint, door) = (endpoint.clone(), keeper.clone());
            async move {
                let (parts, body) = request.into_parts();
                match door.open(&parts) {
                    Some(answer) => answer,
                    None => endpoint.handle(http::Request::from_parts(parts, body)).await,
                }
            }
        }));
        Self { url, door }
    }

    /// The last token that was taken is taken no more.
    pub(crate) fn revoke(&self) {
        let mut seen = self.door.seen.lock();
        let token = seen.token.clone();
        seen.revoked.push(token);
    }

    /// The scopes of the last token that was taken.
    pub(crate) fn last_scopes(&self) -> String {
        self.door.seen.lock().scopes.clone()
    }
}

impl Door {
    /// The answer to whoever does not get to the server.
    fn open(&self, parts: &Parts) -> Option<Response<Body>> {
        let answer = Response::builder();
        if parts.uri.path() == "/.well-known/oauth-protected-resource/mcp" {
            return Some(answer.body(Body::from(self.metadata.clone())).unwrap());
        }
        if parts.uri.path() != "/mcp" {
            return Some(answer.status(StatusCode::NOT_FOUND).body(Body::from("")).unwrap());
        }
        let Closed(status, error) = self.check(parts).err()?;
        let scheme = if self.dpop { "DPoP" } else { "Bearer" };
        let scope = wanted(&parts.headers);
        let challenge = format!(r#"{scheme} error="{error}", scope="{scope}""#);
        let answer = answer.status(status).header("www-authenticate", challenge).header("dpop-nonce", NONCE);
        Some(answer.body(Body::from("")).unwrap())
    }

    fn check(&self, parts: &Parts) -> Result<(), Closed> {
        let bad = |error| Closed(StatusCode::UNAUTHORIZED, error);
        let value = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or(bad("none"))?;
        let (scheme, token) = value.split_once(' ').ok_or(bad("invalid_request"))?;
        let claims = self.claims(token).ok_or(bad("invalid_token"))?;
        if self.dpop {
            if scheme != "DPoP" {
                return Err(bad("invalid_token"));
            }
            let nonce = self.proven(parts, token, &claims).ok_or(bad("invalid_dpop_proof"))?;
            if nonce != NONCE {
                return Err(bad("use_dpop_nonce"));
            }
        }
        let mut seen = self.seen.lock();
        if seen.revoked.iter().any(|revoked| revoked == token) {
            return Err(bad("invalid_token"));
        }
        let scopes = claims["scope"].as_str().unwrap_or_default();
        if !scopes.split(' ').any(|scope| scope == wanted(&parts.headers)) {
            return Err(Closed(StatusCode::FORBIDDEN, "insufficient_scope"));
        }
        let mut scopes: Vec<_> = scopes.split(' ').filter(|scope| scope.starts_with("mcp:")).collect();
        scopes.sort_unstable();
        (seen.token, seen.scopes) = (token.to_owned(), scopes.join(" "));
        Ok(())
    }

    /// The claims of a token that the provider made for this server.
    fn claims(&self, token: &str) -> Option<Value> {
        let key = DecodingKey::from_jwk(&self.keys.keys[0]).unwrap();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&[&self.url]);
        validation.set_issuer(&[&self.issuer]);
        decode(token, &key, &validation).ok().map(|token| token.claims)
    }

    /// The nonce of a proof for this request, by the key that the token is bound to.
    fn proven(&self, parts: &Parts, token: &str, claims: &Value) -> Option<String> {
        let proof = parts.headers.get("dpop")?.to_str().ok()?;
        let key = decode_header(proof).ok()?.jwk?;
        let mut validation = Validation::new(Algorithm::ES256);
        validation.required_spec_claims.clear();
        let proof = decode::<Value>(proof, &DecodingKey::from_jwk(&key).ok()?, &validation).ok()?.claims;
        let bound = claims["cnf"]["jkt"] == key.thumbprint(ThumbprintHash::SHA256).ok()?;
        let this = proof["htm"] == parts.method.as_str() && proof["htu"] == self.url.as_str();
        let token = proof["ath"] == URL_SAFE_NO_PAD.encode(Sha256::digest(token));
        (bound && this && token).then(|| proof["nonce"].as_str().unwrap_or_default().to_owned())
    }
}

fn wanted(headers: &HeaderMap) -> &'static str {
    match headers.get("mcp-name").map(|name| name.as_bytes()) {
        None | Some(b"add") => "mcp:read",
        Some(_) => "mcp:write",
    }
}
