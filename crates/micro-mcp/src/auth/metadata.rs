//! The two metadata documents, where they are, and what must hold of them (RFC 9728, RFC 8414, OpenID Discovery).

use serde::{Deserialize, Deserializer};
use url::Url;

use super::{
    error::{Document, Error},
    scopes::Scopes,
};

/// Most authorization servers that are read from a resource's metadata.
const MAX_SERVERS: usize = 32;

/// What a protected resource says of itself (RFC 9728 section 2).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ResourceMetadata {
    /// The resource identifier, as published; it is sent back letter by letter.
    pub resource: String,
    /// Issuers whose tokens the resource takes, as published.
    #[serde(default)]
    pub authorization_servers: Vec<String>,
    /// All scopes that the resource knows.
    #[serde(default, deserialize_with = "scopes")]
    pub scopes_supported: Option<Scopes>,
    /// Whether the resource takes DPoP-bound tokens only.
    #[serde(default)]
    pub dpop_bound_access_tokens_required: bool,
    /// Algorithms of DPoP proofs that the resource takes.
    #[serde(default)]
    pub dpop_signing_alg_values_supported: Vec<String>,
}

impl ResourceMetadata {
    /// Reads the document.
    ///
    /// # Errors
    /// [`Error::Malformed`] when it is not JSON of this shape or names no authorization server (which MCP demands).
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        let mut metadata: Self =
            serde_json::from_slice(json).map_err(|_| Error::Malformed(Document::ProtectedResource))?;
        metadata.authorization_servers.truncate(MAX_SERVERS);
        if metadata.authorization_servers.is_empty() {
            return Err(Error::Malformed(Document::ProtectedResource));
        }
        Ok(metadata)
    }

    /// Checks that the document speaks of this server: its `resource` is the server's URL or one above it on the
    /// same origin (RFC 9728 section 3.3, loosened as MCP does for documents at the root).
    ///
    /// # Errors
    /// [`Error::ResourceMismatch`] when it does not.
    pub fn check(&self, server: &Url) -> Result<(), Error> {
        let resource = Url::parse(&self.resource).map_err(|_| Error::ResourceMismatch)?;
        let above = resource.path().trim_end_matches('/');
        let below = server.path().trim_end_matches('/');
        let covers = below.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if resource.origin() == server.origin() && covers && resource.fragment().is_none() {
            Ok(())
        } else {
            Err(Error::ResourceMismatch)
        }
    }
}

/// What an authorization server says of itself (RFC 8414 section 2, OpenID Discovery section 3).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ServerMetadata {
    /// Its identifier, as published; compared letter by letter.
    pub issuer: String,
    /// Where users are sent.
    #[serde(default)]
    pub authorization_endpoint: Option<String>,
    /// Where codes and assertions become tokens.
    pub token_endpoint: String,
    /// Where clients make themselves known (RFC 7591).
    #[serde(default)]
    pub registration_endpoint: Option<String>,
    /// All scopes it knows.
    #[serde(default, deserialize_with = "scopes")]
    pub scopes_supported: Option<Scopes>,
    /// How clients may prove who they are at the token endpoint; `None` means `client_secret_basic`.
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Ways of PKCE; without `S256` no user is sent there.
    #[serde(default)]
    pub code_challenge_methods_supported: Option<Vec<String>>,
    /// Whether it puts `iss` into its redirects (RFC 9207).
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
    /// Whether a URL can be a client's name (Client ID Metadata Documents).
    #[serde(default)]
    pub client_id_metadata_document_supported: bool,
    /// Algorithms of DPoP proofs that it takes (RFC 9449 section 5.1).
    #[serde(default)]
    pub dpop_signing_alg_values_supported: Vec<String>,
}

impl ServerMetadata {
    /// Reads the document.
    ///
    /// # Errors
    /// [`Error::Malformed`] when it is not JSON of this shape.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(json).map_err(|_| Error::Malformed(Document::AuthorizationServer))
    }

    /// Checks that the document is that of this issuer: the same string, with no normalisation (RFC 8414 section 3.3).
    ///
    /// # Errors
    /// [`Error::IssuerMismatch`] when it is another's.
    pub fn check(&self, issuer: &str) -> Result<(), Error> {
        if self.issuer == issuer { Ok(()) } else { Err(Error::IssuerMismatch) }
    }

    /// Where the endpoints are when nothing is published (MCP 2025-03-26, fallbacks): at the root of the server.
    pub(crate) fn fallback(origin: &str) -> Self {
        Self {
            issuer: origin.to_owned(),
            authorization_endpoint: Some(format!("{origin}/authorize")),
            token_endpoint: format!("{origin}/token"),
            registration_endpoint: Some(format!("{origin}/register")),
            scopes_supported: None,
            token_endpoint_auth_methods_supported: None,
            code_challenge_methods_supported: Some(vec!["S256".to_owned()]),
            authorization_response_iss_parameter_supported: false,
            client_id_metadata_document_supported: false,
            dpop_signing_alg_values_supported: Vec::new(),
        }
    }

    /// Where users are sent.
    ///
    /// # Errors
    /// [`Error::Malformed`] when it names none, [`Error::NoPkce`] when it does not say that it knows PKCE with S256.
    pub(crate) fn authorization_endpoint(&self) -> Result<&str, Error> {
        let s256 = self.code_challenge_methods_supported.iter().flatten().any(|method| method == "S256");
        if !s256 {
            return Err(Error::NoPkce);
        }
        self.authorization_endpoint.as_deref().ok_or(Error::Malformed(Document::AuthorizationServer))
    }

    /// Whether it takes DPoP proofs that we can make.
    pub(crate) fn takes_dpop(&self) -> bool {
        self.dpop_signing_alg_values_supported.iter().any(|alg| alg == "ES256")
    }
}

/// Where a server's resource metadata may be, best first: for its path, then at the root (RFC 9728 section 3.1).
pub(crate) fn resource_metadata_urls(server: &Url) -> Vec<Url> {
    let root = "/.well-known/oauth-protected-resource";
    let mut urls = vec![at(server, root)];
    let path = server.path().trim_end_matches('/');
    if !path.is_empty() {
        urls.insert(0, at(server, &format!("{root}{path}")));
    }
    urls
}

/// Where an issuer's metadata may be, best first (MCP authorization, metadata discovery).
pub fn server_metadata_urls(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/').to_owned();
    let before = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];
    let mut urls: Vec<_> = before.iter().map(|prefix| at(issuer, &format!("{prefix}{path}"))).collect();
    if !path.is_empty() {
        urls.push(at(issuer, &format!("{path}/.well-known/openid-configuration")));
    }
    urls
}

fn at(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(path);
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// A list of scopes, as metadata writes it.
fn scopes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Scopes>, D::Error> {
    let words = Option::<Vec<String>>::deserialize(deserializer)?;
    Ok(words.map(|words| words.iter().map(String::as_str).collect::<Scopes>()).filter(|scopes| !scopes.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn documents_are_looked_for_where_the_specification_says() {
        let shown = |urls: Vec<Url>| urls.iter().map(|url| url.path().to_owned()).collect::<Vec<_>>();
        let prm = "/.well-known/oauth-protected-resource";
        for (server, expected) in [
            ("https://a", vec![prm.to_owned()]),
            ("https://a/", vec![prm.to_owned()]),
            ("https://a/mcp?x=1", vec![format!("{prm}/mcp"), prm.to_owned()]),
            ("https://a/b/mcp/", vec![format!("{prm}/b/mcp"), prm.to_owned()]),
        ] {
            assert_eq!(shown(resource_metadata_urls(&url(server))), expected, "{server}");
        }
        let (oauth, oidc) = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration");
        for (issuer, expected) in [
            ("https://a", vec![oauth.to_owned(), oidc.to_owned()]),
            ("https://a/t/1", vec![format!("{oauth}/t/1"), format!("{oidc}/t/1"), format!("/t/1{oidc}")]),
        ] {
            assert_eq!(shown(server_metadata_urls(&url(issuer))), expected, "{issuer}");
        }
    }

    #[test]
    fn a_resource_is_the_server_or_above_it() {
        for (resource, server, ok) in [
            ("https://a/mcp", "https://a/mcp", true),
            ("https://A:443/mcp/", "https://a/mcp", true),
            ("https://a", "https://a/mcp", true),
            ("https://a/", "https://a/mcp", true),
            ("https://a/mc", "https://a/mcp", false),
            ("https://a/mcp/x", "https://a/mcp", false),
            ("http://a/mcp", "https://a/mcp", false),
            ("https://a:8443/mcp", "https://a/mcp", false),
            ("https://evil/mcp", "https://a/mcp", false),
            ("https://a/mcp#x", "https://a/mcp", false),
            ("a/mcp", "https://a/mcp", false),
            ("", "https://a/mcp", false),
        ] {
            let json = serde_json::json!({ "resource": resource, "authorization_servers": ["https://as"] });
            let metadata = ResourceMetadata::parse(json.to_string().as_bytes()).unwrap();
            assert_eq!(metadata.check(&url(server)).is_ok(), ok, "{resource} for {server}");
        }
    }

    #[test]
    fn issuers_are_compared_as_strings() {
        let metadata = ServerMetadata::fallback("https://as");
        assert!(metadata.check("https://as").is_ok());
        for other in ["https://as/", "https://AS", "https://as:443", "https://evil"] {
            assert!(matches!(metadata.check(other), Err(Error::IssuerMismatch)), "{other}");
        }
    }

    #[test]
    fn without_s256_no_user_is_sent() {
        let json = |methods: &str| {
            format!(r#"{{"issuer":"i","authorization_endpoint":"a","token_endpoint":"t"{methods}}}"#).into_bytes()
        };
        for (methods, ok) in [
            ("", false),
            (r#","code_challenge_methods_supported":null"#, false),
            (r#","code_challenge_methods_supported":[]"#, false),
            (r#","code_challenge_methods_supported":["plain"]"#, false),
            (r#","code_challenge_methods_supported":["plain","S256"]"#, true),
        ] {
            let metadata = ServerMetadata::parse(&json(methods)).unwrap();
            assert_eq!(metadata.authorization_endpoint().is_ok(), ok, "{methods}");
        }
    }

    #[test]
    fn documents_of_another_shape_are_refused() {
        for json in ["", "[]", "{}", "<html>", r#"{"resource":1}"#, r#"{"resource":"r","authorization_servers":[]}"#] {
            assert!(ResourceMetadata::parse(json.as_bytes()).is_err(), "{json}");
            assert!(ServerMetadata::parse(json.as_bytes()).is_err(), "{json}");
        }
    }

    #[test]
    fn the_fuzz_corpus_never_panics_and_passes_no_check_of_another() {
        let (mut files, server) = (0, url("https://mcp.example/a/mcp"));
        for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/metadata")).unwrap() {
            let json = std::fs::read(file.unwrap().path()).unwrap();
            if let Ok(metadata) = ResourceMetadata::parse(&json) {
                assert!((1..=MAX_SERVERS).contains(&metadata.authorization_servers.len()));
                if metadata.check(&server).is_ok() {
                    assert_eq!(url(&metadata.resource).origin(), server.origin());
                }
            }
            if let Ok(metadata) = ServerMetadata::parse(&json) {
                assert!(metadata.check(&metadata.issuer).is_ok());
                assert!(metadata.check(&format!("{}/", metadata.issuer)).is_err());
            }
            files += 1;
        }
        assert!(files >= 20, "the corpus has {files} files");
    }
}
