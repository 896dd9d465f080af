//! Bearer tokens.

use http::{HeaderValue, header::AUTHORIZATION};
use micro_mcp_proto::RpcError;

use super::Layer;
use crate::{Handler, Peer, Principal, Refusal, Request, Transport};

/// What a token is checked by.
type Check = Box<dyn Fn(&str) -> Option<Principal> + Send + Sync>;

/// Lets in who shows a bearer token that a closure knows, and answers everyone else with 401 and a challenge
/// (RFC 6750). Pipes have no tokens: whoever holds one is let through to the handler's own check.
///
/// ```
/// # use std::sync::Arc;
/// # use http::HeaderValue;
/// # use micro_mcp::{BuildError, CallContext, Layer, NoArgs, Principal, Server, layer::Auth};
/// let server = Server::builder("private", "1.0")
///     .tool("whoami").handler(|cx: CallContext, _: NoArgs| async move {
///         cx.principal.subject.map_or("nobody".to_owned(), |name| name.to_string())
///     })
///     .build()?;
/// let challenge = HeaderValue::from_static("Bearer realm=\"private\"");
/// let auth = Auth::bearer(challenge, |token| (token == "s3cret").then(|| Principal::named("ada")));
/// let handler = auth.around(Arc::new(server)); // for `http::StreamableHttp`
/// # Ok::<(), BuildError>(())
/// ```
pub struct Auth {
    check: Check,
    challenge: HeaderValue,
}

impl Auth {
    /// Asks `check` who a token belongs to. `challenge` is the `WWW-Authenticate` of a refusal, for example
    /// `Bearer resource_metadata="https://…"`.
    pub fn bearer(challenge: HeaderValue, check: impl Fn(&str) -> Option<Principal> + Send + Sync + 'static) -> Self {
        Self { check: Box::new(check), challenge }
    }
}

impl Layer for Auth {
    fn authenticate(&self, peer: &Peer<'_>, request: &Request<'_>, next: &dyn Handler) -> Result<Principal, Refusal> {
        if peer.transport == Transport::Stdio {
            return next.authenticate(peer, request);
        }
        let header = peer.headers.and_then(|headers| headers.get(AUTHORIZATION)).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let known = token.and_then(|token| (self.check)(token));
        known.ok_or_else(|| {
            Refusal::unauthorized(self.challenge.clone(), RpcError::invalid_request("a valid bearer token is required"))
        })
    }
}
