//! Which addresses may be asked (RFC 9728 section 7.7, MCP security best practices: server-side request forgery).
//!
//! A server names URLs that the client then asks. It may name public ones, and those no more private than where the
//! server itself is: one on this machine may name this machine, one on the internet may not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// A URL must not be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Blocked {
    /// Neither https, nor http to this machine.
    #[error("the URL is not https")]
    Scheme,
    /// No host, or credentials inside.
    #[error("the URL has no plain host")]
    Authority,
    /// The address is more private than the server that named it.
    #[error("the address is not public")]
    Private,
}

/// How far away an address is; nearer ones are more private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Space {
    Public,
    Private,
    Loopback,
}

/// Decides for one MCP server.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    /// The server's own host: the client talks to it anyway.
    host: String,
    /// The most private space that may be asked.
    reach: Space,
    plain_http: bool,
}

impl Guard {
    /// The guard for what this server may name.
    ///
    /// Only an address written into the server's URL widens the reach. What its name resolves to does not: whoever
    /// answers for the name could change that between two questions.
    pub(crate) fn new(server: &Url, private: bool, plain_http: bool) -> Self {
        let reach = match server.host() {
            _ if private => Space::Loopback,
            Some(Host::Ipv4(ip)) => space(ip.into()).unwrap_or(Space::Public),
            Some(Host::Ipv6(ip)) => space(ip.into()).unwrap_or(Space::Public),
            Some(Host::Domain(name)) if is_localhost(name) => Space::Loopback,
            _ => Space::Public,
        };
        Self { host: server.host_str().unwrap_or_default().to_owned(), reach, plain_http }
    }

    /// Checks what the URL itself shows. Names are checked when they are resolved.
    pub(crate) fn check(&self, url: &Url) -> Result<(), Blocked> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Blocked::Authority);
        }
        let here = match url.host().ok_or(Blocked::Authority)? {
            Host::Domain(name) => is_localhost(name),
            Host::Ipv4(ip) => self.check_ip(ip.into())? == Space::Loopback,
            Host::Ipv6(ip) => self.check_ip(ip.into())? == Space::Loopback,
        };
        match url.scheme() {
            "https" => Ok(()),
            "http" if here || self.plain_http => Ok(()),
            _ => Err(Blocked::Scheme),
        }
    }

    /// Checks what a name resolved to. The connection is made to these very addresses.
    pub(crate) fn check_resolved(&self, name: &str, ip: IpAddr) -> Result<(), Blocked> {
        if is_localhost(name) && !ip.is_loopback() {
            return Err(Blocked::Scheme); // plain http is for this machine only
        }
        if name.eq_ignore_ascii_case(&self.host) {
            return Ok(());
        }
        self.check_ip(ip).map(drop)
    }

    fn check_ip(&self, ip: IpAddr) -> Result<Space, Blocked> {
        space(ip).filter(|space| *space <= self.reach).ok_or(Blocked::Private)
    }
}

fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// Where an address is; `None` for those where no server of anybody's is: link-local (the home of cloud metadata),
/// unspecified, multicast, reserved.
fn space(ip: IpAddr) -> Option<Space> {
    match ip {
        IpAddr::V4(ip) => space_v4(ip),
        IpAddr::V6(ip) => match embedded_v4(ip) {
            Some(ip) => space_v4(ip),
            None => space_v6(ip),
        },
    }
}

fn space_v4(ip: Ipv4Addr) -> Option<Space> {
    match ip.octets() {
        [127, ..] => Some(Space::Loopback),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] | [198, 18..=19, ..] => {
            Some(Space::Private)
        }
        [0, ..] | [169, 254, ..] | [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [224..=255, ..] => None,
        _ => Some(Space::Public),
    }
}

fn space_v6(ip: Ipv6Addr) -> Option<Space> {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Some(Space::Loopback),
        [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] => Some(Space::Private),
        [0x2001, 0 | 0xdb8, ..] => None,
        [0x2000..=0x3fff, ..] => Some(Space::Public),
        _ => None,
    }
}

/// The IPv4 address that an IPv6 one stands for: mapped, compatible, NAT64, 6to4.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let from = |high: u16, low: u16| Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            from(high, low)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(server: &str) -> Guard {
        Guard::new(&Url::parse(server).unwrap(), false, false)
    }

    #[test]
    fn a_server_names_nothing_more_private_than_itself() {
        // asked URL → allowed for a server that is public, private, on this machine
        for (url, public, private, local) in [
            ("https://1.1.1.1/", true, true, true),
            ("https://as.example/", true, true, true),
            ("https://10.0.0.1/", false, true, true),
            ("https://172.16.0.1/", false, true, true),
            ("https://172.32.0.1/", true, true, true),
            ("https://192.168.1.1/", false, true, true),
            ("https://100.64.0.1/", false, true, true),
            ("https://127.0.0.1/", false, false, true),
            ("https://2130706433/", false, false, true),
            ("https://0x7f.1/", false, false, true),
            ("https://0.0.0.0/", false, false, false),
            ("https://169.254.169.254/", false, false, false),
            ("https://255.255.255.255/", false, false, false),
            ("https://[::1]/", false, false, true),
            ("https://[::]/", false, false, false),
            ("https://[fd00::1]/", false, true, true),
            ("https://[fe80::1]/", false, false, false),
            ("https://[ff02::1]/", false, false, false),
            ("https://[::ffff:127.0.0.1]/", false, false, true),
            ("https://[::ffff:169.254.169.254]/", false, false, false),
            ("https://[64:ff9b::10.0.0.1]/", false, true, true),
            ("https://[2002:a00:1::]/", false, true, true),
            ("https://[2606:4700::1111]/", true, true, true),
            ("http://1.1.1.1/", false, false, false),
            ("http://10.0.0.1/", false, false, false),
            ("http://as.example/", false, false, false),
            ("http://127.0.0.1:1/", false, false, true),
            ("file:///etc/passwd", false, false, false),
            ("javascript:alert(1)", false, false, false),
            ("https://user@as.example/", false, false, false),
        ] {
            let url = Url::parse(url).unwrap();
            for (server, expected) in
                [("https://mcp.example/", public), ("https://10.1.1.1/", private), ("http://localhost:1/", local)]
            {
                assert_eq!(guard(server).check(&url).is_ok(), expected, "{url} named by {server}");
            }
        }
    }

    #[test]
    fn names_are_judged_by_what_they_resolve_to() {
        // server, name, address → allowed
        for (server, name, ip, ok) in [
            ("https://mcp.example/", "as.example", "1.1.1.1", true),
            ("https://mcp.example/", "as.example", "10.0.0.1", false),
            ("https://mcp.example/", "as.example", "127.0.0.1", false),
            ("https://mcp.example/", "mcp.example", "10.0.0.1", true),
            ("https://mcp.example/", "localhost", "127.0.0.1", false),
            ("http://localhost/", "localhost", "127.0.0.1", true),
            ("http://localhost/", "localhost", "1.1.1.1", false),
            ("http://127.0.0.1/", "as.example", "127.0.0.1", true),
        ] {
            let allowed = guard(server).check_resolved(name, ip.parse().unwrap()).is_ok();
            assert_eq!(allowed, ok, "{name} = {ip} named by {server}");
        }
    }

    #[test]
    fn private_addresses_and_plain_http_can_be_allowed() {
        let guard = Guard::new(&Url::parse("https://mcp.example/").unwrap(), true, true);
        for (url, ok) in [("http://10.0.0.1/", true), ("http://127.0.0.1/", true), ("http://169.254.1.1/", false)] {
            assert_eq!(guard.check(&Url::parse(url).unwrap()).is_ok(), ok, "{url}");
        }
    }
}
