//! Why a request has no result.

use std::{borrow::Cow, time::Duration};

use http::StatusCode;
use micro_mcp_proto::RpcError;

use super::AuthError;

/// What can go wrong between a client and its server. Carries no credentials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server answered with a JSON-RPC error.
    #[error("the server answered: {0}")]
    Rpc(#[from] RpcError),
    /// The tool failed; this is what it said.
    #[error("the tool failed: {0}")]
    Tool(String),
    /// The server answered with an HTTP status and nothing that could be read.
    #[error("the server answered HTTP {0}")]
    Status(StatusCode),
    /// The server has too much to do for now (HTTP 429, 502, 503, 504).
    #[error("the server refuses for now with HTTP {status}")]
    Busy {
        /// How it said so.
        status: StatusCode,
        /// When it wants to be asked again (`Retry-After`, RFC 9110 section 10.2.3).
        after: Option<Duration>,
        /// The JSON-RPC error that came with it.
        error: Option<RpcError>,
    },
    /// There are no credentials, or the server does not take them.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The server cannot be reached, or the connection broke.
    #[error("cannot reach the server")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The connection ended before the answer. The server may have done what was asked.
    #[error("the connection ended before the answer")]
    Disconnected,
    /// The server does not know the session any more (HTTP 404), and has not looked at the request.
    #[error("the session has ended")]
    SessionLost,
    /// There was no answer in time. The server was told to give up.
    #[error("no answer in time")]
    Timeout,
    /// The server said something that makes no sense in MCP.
    #[error("the server breaks the protocol: {0}")]
    Protocol(Cow<'static, str>),
    /// The server speaks no revision that this client may use.
    #[error("no protocol version in common; the server speaks {}", .0.join(", "))]
    NoCommonVersion(Vec<String>),
    /// The server does not tell when this resource changes.
    #[error("the server does not tell of changes of {0:.100}")]
    NotTold(String),
    /// The server asks something that the application, or its user, does not want to answer.
    #[error("a question of the server's was declined")]
    Declined,
    /// The call went on as a task, and somebody cancelled it.
    #[error("the task was cancelled")]
    Cancelled,
    /// The server asked for input this many times and still did not answer.
    #[error("no answer after {0} rounds of input")]
    TooManyRounds(usize),
    /// Arguments could not be written, or a result could not be read.
    #[error("not the expected JSON")]
    Json(#[from] serde_json::Error),
    /// A layer around the client failed.
    #[error("a layer around the client failed")]
    Layer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The address is none that this client can connect to.
    #[error("not an address of an MCP server: {0}")]
    Address(String),
    /// The client was closed.
    #[error("the client is closed")]
    Closed,
}

impl Error {
    pub(crate) fn protocol(what: impl Into<Cow<'static, str>>) -> Self {
        Self::Protocol(what.into())
    }

    /// Whether the same request may succeed a little later: the server was lost, did not answer in time,
    /// or has too much to do. It may have done what was asked.
    ///
    /// ```
    /// # use micro_mcp::client::{Client, Error};
    /// async fn total(client: &Client) -> Result<String, Error> {
    ///     match client.call("total").text().await {
    ///         Err(error) if error.is_transient() => client.call("total").text().await, // it only reads
    ///         outcome => outcome,
    ///     }
    /// }
    /// ```
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Disconnected | Self::SessionLost | Self::Timeout => true,
            Self::Busy { .. } => true,
            Self::Status(status) => status.is_server_error(),
            _ => false,
        }
    }

    /// The code of the JSON-RPC error, if it is one.
    pub fn code(&self) -> Option<i32> {
        match self {
            Self::Rpc(error) | Self::Busy { error: Some(error), .. } => Some(error.code),
            _ => None,
        }
    }

    /// The pause before the next attempt, which would be so long: as long as the server says, up to `most`.
    pub(crate) fn pause(&self, otherwise: Duration, most: Duration) -> Duration {
        match self {
            Self::Busy { after: Some(after), .. } => otherwise.max(*after.min(&most)),
            _ => otherwise,
        }
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        // The URL may hold secrets in its query.
        Self::Unreachable(Box::new(error.without_url()))
    }
}
