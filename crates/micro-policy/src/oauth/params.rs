//! Parameters of a query or a form, as they came.

use std::fmt;

use super::error::Refused;

/// Parameters in their order. None is longer than the whole, and the whole is bounded.
#[derive(Clone, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Longest text that is read, in bytes.
    pub const MAX_LEN: usize = 64 * 1024;

    /// Most parameters that are read.
    pub const MAX_COUNT: usize = 64;

    /// Reads `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// `invalid_request` when it is too long, has too many parameters, or one with a control character other than
    /// line breaks and tabs.
    pub fn parse(text: &[u8]) -> Result<Self, Refused> {
        if text.len() > Self::MAX_LEN {
            return Err(Refused::request("the parameters are too long"));
        }
        let mut params = Vec::new();
        for (name, value) in url::form_urlencoded::parse(text) {
            if params.len() == Self::MAX_COUNT {
                return Err(Refused::request("there are too many parameters"));
            }
            let bad = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
            if name.chars().chain(value.chars()).any(bad) {
                return Err(Refused::request("a parameter has control characters"));
            }
            params.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(params))
    }

    /// A parameter that may be given once. Without a value it counts as absent (RFC 6749 §3.1).
    ///
    /// # Errors
    /// `invalid_request` when it is given twice.
    pub fn one(&self, name: &str) -> Result<Option<&str>, Refused> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Refused::request("a parameter is given twice")),
            (value, None) => Ok(value.filter(|value| !value.is_empty())),
        }
    }

    /// A parameter that must be given once; `why` is what the client is told without it.
    ///
    /// # Errors
    /// `invalid_request` when it is absent or given twice.
    pub fn need(&self, name: &str, why: &'static str) -> Result<&str, Refused> {
        self.one(name)?.ok_or(Refused::request(why))
    }

    /// Every value of a parameter that may be repeated.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|v| !v.is_empty())
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::{Exchange, Presented};

    #[test]
    fn a_parameter_is_there_once_or_not_at_all() {
        let params = Params::parse(b"a=1&b=&c=x+y%26&c=z&resource=r1&resource=r2").unwrap();
        assert_eq!(params.one("a"), Ok(Some("1")));
        assert_eq!(params.one("b"), Ok(None));
        assert_eq!(params.one("d"), Ok(None));
        assert!(params.one("c").is_err());
        assert!(params.need("b", "b is needed").is_err());
        assert_eq!(params.all("resource").collect::<Vec<_>>(), ["r1", "r2"]);
        assert_eq!(params.all("c").next(), Some("x y&"));
    }

    #[test]
    fn what_is_too_much_or_cannot_be_shown_is_refused_and_debug_tells_no_values() {
        assert!(Params::parse(&vec![b'a'; Params::MAX_LEN + 1]).is_err());
        assert!(Params::parse("a=1&".repeat(Params::MAX_COUNT + 1).as_bytes()).is_err());
        assert!(Params::parse(b"a=%00").is_err());
        assert!(Params::parse(b"message=one%0Atwo%09").is_ok());
        assert_eq!(format!("{:?}", Params::parse(b"password=hunter2").unwrap()), r#"{"password"}"#);
    }

    #[test]
    fn the_fuzz_corpus_is_read_or_refused() {
        let mut files = 0;
        for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/oauth_params")).unwrap() {
            let form = std::fs::read(file.unwrap().path()).unwrap();
            files += 1;
            let Ok(params) = Params::parse(&form) else { continue };
            let shown = Presented::read(&params, Some(&String::from_utf8_lossy(&form)));
            assert!(shown.is_err() || form.starts_with(b"Basic YT"), "{params:?}");
            let _ = Exchange::read(&params);
        }
        assert!(files >= 16, "the corpus has {files} files");
    }
}
