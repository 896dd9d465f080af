//! Tokens, and the endpoint that gives them (RFC 6749 section 5, RFC 9449 section 5).

use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Deserializer, Serialize, de};
use url::Url;

use super::{
    dpop::{DPOP, Proofs},
    error::{Document, Error},
    fetch::{Answer, Fetch},
    jwt::now,
    registration::{ClientAuth, refusal},
    scopes::Scopes,
    secret::Secret,
};

/// Seconds before its end at which a token is no longer used; for short-lived ones a quarter of their life.
const LEEWAY: u64 = 30;

/// How a token is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Scheme {
    Bearer,
    #[serde(rename = "DPoP")]
    Dpop,
}

impl Scheme {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

/// What the client holds for one server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Tokens {
    pub(crate) access: Secret,
    pub(crate) scheme: Scheme,
    /// Until when it is used, in seconds since 1970.
    pub(crate) fresh_until: Option<u64>,
    pub(crate) refresh: Option<Secret>,
    /// What was asked for, step by step.
    pub(crate) requested: Option<Scopes>,
    /// What was given.
    pub(crate) granted: Option<Scopes>,
    pub(crate) resource: String,
    pub(crate) issuer: String,
    /// Whether the issuer was guessed (MCP 2025-03-26).
    pub(crate) legacy: bool,
}

impl Tokens {
    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh_until.is_none_or(|end| now() < end)
    }
}

/// The endpoint's answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Granted {
    pub(crate) access_token: Secret,
    pub(crate) token_type: String,
    #[serde(default, deserialize_with = "seconds")]
    pub(crate) expires_in: Option<u64>,
    #[serde(default)]
    pub(crate) refresh_token: Option<Secret>,
    #[serde(default)]
    pub(crate) scope: Option<String>,
}

impl Granted {
    pub(crate) fn parse(answer: &Answer) -> Result<Self, Error> {
        if answer.status != StatusCode::OK {
            return Err(refusal(Document::Token, answer));
        }
        serde_json::from_slice(&answer.body).map_err(|_| Error::Malformed(Document::Token))
    }

    /// How the token must be presented.
    pub(crate) fn scheme(&self) -> Result<Scheme, Error> {
        [Scheme::Bearer, Scheme::Dpop]
            .into_iter()
            .find(|scheme| scheme.as_str().eq_ignore_ascii_case(&self.token_type))
            .ok_or(Error::Malformed(Document::Token))
    }

    /// Until when the token is used, a little before its end.
    pub(crate) fn fresh_until(&self) -> Option<u64> {
        self.expires_in.map(|life| now().saturating_add(life - LEEWAY.min(life / 4)))
    }

    pub(crate) fn scopes(&self) -> Option<Scopes> {
        self.scope.as_deref().map(Scopes::parse)
    }
}

/// One token endpoint, asked by one client.
pub(crate) struct Endpoint<'a> {
    pub(crate) fetch: &'a Fetch,
    pub(crate) url: Url,
    pub(crate) issuer: &'a str,
    pub(crate) client: &'a ClientAuth,
    pub(crate) proofs: Option<&'a Proofs>,
}

impl Endpoint<'_> {
    /// Asks once, and once more when the endpoint wants its nonce in the proof (RFC 9449 section 8).
    pub(crate) async fn ask(&self, form: &[(&'static str, String)]) -> Result<Answer, Error> {
        let answer = self.once(form).await?;
        let Some(proofs) = self.proofs else { return Ok(answer) };
        let new = proofs.learn(&self.url, &answer.headers);
        if new && answer.status == StatusCode::BAD_REQUEST && wants_nonce(&answer) {
            let answer = self.once(form).await?;
            proofs.learn(&self.url, &answer.headers);
            return Ok(answer);
        }
        Ok(answer)
    }

    async fn once(&self, form: &[(&'static str, String)]) -> Result<Answer, Error> {
        let (mut form, mut headers) = (form.to_vec(), HeaderMap::new());
        self.client.apply(self.issuer, &mut form, &mut headers)?;
        if let Some(proofs) = self.proofs {
            headers.insert(DPOP, proofs.proof("POST", &self.url, None)?);
        }
        let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.fetch.form(Document::Token, &self.url, headers, &form).await
    }
}

fn wants_nonce(answer: &Answer) -> bool {
    matches!(refusal(Document::Token, answer), Error::Refused(_, code) if code.as_str() == "use_dpop_nonce")
}

/// A number of seconds; some servers write it as text, and some as a fraction.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Seconds {
        Number(f64),
        Text(String),
    }
    let number = match Option::<Seconds>::deserialize(deserializer)? {
        None => return Ok(None),
        Some(Seconds::Number(number)) => number,
        Some(Seconds::Text(text)) => text.trim().parse().map_err(de::Error::custom)?,
    };
    Ok(Some(number.max(0.0) as u64))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn granted(json: &'static str) -> Result<Granted, Error> {
        let body = Bytes::from_static(json.as_bytes());
        Granted::parse(&Answer { status: StatusCode::OK, headers: HeaderMap::new(), body })
    }

    #[test]
    fn the_endpoints_answer_is_read_in_every_spelling() {
        for (json, scheme, seconds) in [
            (r#"{"access_token":"a","token_type":"bearer"}"#, Some(Scheme::Bearer), None),
            (r#"{"access_token":"a","token_type":"dpop","expires_in":3600}"#, Some(Scheme::Dpop), Some(3600)),
            (r#"{"access_token":"a","token_type":"Bearer","expires_in":"60"}"#, Some(Scheme::Bearer), Some(60)),
            (r#"{"access_token":"a","token_type":"Bearer","expires_in":-1}"#, Some(Scheme::Bearer), Some(0)),
            (r#"{"access_token":"a","token_type":"Bearer","expires_in":1e300}"#, Some(Scheme::Bearer), Some(u64::MAX)),
            (r#"{"access_token":"a","token_type":"mac"}"#, None, None),
            (r#"{"token_type":"Bearer"}"#, None, None),
        ] {
            let outcome = granted(json).and_then(|granted| Ok((granted.scheme()?, granted.expires_in)));
            assert_eq!(outcome.ok(), scheme.map(|scheme| (scheme, seconds)), "{json}");
        }
    }

    #[test]
    fn debug_shows_no_token() {
        let granted = granted(r#"{"access_token":"s3cret","token_type":"Bearer","refresh_token":"s3cret"}"#).unwrap();
        assert!(!format!("{granted:?}").contains("s3cret"));
    }
}
