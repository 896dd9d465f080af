//! Credentials of every kind: who is let in as whom, and until when.

mod api_keys;
mod issuers;
mod mtls;
mod provider;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use futures_core::future::BoxFuture;
use jiff::Timestamp;
use micro::Drain;
use micro_gateway::{AuditTo, Authenticator, Config, Credential};
use micro_mcp::{Peer, Transport};
use micro_policy::{Identity, Rejection};
use micro_registry::MemoryRegistry;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex, split};

use crate::fixture::{serve, until};

#[tokio::test]
async fn the_client_on_a_pipe_is_whom_its_token_says() {
    let config: Config = toml::from_str(
        r#"
        [[auth.tokens]]
        account = "writer"
        scopes = ["notes:write"]
        token = "writer-0123456789"
        [[auth.tokens]]
        account = "nobody"
        token = "nobody-0123456789"
        "#,
    )
    .unwrap();
    let (registry, drain) = (MemoryRegistry::default(), Drain::new());
    serve(&registry, "notes", drain.clone());
    let records = Arc::new(Mutex::new(Vec::new()));
    let kept = records.clone();
    let to = AuditTo::Function(Arc::new(move |record| {
        let record = serde_json::to_value(record).unwrap();
        kept.lock().unwrap().push(record["denied_reason"].as_str().unwrap_or("allowed").to_owned());
    }));
    let core = config.core_with(Arc::new(registry), false, to).unwrap();
    until(core.catalog(), |tools| tools > 0).await;
    for (token, expected) in [
        (None, "missing token"),
        (Some("wrong-0123456789"), "invalid token"),
        (Some("nobody-0123456789"), "insufficient scopes"),
        (Some("writer-0123456789"), "allowed"),
    ] {
        let handler = match token {
            Some(token) => core.handler_for(token, true).await,
            None => core.handler(true),
        };
        let (mut ours, theirs) = duplex(64 << 10);
        let (input, output) = split(theirs);
        let serving = tokio::spawn(micro_mcp::stdio::serve(handler, input, output, Drain::new()));
        let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
        let params = json!({"name": "notes_Keep", "arguments": {"text": "a"}, "_meta": meta});
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        ours.write_all(format!("{call}\n").as_bytes()).await.unwrap();
        ours.shutdown().await.unwrap();
        let mut answer = String::new();
        ours.read_to_string(&mut answer).await.unwrap();
        serving.await.unwrap().unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let told = answer["error"]["message"].as_str();
        let said = told.is_some_and(|told| told.contains(expected)) || (expected == "allowed" && told.is_none());
        assert!(said, "{token:?}: {answer}");
        assert_eq!(std::mem::take(&mut *records.lock().unwrap()), [expected]);
    }
    drain.begin();
    core.close().await;
}

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
