//! What a handler knows of the request it answers.

#[cfg(feature = "server")]
mod back;

use http::HeaderMap;
use micro_mcp_proto::{Era, Id, Meta, Revision};

#[cfg(feature = "server")]
pub(crate) use self::back::{Back, close_stream};
use crate::{Peer, Principal, TraceContext};

/// One request's surroundings: who asks, in which revision, and the way back for notifications.
#[derive(Debug, Clone)]
pub struct Cx<'a> {
    /// The revision the answer must be written in.
    pub revision: Revision,
    /// Who asks, as [`crate::Handler::authenticate`] found.
    pub principal: &'a Principal,
    /// The request's `_meta`.
    pub meta: &'a Meta<'a>,
    /// Where it came from.
    pub peer: Peer<'a>,
    #[cfg(feature = "server")]
    pub(crate) back: Back<'a>,
}

impl<'a> Cx<'a> {
    /// Runs `f` with a request that comes from nowhere and whose notifications go nowhere: for tests,
    /// and for fronts that are no MCP.
    ///
    /// ```
    /// # use micro_mcp::{Cx, Handler, NoArgs, Peer, Principal, Request, Server, Transport};
    /// # use micro_mcp::proto::{Meta, Revision};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder("greeter", "1.0").tool("hi").handler(|_: NoArgs| async { "Hello!" }).build()?;
    /// let peer = Peer::of(Transport::Stdio);
    /// let (caller, meta) = (Principal::named("ada"), Meta::default());
    /// let list = Request::ListTools { cursor: None };
    /// let answer = Cx::detached(Revision::LATEST, &caller, &meta, peer, async |cx| server.handle(cx, &list).await).await;
    /// assert!(answer.is_ok_and(|result| result.starts_with(br#"{"resultType":"complete","tools":[{"name":"hi""#)));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn detached<T>(
        revision: Revision,
        principal: &Principal,
        meta: &Meta<'_>,
        peer: Peer<'_>,
        f: impl AsyncFnOnce(&Cx<'_>) -> T,
    ) -> T {
        #[cfg(feature = "server")]
        let outlet = crate::outlet::Outlet::nowhere();
        let cx = Cx {
            revision,
            principal,
            meta,
            peer,
            #[cfg(feature = "server")]
            back: Back::to(&outlet),
        };
        f(&cx).await
    }

    /// The era of the revision.
    pub fn era(&self) -> Era {
        self.revision.era()
    }

    /// The caller's trace context, if it sent one.
    pub fn trace(&self) -> Option<TraceContext> {
        TraceContext::of(self.meta)
    }

    /// The HTTP headers of the request, or of the one that opened its pipe; none on stdio.
    pub fn headers(&self) -> Option<&'a HeaderMap> {
        self.peer.headers
    }

    /// The token for progress notifications, when the client wants any.
    pub fn progress_token(&self) -> Option<Id<'a>> {
        self.meta.progress_token
    }
}
