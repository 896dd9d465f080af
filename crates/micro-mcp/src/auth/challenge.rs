//! What a server says with `WWW-Authenticate` (RFC 9110 section 11.6.1, RFC 6750, RFC 9449, RFC 9728).

use http::{HeaderMap, header::WWW_AUTHENTICATE};

use super::scopes::Scopes;

/// Longest header value that is read, in bytes.
const MAX_LEN: usize = 8 * 1024;

/// Most parameters that one challenge may have.
const MAX_PARAMS: usize = 32;

/// One challenge: a scheme and its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    scheme: String,
    params: Vec<(String, String)>,
}

impl Challenge {
    /// Every challenge of one header value. What cannot be read ends the list; nothing is an error, because a
    /// challenge is only a hint about where to look next.
    pub fn parse(value: &str) -> Vec<Self> {
        if value.len() > MAX_LEN {
            return Vec::new();
        }
        let mut challenges = Vec::new();
        let mut rest = Scanner(value);
        while let Some(challenge) = rest.challenge() {
            challenges.push(challenge);
        }
        challenges
    }

    /// The challenge of these headers that speaks of OAuth tokens: `Bearer` or `DPoP`, the first that names
    /// protected-resource metadata, else the first at all.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut all: Vec<_> = headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(Self::parse)
            .filter(|challenge| challenge.is("Bearer") || challenge.is("DPoP"))
            .collect();
        let best = all.iter().position(|challenge| challenge.resource_metadata().is_some()).unwrap_or(0);
        (best < all.len()).then(|| all.swap_remove(best))
    }

    /// Whether this is the scheme; case does not count.
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// A parameter by name; case of the name does not count.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Where the protected-resource metadata is (RFC 9728 section 5.1).
    pub fn resource_metadata(&self) -> Option<&str> {
        self.param("resource_metadata")
    }

    /// The scopes the request would have needed (RFC 6750 section 3).
    pub fn scopes(&self) -> Option<Scopes> {
        self.param("scope").map(Scopes::parse).filter(|scopes| !scopes.is_empty())
    }

    /// Whether the token was good but not enough (RFC 6750 section 3.1).
    pub fn wants_more_scopes(&self) -> bool {
        self.param("error") == Some("insufficient_scope")
    }

    /// Whether the server asks for a DPoP proof with its nonce (RFC 9449 section 9).
    pub fn wants_nonce(&self) -> bool {
        self.param("error") == Some("use_dpop_nonce")
    }
}

/// Reads challenges from the front of a text.
struct Scanner<'a>(&'a str);

impl Scanner<'_> {
    fn challenge(&mut self) -> Option<Challenge> {
        self.skip(|c| c == ' ' || c == '\t' || c == ',');
        let scheme = self.token()?;
        let mut challenge = Challenge { scheme, params: Vec::new() };
        if !self.0.starts_with([' ', '\t']) {
            return Some(challenge);
        }
        self.blanks();
        self.token68();
        while challenge.params.len() < MAX_PARAMS {
            self.skip(|c| c == ' ' || c == '\t' || c == ',');
            let Some(param) = self.param() else { break };
            challenge.params.push(param);
        }
        Some(challenge)
    }

    /// `name = value`; leaves everything in place when this is not one, but the next scheme.
    fn param(&mut self) -> Option<(String, String)> {
        let before = self.0;
        let param = self.try_param();
        if param.is_none() {
            self.0 = before;
        }
        param
    }

    fn try_param(&mut self) -> Option<(String, String)> {
        let name = self.token()?;
        self.blanks();
        self.0 = self.0.strip_prefix('=')?;
        self.blanks();
        let value = match self.0.strip_prefix('"') {
            Some(rest) => {
                self.0 = rest;
                self.quoted()?
            }
            None => self.token()?,
        };
        Some((name, value))
    }

    /// The one unnamed value that a challenge may have instead of parameters (`Negotiate abc==`).
    fn token68(&mut self) {
        let end = self.0.find([' ', '\t', ',']).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        let core = word.trim_end_matches('=');
        let unnamed = !core.is_empty()
            && core.chars().all(|c| c.is_ascii_alphanumeric() || "-._~+/".contains(c))
            && (rest.is_empty() || rest.trim_start().starts_with(','));
        if unnamed {
            self.0 = rest;
        }
    }

    fn quoted(&mut self) -> Option<String> {
        let mut value = String::new();
        let mut chars = self.0.char_indices();
        loop {
            match chars.next()? {
                (at, '"') => {
                    self.0 = &self.0[at + 1..];
                    return Some(value);
                }
                (_, '\\') => value.push(chars.next()?.1),
                (_, c) => value.push(c),
            }
        }
    }

    fn token(&mut self) -> Option<String> {
        let end = self
            .0
            .find(|c: char| !(c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)))
            .unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(end);
        self.0 = rest;
        (!token.is_empty()).then(|| token.to_owned())
    }

    fn blanks(&mut self) {
        self.skip(|c| c == ' ' || c == '\t');
    }

    fn skip(&mut self, what: impl Fn(char) -> bool) {
        self.0 = self.0.trim_start_matches(what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &str) -> String {
        let text = |challenge: &Challenge| {
            let params: Vec<_> = challenge.params.iter().map(|(name, value)| format!("{name}=<{value}>")).collect();
            format!("{} {}", challenge.scheme, params.join(" ")).trim_end().to_owned()
        };
        Challenge::parse(value).iter().map(text).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn challenges_are_read_as_rfc_9110_writes_them() {
        for (value, expected) in [
            ("", ""),
            ("Bearer", "Bearer"),
            (r#"Bearer realm="x""#, "Bearer realm=<x>"),
            (r#"bearer scope="a b", error=invalid_token"#, "bearer scope=<a b> error=<invalid_token>"),
            (r#"Basic realm="a, b=\"c\"", Bearer scope="x""#, r#"Basic realm=<a, b="c"> | Bearer scope=<x>"#),
            (r#"Negotiate abc==, DPoP algs="ES256""#, "Negotiate | DPoP algs=<ES256>"),
            (r"Negotiate, Bearer a = 1 , , b=2", "Negotiate | Bearer a=<1> b=<2>"),
            (r#"Bearer resource_metadata="https://a/b?c=d""#, "Bearer resource_metadata=<https://a/b?c=d>"),
            (r#"Bearer scope="never closed"#, "Bearer | scope"),
            (r#""", x"#, ""),
            ("Bearer ü=1", "Bearer"),
        ] {
            assert_eq!(shown(value), expected, "{value}");
        }
        assert!(Challenge::parse(&format!("Bearer a=\"{}\"", "x".repeat(MAX_LEN))).is_empty());
    }

    #[test]
    fn of_several_challenges_the_one_with_metadata_counts() {
        let mut headers = HeaderMap::new();
        assert_eq!(Challenge::of(&headers), None);
        headers.append(WWW_AUTHENTICATE, r#"Basic realm="x", Bearer scope="one""#.parse().unwrap());
        headers.append(
            WWW_AUTHENTICATE,
            r#"DPoP resource_metadata="https://a/", error="use_dpop_nonce""#.parse().unwrap(),
        );
        let challenge = Challenge::of(&headers).unwrap();
        assert!(challenge.is("dpop") && challenge.wants_nonce() && !challenge.wants_more_scopes());
        assert_eq!(challenge.resource_metadata(), Some("https://a/"));
        assert_eq!(challenge.scopes(), None);
    }

    #[test]
    fn the_fuzz_corpus_never_panics_and_reads_the_same_again() {
        let mut files = 0;
        for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/challenge")).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for challenge in Challenge::parse(&text) {
                assert!(challenge.params.len() <= MAX_PARAMS && !challenge.scheme.is_empty());
                for (name, value) in &challenge.params {
                    let quoted = value.replace('\\', r"\\").replace('"', r#"\""#);
                    let again = Challenge::parse(&format!(r#"Bearer {name}="{quoted}""#));
                    assert_eq!(again[0].param(name), Some(value.as_str()), "{text}");
                }
            }
            files += 1;
        }
        assert!(files >= 20, "the corpus has {files} files");
    }
}
