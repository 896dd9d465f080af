//! `Origin` and `Host` checks against DNS rebinding and cross-site calls from a browser.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderValue, Uri, header, uri::Authority};

/// Which `Host` and `Origin` values may reach a listener.
///
/// A loopback listener accepts loopback names only: a page whose DNS was rebound to 127.0.0.1 still
/// sends its own name. On any other address the host name is the operator's business, but a browser
/// page (it sends `Origin`) is let in only from an allowed origin.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    loopback: bool,
    /// What clients usually send as `Host`: the listener's own address.
    usual: Option<HeaderValue>,
    hosts: Vec<String>,
    origins: Vec<String>,
}

/// The request is refused (HTTP 403), and which header is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The `Host` is not one of ours.
    #[error("the Host header is not allowed here")]
    Host,
    /// The `Origin` is not one of ours.
    #[error("the Origin header is not allowed here")]
    Origin,
}

impl Guard {
    /// The guard of a listener on this address.
    pub fn of(address: SocketAddr) -> Self {
        let usual = HeaderValue::from_str(&address.to_string()).ok();
        Self { loopback: address.ip().is_loopback(), usual, ..Self::default() }
    }

    /// Also accepts this host name (without port).
    #[must_use]
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into().to_ascii_lowercase());
        self
    }

    /// Also accepts this origin, for example `https://console.example`.
    #[must_use]
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into().trim_end_matches('/').to_ascii_lowercase());
        self
    }

    /// Checks a request's headers. `uri` carries the host of HTTP/2 requests.
    pub fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
        if self.loopback && !self.host_allowed(uri, headers) {
            return Err(Refused::Host);
        }
        match headers.get(header::ORIGIN) {
            Some(origin) if !self.origin_allowed(origin.to_str().unwrap_or("")) => Err(Refused::Origin),
            _ => Ok(()),
        }
    }

    fn host_allowed(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let host = match headers.get(header::HOST) {
            given @ Some(_) if given == self.usual.as_ref() => return true,
            Some(value) => value.to_str().ok().and_then(|v| v.parse::<Authority>().ok()),
            None => uri.authority().cloned(),
        };
        // HTTP/1.0 clients and health probes may send none; a browser always does.
        host.is_none_or(|host| self.is_local(host.host()))
    }

    fn origin_allowed(&self, origin: &str) -> bool {
        if self.origins.iter().any(|o| o.eq_ignore_ascii_case(origin)) {
            return true;
        }
        self.loopback && origin.parse::<Uri>().is_ok_and(|uri| uri.host().is_some_and(|host| self.is_local(host)))
    }

    fn is_local(&self, host: &str) -> bool {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        bare.eq_ignore_ascii_case("localhost")
            || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
            || self.hosts.iter().any(|h| h.eq_ignore_ascii_case(bare))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(guard: &Guard, pairs: &[(&str, &str)]) -> Result<(), Refused> {
        let headers =
            pairs.iter().map(|(k, v)| (k.parse::<header::HeaderName>().unwrap(), v.parse().unwrap())).collect();
        guard.check(&Uri::from_static("/mcp"), &headers)
    }

    #[test]
    fn a_rebound_name_cannot_reach_a_loopback_listener() {
        let guard = Guard::of(([127, 0, 0, 1], 3000).into());
        for host in ["localhost:3000", "127.0.0.1", "[::1]:3000", "127.0.0.2:3000"] {
            assert_eq!(check(&guard, &[("host", host)]), Ok(()), "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:3000"] {
            assert_eq!(check(&guard, &[("host", host)]), Err(Refused::Host), "{host}");
        }
    }

    #[test]
    fn a_page_from_elsewhere_is_refused_on_every_listener() {
        let local = Guard::of(([127, 0, 0, 1], 3000).into());
        let open = Guard::of(([0, 0, 0, 0], 3000).into()).allow_origin("https://console.example");
        for guard in [&local, &open] {
            for origin in ["https://evil.example", "null", "file://", "http://localhost.evil.example"] {
                assert_eq!(
                    check(guard, &[("host", "localhost"), ("origin", origin)]),
                    Err(Refused::Origin),
                    "{origin}"
                );
            }
        }
        assert_eq!(check(&local, &[("host", "localhost"), ("origin", "http://localhost:5173")]), Ok(()));
        assert_eq!(check(&open, &[("host", "api.example"), ("origin", "https://console.example")]), Ok(()));
    }
}
