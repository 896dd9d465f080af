//! The authorization request (OAuth 2.1 §4.1.1) and what the user brings back (RFC 9207).

use url::form_urlencoded;

use super::{
    client::{Client, GrantType},
    error::{ErrorCode, Refused},
    params::Params,
    pkce::Challenge,
    token::Resources,
};
use crate::Scopes;

/// Where an answer to the request may go. What is wrong before this is known is shown to the user and goes nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// The redirect URI, as the client named it.
    pub uri: String,
    state: Option<String>,
}

/// Longest `state`, in bytes.
const MAX_STATE: usize = 4 * 1024;

impl Redirect {
    /// The redirect that this request names, when it is one of the client's.
    ///
    /// # Errors
    /// `invalid_request` when it is not. The user must not be sent there.
    pub fn of(params: &Params, client: &Client) -> Result<Self, Refused> {
        let asked = params.need("redirect_uri", "redirect_uri is needed")?;
        if !client.redirect_uris.iter().any(|known| known.allows(asked)) {
            return Err(Refused::request("the redirect_uri is none of the client's"));
        }
        let state = params.one("state")?;
        if state.is_some_and(|state| state.len() > MAX_STATE) {
            return Err(Refused::request("the state is too long"));
        }
        Ok(Self { uri: asked.to_owned(), state: state.map(str::to_owned) })
    }

    /// The URL that brings the code.
    pub fn with_code(&self, issuer: &str, code: &str) -> String {
        self.with(issuer, &[("code", code)])
    }

    /// The URL that brings a refusal.
    pub fn with_error(&self, issuer: &str, refused: &Refused) -> String {
        self.with(issuer, &[("error", refused.code.as_str()), ("error_description", refused.why)])
    }

    fn with(&self, issuer: &str, pairs: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs).extend_pairs(self.state.iter().map(|state| ("state", state)));
        query.append_pair("iss", issuer);
        let joint = if self.uri.contains('?') { '&' } else { '?' };
        format!("{}{joint}{}", self.uri, query.finish())
    }
}

/// What a client asks a user for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// The scopes it names; `None` is whatever the user has.
    pub scopes: Option<Scopes>,
    /// The proof key.
    pub challenge: Challenge,
    /// What the token is for.
    pub resource: String,
}

impl AuthorizationRequest {
    /// Reads the rest of the request.
    ///
    /// # Errors
    /// What the client is told through the redirect.
    pub fn read(params: &Params, client: &Client, resources: &Resources) -> Result<Self, Refused> {
        client.may(GrantType::AuthorizationCode)?;
        if params.need("response_type", "response_type is needed")? != "code" {
            return Err(Refused::new(ErrorCode::UnsupportedResponseType, "response_type must be code"));
        }
        for unsupported in ["request", "request_uri"] {
            if params.one(unsupported)?.is_some() {
                return Err(Refused::request("requests are not read from objects here"));
            }
        }
        if !matches!(params.one("response_mode")?, None | Some("query")) {
            return Err(Refused::request("response_mode must be query"));
        }
        if params.one("prompt")? == Some("none") {
            return Err(Refused::new(ErrorCode::AccessDenied, "the user must be asked"));
        }
        let challenge = Challenge::parse(params.one("code_challenge")?, params.one("code_challenge_method")?)?;
        Ok(Self { scopes: scopes(params)?, challenge, resource: resources.pick(params)? })
    }

    /// What the client gets when this user says yes.
    ///
    /// # Errors
    /// `invalid_scope` when nothing of what it asks for is the user's to give.
    pub fn granted(&self, client: &Client, user: &Scopes) -> Result<Scopes, Refused> {
        let asked = self.scopes.as_ref().map_or_else(|| user.clone(), |asked| user.shared_with(asked));
        let granted = client.bound(asked);
        if granted.is_empty() && self.scopes.is_some() {
            return Err(Refused::new(ErrorCode::InvalidScope, "none of the scopes is the user's to give"));
        }
        Ok(granted)
    }
}

/// The parameter `scope`, with the characters that scopes have (RFC 6749 §3.3).
pub(super) fn scopes(params: &Params) -> Result<Option<Scopes>, Refused> {
    let Some(text) = params.one("scope")? else { return Ok(None) };
    let legal = |word: &str| word.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
    if !text.split(' ').all(legal) {
        return Err(Refused::new(ErrorCode::InvalidScope, "a scope has characters that no scope has"));
    }
    let scopes: Scopes = text.split_whitespace().collect();
    Ok(Some(scopes).filter(|scopes| !scopes.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::RedirectUri;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn client() -> Client {
        Client {
            id: "c".into(),
            name: "C".into(),
            redirect_uris: vec![RedirectUri::parse("https://app.example/cb?k=v").unwrap()],
            grants: vec![GrantType::AuthorizationCode],
            secret: None,
            scopes: Some(["a", "b"].into_iter().collect()),
        }
    }

    fn params(text: &str) -> Params {
        Params::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn nothing_goes_to_an_address_that_is_not_the_clients() {
        for query in [
            "state=x",
            "redirect_uri=",
            "redirect_uri=https://evil.example/cb",
            "redirect_uri=https://app.example/cb",
            "redirect_uri=https://app.example/cb?k=v%26x=y",
            "redirect_uri=https://app.example/cb?k=v&redirect_uri=https://evil.example/",
            "redirect_uri=//evil.example",
            "redirect_uri=https://app.example/cb?k=v%0d%0aLocation:+https://evil.example/",
        ] {
            assert!(Redirect::of(&params(query), &client()).is_err(), "{query}");
        }
    }

    #[test]
    fn an_answer_brings_the_state_and_names_the_issuer() {
        let redirect =
            Redirect::of(&params("redirect_uri=https://app.example/cb?k=v&state=a+b%26"), &client()).unwrap();
        assert_eq!(
            redirect.with_code("https://as", "the code"),
            "https://app.example/cb?k=v&code=the+code&state=a+b%26&iss=https%3A%2F%2Fas"
        );
        let refused = Refused::new(ErrorCode::AccessDenied, "no");
        assert_eq!(
            redirect.with_error("https://as", &refused),
            "https://app.example/cb?k=v&error=access_denied&error_description=no&state=a+b%26&iss=https%3A%2F%2Fas"
        );
    }

    #[test]
    fn a_request_without_proof_key_or_for_something_else_is_refused() {
        let resources = Resources::new("https://as/mcp", ["https://as".to_owned()]);
        let good = format!("response_type=code&code_challenge={CHALLENGE}&code_challenge_method=S256");
        let read = |query: &str| AuthorizationRequest::read(&params(query), &client(), &resources);
        assert_eq!(read(&good).unwrap().resource, "https://as/mcp");
        for (more, expected) in [
            ("scope=a+c", Ok(())),
            ("resource=https://as/", Ok(())),
            ("prompt=consent", Ok(())),
            ("prompt=none", Err(ErrorCode::AccessDenied)),
            ("resource=https://other/mcp", Err(ErrorCode::InvalidTarget)),
            ("scope=a\"b", Err(ErrorCode::InvalidScope)),
            ("request=eyJ", Err(ErrorCode::InvalidRequest)),
            ("request_uri=urn:x", Err(ErrorCode::InvalidRequest)),
            ("response_mode=fragment", Err(ErrorCode::InvalidRequest)),
            ("response_type=code", Err(ErrorCode::InvalidRequest)),
        ] {
            let outcome = read(&format!("{good}&{more}")).map(drop).map_err(|refused| refused.code);
            assert_eq!(outcome, expected, "{more}");
        }
        for (without, expected) in [
            ("response_type=token", ErrorCode::UnsupportedResponseType),
            ("response_type=code", ErrorCode::InvalidRequest),
            ("", ErrorCode::InvalidRequest),
        ] {
            assert_eq!(read(without).unwrap_err().code, expected, "{without}");
        }
        let plain = good.replace("S256", "plain");
        assert_eq!(read(&plain).unwrap_err().code, ErrorCode::InvalidRequest);
        let machine = Client { grants: vec![GrantType::ClientCredentials], ..client() };
        let refused = AuthorizationRequest::read(&params(&good), &machine, &resources).unwrap_err();
        assert_eq!(refused.code, ErrorCode::UnauthorizedClient);
    }

    #[test]
    fn a_client_gets_what_it_asks_for_and_the_user_has_and_it_may_have() {
        let set = |text: &str| text.split_whitespace().collect::<Scopes>();
        for (asked, user, expected) in [
            (Some("a"), "a b", Ok("a")),
            (Some("a c"), "a b c", Ok("a")),
            (None, "a c", Ok("a")),
            (None, "", Ok("")),
            (Some("b"), "a", Err(ErrorCode::InvalidScope)),
            (Some("c"), "c", Err(ErrorCode::InvalidScope)),
        ] {
            let challenge = Challenge::parse(Some(CHALLENGE), Some("S256")).unwrap();
            let request = AuthorizationRequest { scopes: asked.map(set), challenge, resource: "r".into() };
            let granted = request.granted(&client(), &set(user)).map_err(|refused| refused.code);
            assert_eq!(granted, expected.map(set), "{asked:?} {user}");
        }
    }
}
