//! Authorization codes: good once, for whoever asked, with the proof key, where the user was sent (OAuth 2.1 §4.1.3).

use serde::{Deserialize, Serialize};

use super::{
    error::{Denied, ErrorCode, Refused},
    family::Family,
    pkce::Challenge,
    user::Owner,
};
use crate::Scopes;

/// What is kept of a code, under its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The client it was given to.
    pub client: String,
    /// Where the user was sent with it.
    pub redirect_uri: String,
    /// The proof key.
    pub challenge: Challenge,
    /// Who consented.
    pub owner: Owner,
    /// To what.
    pub scopes: Scopes,
    /// For which resource.
    pub resource: String,
    /// Until when it is good.
    pub expires: u64,
    /// The handle of the family that its tokens are of, or would be.
    pub handle: String,
    /// Whether it was shown before, rightly or wrongly.
    pub spent: bool,
}

/// How a code is shown.
#[derive(Debug, Clone, Copy)]
pub struct Redemption<'a> {
    /// By this client.
    pub client: &'a str,
    /// With this `redirect_uri`.
    pub redirect_uri: &'a str,
    /// With this `code_verifier`.
    pub verifier: &'a str,
    /// For this resource, when the client names one again.
    pub resource: Option<&'a str>,
}

impl Code {
    /// How long a code is good, in seconds (RFC 9700: short).
    pub const LIFETIME: u64 = 60;

    /// Whether it gives tokens. Whatever comes out, it is spent from then on: that must be kept, in one step with having
    /// found it not spent.
    ///
    /// # Errors
    /// [`Denied::Reused`] when it was spent before, else what is wrong.
    pub fn redeem(&self, shown: &Redemption<'_>, now: u64) -> Result<(), Denied> {
        if self.spent {
            return Err(Denied::Reused { family: Family::name(&self.handle) });
        }
        let bound = self.client == shown.client
            && self.redirect_uri == shown.redirect_uri
            && self.challenge.is_of(shown.verifier)
            && now < self.expires;
        if !bound {
            return Err(Refused::grant("the grant is not valid").into());
        }
        if shown.resource.is_some_and(|resource| resource != self.resource) {
            return Err(Refused::new(ErrorCode::InvalidTarget, "the user consented to another resource").into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn code() -> Code {
        Code {
            client: "c".into(),
            redirect_uri: "https://app.example/cb".into(),
            challenge: Challenge::parse(Some(CHALLENGE), Some("S256")).unwrap(),
            owner: Owner { account: "alice".into(), id: "1".into() },
            scopes: Scopes::default(),
            resource: "https://as/mcp".into(),
            expires: 100,
            handle: "h".into(),
            spent: false,
        }
    }

    #[test]
    fn a_code_is_good_for_whoever_asked_and_nobody_else() {
        let good = Redemption {
            client: "c",
            redirect_uri: "https://app.example/cb",
            verifier: VERIFIER,
            resource: Some("https://as/mcp"),
        };
        assert_eq!(code().redeem(&good, 99), Ok(()));
        assert_eq!(code().redeem(&Redemption { resource: None, ..good }, 0), Ok(()));
        assert!(matches!(code().redeem(&good, 100), Err(Denied::Refused(_))));
        for wrong in [
            Redemption { client: "d", ..good },
            Redemption { redirect_uri: "https://app.example/other", ..good },
            Redemption { redirect_uri: "", ..good },
            Redemption { verifier: CHALLENGE, ..good },
            Redemption { verifier: "", ..good },
            Redemption { resource: Some("https://other/mcp"), ..good },
        ] {
            assert!(matches!(code().redeem(&wrong, 0), Err(Denied::Refused(_))), "{wrong:?}");
        }
    }

    #[test]
    fn a_spent_code_names_what_must_be_revoked() {
        let good =
            Redemption { client: "c", redirect_uri: "https://app.example/cb", verifier: VERIFIER, resource: None };
        let spent = Code { spent: true, ..code() };
        let denied = spent.redeem(&good, 0).unwrap_err();
        assert_eq!(denied, Denied::Reused { family: Family::name("h") });
        assert_eq!(denied.told().code, ErrorCode::InvalidGrant);
    }
}
