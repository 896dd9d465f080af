//! Proof keys and states (RFC 7636, RFC 6749 section 10.12).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::secret::Secret;
use crate::seal;

/// The verifier that stays here, and the challenge that goes with the user.
#[derive(Debug)]
pub(crate) struct Pkce {
    pub(crate) verifier: Secret,
    pub(crate) challenge: String,
}

impl Pkce {
    pub(crate) fn new() -> Self {
        let verifier = random();
        Self { challenge: challenge(&verifier), verifier: verifier.into() }
    }
}

/// `BASE64URL(SHA256(verifier))`, the method S256.
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// 32 random bytes, fit for a URL: states, verifiers, ids of assertions.
///
/// # Panics
/// When the operating system has no randomness to give.
pub(crate) fn random() -> String {
    URL_SAFE_NO_PAD.encode(seal::random::<32>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_rfc_7636_appendix_b() {
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn no_two_are_alike_and_debug_shows_no_verifier() {
        let (one, two) = (Pkce::new(), Pkce::new());
        assert_ne!(one.challenge, two.challenge);
        assert_eq!(one.verifier.expose().len(), 43);
        assert!(!format!("{one:?}").contains(one.verifier.expose()));
    }
}
