//! Proof keys of codes (RFC 7636), by the one method that hides them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::error::Refused;
use crate::Digest;

/// What a client shows before it has the code: the digest of the verifier it shows after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Challenge(Digest);

impl Challenge {
    /// Reads `code_challenge` and `code_challenge_method`. Without a method RFC 7636 means `plain`, which is no proof.
    ///
    /// # Errors
    /// `invalid_request` when there is no challenge, or its method is not S256.
    pub fn parse(challenge: Option<&str>, method: Option<&str>) -> Result<Self, Refused> {
        let challenge = challenge.ok_or(Refused::request("code_challenge is needed (PKCE)"))?;
        if method != Some("S256") {
            return Err(Refused::request("code_challenge_method must be S256"));
        }
        let bytes = URL_SAFE_NO_PAD.decode(challenge).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.map(|bytes| Self(bytes.into())).ok_or(Refused::request("code_challenge is no SHA-256"))
    }

    /// Whether this is the verifier (§4.6): 43 to 128 unreserved characters with that digest.
    pub fn is_of(&self, verifier: &str) -> bool {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        (43..=128).contains(&verifier.len()) && verifier.bytes().all(legal) && self.0.is_of(verifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    #[test]
    fn the_verifier_of_rfc_7636_appendix_b_is_known() {
        let challenge = Challenge::parse(Some(CHALLENGE), Some("S256")).unwrap();
        assert!(challenge.is_of(VERIFIER));
        assert!(!challenge.is_of(CHALLENGE));
        assert!(!challenge.is_of(""));
        assert!(!challenge.is_of(&VERIFIER.replace('d', "e")));
    }

    #[test]
    fn there_is_no_way_around_the_digest() {
        for (challenge, method) in [
            (None, None),
            (None, Some("S256")),
            (Some(CHALLENGE), None),
            (Some(CHALLENGE), Some("plain")),
            (Some(CHALLENGE), Some("s256")),
            (Some("short"), Some("S256")),
            (Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c="), Some("S256")),
        ] {
            assert!(Challenge::parse(challenge, method).is_err(), "{challenge:?} {method:?}");
        }
    }
}
