//! The flags that say which MCP server is meant and how it lets one in.

use std::{ffi::OsString, fmt, path::PathBuf, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{
    error::CommandError,
    input,
    mcp::target::{Place, Target},
};

/// Which server, and what to send it.
#[derive(Debug, clap::Args)]
pub(super) struct Server {
    /// The server: an address (`http:`, `https:`, `ws:`, `wss:`), or a command that starts it
    ///
    /// A command with flags of its own goes behind `--`. One argument with blanks in it is a line for the
    /// shell. The program speaks MCP on its standard streams and ends with this command.
    #[arg(value_name = "URL|COMMAND", required = true)]
    server: Vec<OsString>,
    #[command(flatten)]
    access: Access,
}

/// How a server lets one in, and how long it may take.
#[derive(Debug, clap::Args)]
pub(super) struct Access {
    /// Send this bearer token; the variable and `--token-file` keep it out of the list of processes
    #[arg(long, value_name = "TOKEN", env = "MICRO_MCP_TOKEN", hide_env_values = true, conflicts_with = "token_file")]
    token: Option<Secret>,
    /// Send the bearer token in this file
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Send this header with every HTTP request; may be given again
    #[arg(long = "header", short = 'H', value_name = "KEY=VALUE", value_parser = header)]
    headers: Vec<(String, Secret)>,
    /// How long to wait for one answer: `500ms`, `5s`, `2m`
    #[arg(long, value_name = "TIME", value_parser = input::time, default_value = "30s")]
    timeout: Duration,
}

/// Something that nobody is shown.
#[derive(Clone)]
struct Secret(String);

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

fn header(text: &str) -> Result<(String, Secret), String> {
    input::header(text).map(|(key, value)| (key, Secret(value)))
}

impl Server {
    /// The server that is meant.
    pub(super) fn target(&self) -> Result<Target, CommandError> {
        self.access.target(Place::parse(&self.server)?)
    }
}

impl Access {
    /// The server at a place.
    pub(super) fn target(&self, place: Place) -> Result<Target, CommandError> {
        let mut headers = HeaderMap::new();
        for (key, Secret(value)) in &self.headers {
            let unusable = || CommandError::usage(format!("the header `{key}` cannot be sent"));
            let name = HeaderName::try_from(key).map_err(|_| unusable())?;
            let mut value = HeaderValue::try_from(value).map_err(|_| unusable())?;
            value.set_sensitive(true);
            headers.append(name, value);
        }
        if let Some(token) = self.token()? {
            let value = HeaderValue::try_from(format!("Bearer {token}"));
            let mut value = value.map_err(|_| CommandError::usage("the token has characters that cannot be sent"))?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        Ok(Target::new(place, headers, self.timeout))
    }

    fn token(&self) -> Result<Option<String>, CommandError> {
        if let Some(path) = &self.token_file {
            let unreadable = |e| CommandError::not_found(format!("cannot read {}", path.display())).because(e);
            return Ok(Some(std::fs::read_to_string(path).map_err(unreadable)?.trim().to_owned()));
        }
        Ok(self.token.as_ref().map(|Secret(token)| token.clone()).filter(|token| !token.is_empty()))
    }
}
