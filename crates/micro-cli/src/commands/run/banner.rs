//! The first screen: where everything is, who is there, and three commands to try with what is there.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use micro_gateway::{Snapshot, Tool};
use owo_colors::OwoColorize;

use crate::words::count;

/// Everything the banner tells.
#[derive(Debug)]
pub(super) struct Banner {
    /// Where every front listens.
    pub(super) address: SocketAddr,
    /// Where only MCP listens, if anywhere.
    pub(super) mcp_address: Option<SocketAddr>,
    pub(super) services: Vec<Line>,
    pub(super) auth: Auth,
    /// The registry, when it is not the default one and commands must name it.
    pub(super) registry: Option<String>,
    pub(super) trial: Option<Trial>,
    pub(super) watching: bool,
}

/// One service.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: String,
    /// Its tools, once it is up.
    pub(super) tools: Option<usize>,
}

/// Whether callers need a token.
#[derive(Debug)]
pub(super) enum Auth {
    Off,
    /// A token of the configuration.
    On,
    /// A token that was made now.
    Made(String),
}

/// A tool to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trial {
    /// The name models see.
    pub(super) tool: String,
    /// `service/Type.Method`.
    path: String,
    /// Arguments as JSON.
    arguments: String,
}

impl Trial {
    /// The best tool of these services to begin with: one that has an example, rather one that changes
    /// nothing, rather of a service that others depend on, which come first.
    pub(super) fn choose(tools: &Snapshot, services: &[&str]) -> Option<Self> {
        let ranked = tools.tools().filter_map(|(shown, tool)| {
            let place = services.iter().position(|service| *service == &*tool.service)?;
            let descriptor = &tool.descriptor;
            let rank = (descriptor.examples.is_empty(), !descriptor.hints.read_only, descriptor.streaming, place);
            Some((rank, shown, tool))
        });
        let (_, shown, tool) = ranked.min_by_key(|(rank, ..)| *rank)?;
        Some(Self::of(shown, tool))
    }

    fn of(shown: &str, tool: &Tool) -> Self {
        Self {
            tool: shown.to_owned(),
            path: format!("{}/{}", tool.service, tool.endpoint),
            arguments: tool.descriptor.examples.first().cloned().unwrap_or_else(|| "{}".to_owned()),
        }
    }
}

impl fmt::Display for Banner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = format!("http://{}", from_here(self.address));
        let mcp = format!("http://{}/mcp", from_here(self.mcp_address.unwrap_or(self.address)));
        let width = self.services.iter().map(|service| service.name.chars().count()).max().unwrap_or_default();
        writeln!(f, "\n  {}\n", format_args!("Micro {}", env!("CARGO_PKG_VERSION")).bold())?;
        let row = |f: &mut fmt::Formatter<'_>, name: &str, text: &str| {
            writeln!(f, "  {}{text}", format_args!("{name:<11}").bold())
        };
        row(f, "API", &format!("{base}/api/{{service}}/{{Type.Method}}"))?;
        row(f, "MCP", &mcp)?;
        row(f, "MCP tools", &format!("{mcp}/tools"))?;
        row(f, "Health", &format!("{base}/health"))?;
        writeln!(f)?;
        for (at, service) in self.services.iter().enumerate() {
            row(f, if at == 0 { "Services" } else { "" }, &service.shown(width))?;
        }
        match &self.auth {
            Auth::Off => row(f, "Auth", "off (loopback: no login needed)")?,
            Auth::On => row(f, "Auth", "on: send `Authorization: Bearer TOKEN`")?,
            Auth::Made(token) => {
                row(f, "Auth", "on: this token is shown once, send it as `Authorization: Bearer TOKEN`")?;
                row(f, "Token", token)?;
            }
        }
        if let Some(registry) = &self.registry {
            row(f, "Registry", registry)?;
        }
        writeln!(f)?;
        for (at, command) in self.commands(&base, &mcp).iter().enumerate() {
            row(f, if at == 0 { "Try" } else { "" }, command)?;
        }
        let watching = if self.watching { "Watching for changes… " } else { "" };
        writeln!(f, "\n  {}", format_args!("{watching}Ctrl-C stops everything.").dimmed())
    }
}

impl Banner {
    /// Commands that work as they stand, but for a token that only its owner has.
    fn commands(&self, base: &str, mcp: &str) -> Vec<String> {
        let header = match self.auth {
            Auth::Off => String::new(),
            Auth::On | Auth::Made(_) => " -H \"Authorization: Bearer $TOKEN\"".to_owned(),
        };
        let mut commands = Vec::new();
        if let Some(Trial { tool, path, arguments }) = &self.trial {
            commands.push(format!("curl{header} {base}/api/{path} -d {}", quoted(arguments)));
            let registry = self.registry.as_ref().map(|r| format!(" --registry {}", quoted(r))).unwrap_or_default();
            commands.push(format!("micro mcp test {tool}{registry}"));
        }
        let header = header.replace(" -H ", " --header ");
        commands.push(format!("claude mcp add --transport http micro {mcp}{header}"));
        commands
    }
}

impl Line {
    fn shown(&self, width: usize) -> String {
        let Self { name, tools } = self;
        match tools {
            Some(tools) => format!("{} {name:width$}  {}", "●".green(), count(*tools, "tool").dimmed()),
            None => format!("{} {name:width$}  {}", "○".yellow(), "not up yet".dimmed()),
        }
    }
}

/// Who listens on every interface is reached through loopback from this machine.
fn from_here(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    (ip, address.port()).into()
}

/// A word for the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn banner() -> Banner {
        Banner {
            address: ([127, 0, 0, 1], 8080).into(),
            mcp_address: None,
            services: vec![
                Line { name: "users".into(), tools: Some(5) },
                Line { name: "posts".into(), tools: Some(1) },
                Line { name: "comments".into(), tools: None },
            ],
            auth: Auth::Off,
            registry: None,
            trial: Some(Trial {
                tool: "users_Get".into(),
                path: "users/Users.Get".into(),
                arguments: r#"{"name":"O'Hara"}"#.into(),
            }),
            watching: true,
        }
    }

    fn plain(banner: &Banner) -> String {
        anstream::adapter::strip_str(&banner.to_string())
            .to_string()
            .lines()
            .map(|line| format!("{}\n", line.trim_end()))
            .collect()
    }

    #[test]
    fn it_says_where_who_and_what_to_try() {
        insta::assert_snapshot!(plain(&banner()));
    }

    #[test]
    fn with_a_token_and_addresses_of_their_own_the_commands_still_work() {
        let exposed = Banner {
            mcp_address: Some(([0, 0, 0, 0], 3000).into()),
            auth: Auth::Made("0123456789abcdef".into()),
            registry: Some("file:///srv/registry".into()),
            watching: false,
            ..banner()
        };
        insta::assert_snapshot!(plain(&exposed));
    }
}
