//! Credentials of every kind: who is let in as whom, and until when.

mod api_keys;
mod issuers;
mod mtls;
mod provider;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_core::future::BoxFuture;
use jiff::Timestamp;
use micro::Drain;
use micro_gateway::{AuditTo, Authenticator, Config, Credential};
use micro_mcp::{Peer, Transport};
use micro_policy::{Identity, Rejection};
use micro_registry::MemoryRegistry;

#[cfg(feature = "cedar")]
pub(crate) use self::issuers::Signer;
use crate::fixture::{serve, until};

/// Knows the sessions of a web application, and how often it was asked.
#[derive(Default)]
struct Sessions {
    asked: AtomicUsize,
}

impl Authenticator for Sessions {
    fn authenticate<'a>(
        &'a self,
        credential: Credential<'a>,
        _: Timestamp,
    ) -> BoxFuture<'a, Option<Result<Identity, Rejection>>> {
        let Credential::Bearer(text) = credential else { return Box::pin(std::future::ready(None)) };
        let answer = text.strip_prefix("session-").map(|user| {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let scopes = Some(["notes:write"].into_iter().collect());
            Ok(Identity { scopes, ..Identity::named(user, format!("session/{user}")) })
        });
        Box::pin(std::future::ready(answer))
    }

    fn validate(&self, _: &Identity, _: Timestamp) -> Result<(), Rejection> {
        Ok(())
    }
}

#[tokio::test]
async fn an_embedder_brings_credentials_of_its_own() {
    let (registry, drain, sessions) = (MemoryRegistry::default(), Drain::new(), Arc::new(Sessions::default()));
    serve(&registry, "notes", drain.clone());
    let providers: Vec<Arc<dyn Authenticator>> = vec![sessions.clone()];
    let core = Config::default().core_knowing(Arc::new(registry), true, AuditTo::Nowhere, providers).unwrap();
    until(core.catalog(), |tools| tools > 0).await;
    let handler = core.handler(true);
    for (token, subject) in [("session-ada", Some("ada")), ("session-ada", Some("ada")), ("other-0123456789", None)] {
        let mut request = http::Request::new(());
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        core.identify(&mut request).await;
        let (parts, ()) = request.into_parts();
        let peer =
            Peer { headers: Some(&parts.headers), extensions: Some(&parts.extensions), ..Peer::of(Transport::Http) };
        let principal = handler.authenticate(&peer, &micro_mcp::Request::ListTools { cursor: None });
        assert_eq!(principal.ok().and_then(|principal| principal.subject).as_deref(), subject, "{token}");
    }
    assert_eq!(sessions.asked.load(Ordering::Relaxed), 1, "what is known is not asked for");
    drain.begin();
    core.close().await;
}
