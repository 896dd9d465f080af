//! What a client says of itself: when it registers (RFC 7591), or in a document at its own URL
//! (draft-ietf-oauth-client-id-metadata-document).

use serde::Deserialize;
use url::Url;

use super::{
    client::{Client, ClientAuth, GrantType},
    error::{ErrorCode, Refused},
    redirect::RedirectUri,
};
use crate::{Digest, Scopes};

/// Most redirect URIs of a client.
const MAX_REDIRECTS: usize = 16;

/// Most letters of a client's name.
const MAX_NAME: usize = 80;

/// A client that asks to be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Its name for users.
    pub name: String,
    /// Where its users are sent back to.
    pub redirect_uris: Vec<RedirectUri>,
    /// What it may ask with.
    pub grants: Vec<GrantType>,
    /// How it will show that it is itself.
    pub auth: ClientAuth,
    /// What it wants at most.
    pub scopes: Option<Scopes>,
}

#[derive(Deserialize)]
struct Metadata {
    client_id: Option<String>,
    client_secret: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    redirect_uris: Vec<String>,
    token_endpoint_auth_method: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    client_name: Option<String>,
    scope: Option<String>,
}

impl Registration {
    /// Longest description that is read, in bytes.
    pub const MAX_LEN: usize = 16 * 1024;

    /// Reads a registration request. Grants that work without a user are left out, as those that are not known: whoever
    /// registers itself gets none.
    ///
    /// # Errors
    /// `invalid_client_metadata` or `invalid_redirect_uri`.
    pub fn parse(json: &[u8]) -> Result<Self, Refused> {
        let metadata = read(json)?;
        let method = metadata.token_endpoint_auth_method.as_deref().unwrap_or("client_secret_basic");
        let auth = ClientAuth::parse(method).ok_or(invalid("token_endpoint_auth_method is none of those here"))?;
        Self::of(metadata, auth)
    }

    fn of(metadata: Metadata, auth: ClientAuth) -> Result<Self, Refused> {
        if metadata.redirect_uris.is_empty() || metadata.redirect_uris.len() > MAX_REDIRECTS {
            return Err(Refused::new(ErrorCode::InvalidRedirectUri, "there must be 1 to 16 redirect_uris"));
        }
        let redirect_uris =
            metadata.redirect_uris.iter().map(|uri| RedirectUri::parse(uri)).collect::<Result<_, _>>()?;
        if metadata.response_types.is_some_and(|types| !types.iter().any(|kind| kind == "code")) {
            return Err(invalid("response_types must have code"));
        }
        let asked = metadata.grant_types.unwrap_or_else(|| vec!["authorization_code".to_owned()]);
        let open = [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::TokenExchange];
        let grants: Vec<_> = open.into_iter().filter(|grant| asked.iter().any(|a| a == grant.as_str())).collect();
        if !grants.contains(&GrantType::AuthorizationCode) {
            return Err(invalid("grant_types must have authorization_code"));
        }
        let name = metadata.client_name.as_deref().map(shown).unwrap_or_default();
        let scopes = metadata.scope.map(|scope| scope.split_whitespace().collect::<Scopes>());
        Ok(Self { name, redirect_uris, grants, auth, scopes: scopes.filter(|scopes| !scopes.is_empty()) })
    }

    /// The client, under this name and with this secret.
    pub fn into_client(self, id: String, secret: Option<&str>) -> Client {
        let Self { name, redirect_uris, grants, scopes, .. } = self;
        Client { id, name, redirect_uris, grants, secret: secret.map(Digest::of), scopes }
    }
}

/// The client that a document at its own URL describes. The document must say that it is this URL's, and has no secret:
/// anybody can read it.
///
/// # Errors
/// `invalid_client` when it is another's, `invalid_client_metadata` or `invalid_redirect_uri` when it makes no sense.
pub fn document(url: &str, json: &[u8]) -> Result<Client, Refused> {
    let metadata = read(json)?;
    if metadata.client_id.as_deref() != Some(url) {
        return Err(Refused::new(ErrorCode::InvalidClient, "the client's document is for another client_id"));
    }
    let method = metadata.token_endpoint_auth_method.as_deref().unwrap_or("none");
    if metadata.client_secret.is_some() || ClientAuth::parse(method) != Some(ClientAuth::None) {
        return Err(invalid("a client with a document has no secret"));
    }
    Ok(Registration::of(metadata, ClientAuth::None)?.into_client(url.to_owned(), None))
}

/// The address of a client's document, when its name is one: a URL with a path, without credentials, fragment or dots to
/// climb. Whether it may be asked is for whoever asks.
pub fn document_url(client_id: &str) -> Option<Url> {
    let named = client_id.starts_with("https://") || client_id.starts_with("http://");
    let url = Url::parse(client_id).ok().filter(|_| named && client_id.len() <= RedirectUri::MAX_LEN)?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    // A name that would be written otherwise is another name for the same document.
    (plain && url.path() != "/" && url.as_str() == client_id).then_some(url)
}

fn read(json: &[u8]) -> Result<Metadata, Refused> {
    if json.len() > Registration::MAX_LEN {
        return Err(invalid("the description is too long"));
    }
    serde_json::from_slice(json).map_err(|_| invalid("the description is no client metadata"))
}

fn invalid(why: &'static str) -> Refused {
    Refused::new(ErrorCode::InvalidClientMetadata, why)
}

/// A name that can be shown: on one line, not too long, and without characters that change how others are read.
fn shown(name: &str) -> String {
    let plain = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    name.chars().filter(plain).take(MAX_NAME).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn code(json: &Value) -> Result<Registration, ErrorCode> {
        Registration::parse(json.to_string().as_bytes()).map_err(|refused| refused.code)
    }

    #[test]
    fn a_client_that_registers_gets_no_grant_without_a_user() {
        let asked = json!({
            "redirect_uris": ["http://127.0.0.1:1/cb"],
            "grant_types": ["authorization_code", "client_credentials", "password", "refresh_token"],
            "client_name": "No\u{202e}tes\n",
            "unknown": {"x": 1},
        });
        let registration = code(&asked).unwrap();
        assert_eq!(registration.grants, [GrantType::AuthorizationCode, GrantType::RefreshToken]);
        assert_eq!((registration.name.as_str(), registration.auth), ("Notes", ClientAuth::Basic));
        let client = registration.into_client("c".into(), Some("s3cret"));
        assert!(client.secret.unwrap().is_of("s3cret"));
    }

    #[test]
    fn a_description_that_makes_no_sense_is_refused() {
        let redirect = ["https://app.example/cb"];
        let (metadata, redirects) = (ErrorCode::InvalidClientMetadata, ErrorCode::InvalidRedirectUri);
        for (asked, expected) in [
            (json!([]), metadata),
            (json!({}), redirects),
            (json!({"redirect_uris": "https://app.example/cb"}), metadata),
            (json!({"redirect_uris": ["http://app.example/cb"]}), redirects),
            (json!({"redirect_uris": vec!["https://app.example/cb"; 17]}), redirects),
            (json!({"redirect_uris": redirect, "grant_types": ["client_credentials"]}), metadata),
            (json!({"redirect_uris": redirect, "response_types": ["token"]}), metadata),
            (json!({"redirect_uris": redirect, "token_endpoint_auth_method": "private_key_jwt"}), metadata),
            (json!({"redirect_uris": redirect, "client_name": "x".repeat(Registration::MAX_LEN)}), metadata),
        ] {
            assert_eq!(code(&asked), Err(expected), "{asked}");
        }
        assert_eq!(Registration::parse(b"{").unwrap_err().code, metadata);
    }

    #[test]
    fn a_document_is_of_the_client_it_names_and_has_no_secret() {
        let url = "https://app.example/client.json";
        let redirect = ["https://app.example/cb"];
        let read = |json: Value| document(url, json.to_string().as_bytes()).map_err(|refused| refused.code);
        let client = read(json!({"client_id": url, "redirect_uris": redirect, "client_name": "App"})).unwrap();
        assert_eq!((client.id.as_str(), client.secret), (url, None));
        for (json, expected) in [
            (json!({"client_id": "https://app.example/other", "redirect_uris": redirect}), ErrorCode::InvalidClient),
            (json!({"redirect_uris": redirect}), ErrorCode::InvalidClient),
            (json!({"client_id": url}), ErrorCode::InvalidRedirectUri),
            (
                json!({"client_id": url, "redirect_uris": redirect, "client_secret": "s"}),
                ErrorCode::InvalidClientMetadata,
            ),
            (
                json!({"client_id": url, "redirect_uris": redirect, "token_endpoint_auth_method": "client_secret_post"}),
                ErrorCode::InvalidClientMetadata,
            ),
        ] {
            assert_eq!(read(json.clone()), Err(expected), "{json}");
        }
    }

    #[test]
    fn a_name_is_an_address_when_it_is_written_as_one() {
        for (id, is) in [
            ("https://app.example/client.json", true),
            ("https://app.example:8443/c?x=1", true),
            ("http://127.0.0.1:1/c", true),
            ("https://app.example", false),
            ("https://app.example/", false),
            ("https://user@app.example/c", false),
            ("https://app.example/c#x", false),
            ("https://app.example/a/../c", false),
            ("HTTPS://app.example/c", false),
            ("https://APP.example/c", false),
            ("client-1", false),
            ("ftp://app.example/c", false),
        ] {
            assert_eq!(document_url(id).is_some(), is, "{id}");
        }
    }

    #[test]
    fn the_fuzz_corpus_gets_no_grant_without_a_user() {
        let mut files = 0;
        for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/oauth_client")).unwrap() {
            let json = std::fs::read(file.unwrap().path()).unwrap();
            files += 1;
            if let Ok(registration) = Registration::parse(&json) {
                assert!(!registration.grants.contains(&GrantType::ClientCredentials));
            }
            if let Ok(client) = document("https://app.example/client.json", &json) {
                assert_eq!(client.secret, None);
            }
        }
        assert!(files >= 14, "the corpus has {files} files");
    }
}
