//! Where a user may be sent back to (RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1).

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::error::{ErrorCode, Refused};

/// A redirect URI that a client has registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RedirectUri(String);

impl RedirectUri {
    /// Longest one, in bytes.
    pub const MAX_LEN: usize = 2048;

    /// Takes one into a registration: `https` anywhere, `http` on loopback only, or a scheme of the app's own, which has
    /// a dot in it (RFC 8252 §7.1) and therefore is none that a browser runs.
    ///
    /// # Errors
    /// `invalid_redirect_uri` for every other one, and for one with a fragment, credentials or characters that no URI has.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let refused = |why| Err(Refused::new(ErrorCode::InvalidRedirectUri, why));
        if text.len() > Self::MAX_LEN || !text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\') {
            return refused("the redirect URI is not a URI");
        }
        let Ok(url) = Url::parse(text) else { return refused("the redirect URI is not a URI") };
        if text.contains('#') {
            return refused("a redirect URI has no fragment");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("a redirect URI has no credentials");
        }
        match url.scheme() {
            "https" => Ok(Self(text.to_owned())),
            "http" if is_loopback(&url) => Ok(Self(text.to_owned())),
            "http" => refused("a redirect URI without TLS must be on loopback"),
            own if own.contains('.') => Ok(Self(text.to_owned())),
            _ => refused("a redirect URI's scheme is https, or has a dot"),
        }
    }

    /// The URI.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a request may name this one: the very same text, but for the port on loopback, which a program takes as
    /// it finds it (RFC 8252 §7.3).
    pub fn allows(&self, asked: &str) -> bool {
        self.0 == asked
            || (Self::parse(asked).is_ok()
                && matches!((without_port(&self.0), without_port(asked)), (Some(one), Some(other)) if one == other))
    }

    /// Where it leads, in words for a user: the host, or the app's own scheme.
    pub fn place(&self) -> String {
        let Ok(url) = Url::parse(&self.0) else { return String::new() };
        match url.host_str() {
            Some(host) if matches!(url.scheme(), "http" | "https") => host.to_owned(),
            _ => format!("{}:", url.scheme()),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// The host of a loopback URI, and what comes behind its port, letter by letter; `None` for others.
fn without_port(text: &str) -> Option<(&str, &str)> {
    Url::parse(text).ok().filter(|url| url.scheme() == "http" && is_loopback(url))?;
    let rest = text.strip_prefix("http://")?;
    let (authority, behind) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    Some((host, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_leads_to_tls_to_loopback_or_to_an_app() {
        for (uri, ok) in [
            ("https://app.example/cb", true),
            ("https://app.example:8443/cb?x=1", true),
            ("http://127.0.0.1:5000/cb", true),
            ("http://[::1]/cb", true),
            ("http://localhost:5000/cb", true),
            ("com.example.app:/cb", true),
            ("com.example.app://cb", true),
            ("http://app.example/cb", false),
            ("http://127.0.0.1.evil.example/cb", false),
            ("http://localhost.evil.example/cb", false),
            ("https://app.example/cb#x", false),
            ("https://user@app.example/cb", false),
            ("https://user:pass@app.example/cb", false),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("file:///etc/passwd", false),
            ("myapp:/cb", false),
            ("/cb", false),
            ("", false),
            ("https://app.example/c b", false),
            ("https://app.example/\\@evil.example", false),
            ("https://app.example/\r\nLocation: x", false),
        ] {
            assert_eq!(RedirectUri::parse(uri).is_ok(), ok, "{uri}");
        }
        assert!(RedirectUri::parse(&format!("https://a/{}", "x".repeat(RedirectUri::MAX_LEN))).is_err());
    }

    #[test]
    fn only_the_port_on_loopback_may_differ() {
        for (registered, asked, ok) in [
            ("https://app.example/cb", "https://app.example/cb", true),
            ("https://app.example/cb", "https://app.example/cb/", false),
            ("https://app.example/cb", "https://app.example/cb?x=1", false),
            ("https://app.example/cb", "https://app.example/CB", false),
            ("https://app.example/cb", "https://app.example:8443/cb", false),
            ("https://app.example/cb", "https://app.example/x/../cb", false),
            ("https://app.example/cb", "https://app.example.evil.example/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:4711/cb", true),
            ("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb", true),
            ("http://localhost:1/cb", "http://localhost:2/cb", true),
            ("http://[::1]:1/cb", "http://[::1]:2/cb", true),
            ("http://127.0.0.1:1/cb", "http://localhost:1/cb", false),
            ("http://127.0.0.1:1/cb", "http://127.0.0.1:2/other", false),
            ("http://127.0.0.1:1/cb", "http://127.0.0.1:2@evil.example/cb", false),
            ("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb#x", false),
            ("http://127.0.0.1:1/cb", "http://127.0.0.1:2/x/../cb", false),
            ("http://127.0.0.1:1/cb", "http://0x7f.1:2/cb", false),
            ("http://127.0.0.1:1?a", "http://127.0.0.1?a", true),
            ("http://127.0.0.1:1/cb", "https://127.0.0.1:2/cb", false),
            ("com.example.app:/cb", "com.example.app:/cb", true),
            ("com.example.app:/cb", "com.example.app:/other", false),
        ] {
            assert_eq!(RedirectUri::parse(registered).unwrap().allows(asked), ok, "{registered} {asked}");
        }
    }

    #[test]
    fn a_user_sees_where_it_leads() {
        for (uri, place) in [
            ("https://app.example:8443/cb", "app.example"),
            ("http://127.0.0.1:5000/cb", "127.0.0.1"),
            ("com.example.app:/cb", "com.example.app:"),
        ] {
            assert_eq!(RedirectUri::parse(uri).unwrap().place(), place);
        }
    }

    #[test]
    fn the_fuzz_corpus_leads_nowhere_else() {
        let mut files = 0;
        for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/oauth_redirect")).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let (registered, asked) = text.split_once('\n').unwrap_or((&text, &text));
            files += 1;
            let Ok(uri) = RedirectUri::parse(registered) else { continue };
            if uri.allows(asked) {
                assert_eq!(uri.place(), RedirectUri::parse(asked).unwrap().place(), "{text}");
            }
        }
        assert!(files >= 16, "the corpus has {files} files");
    }
}
