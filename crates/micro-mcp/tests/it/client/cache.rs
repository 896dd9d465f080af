//! What is kept of a server, for how long, and for whom.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_core::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method, header::AUTHORIZATION};
use micro_mcp::{
    CallError, Layer, NoArgs, Notifier, Server,
    client::{AuthError, Changed, Client, Credentials, Refused, Retry},
    layer::Record,
    proto::{CacheScope, ElicitResult, Resource, ResourceContents},
    result::Cache,
    transport::{self, memory},
};
use micro_runtime::Drain;
use parking_lot::Mutex;
use serde_json::Map;
use tokio::{sync::mpsc, time::advance};
use url::Url;

use crate::{
    fixture::{Endpoint, Guarded, waiting},
    tasks::Who,
};

const MINUTE: Duration = Duration::from_secs(60);

/// A server whose answers are fresh for a minute.
fn server(scope: CacheScope) -> Server {
    let news = |uri: &str| Resource { uri: uri.into(), name: uri.into(), ..Resource::default() };
    Server::builder("news", "1.0")
        .cache(Cache { ttl_ms: 60_000, scope })
        .subscriptions()
        .tool("none")
        .handler(|_: NoArgs| async { "nothing" })
        .resource(news("news://today"), |read| async { Ok(ResourceContents::text(read.uri, "text/plain", "quiet")) })
        .resource(news("news://sport"), |read| async { Ok(ResourceContents::text(read.uri, "text/plain", "2:1")) })
        .resource(news("news://mine"), |read| async move {
            let who = read.cx.elicit::<Who>("Who are you?").await?;
            Ok::<_, CallError>(ResourceContents::text(&*read.uri, "text/plain", who.name))
        })
        .build()
        .unwrap()
}

/// A client of a server within this process, the changes it hears of, and what the server was asked.
struct Asked {
    client: Client,
    notifier: Notifier,
    heard: mpsc::UnboundedReceiver<Changed>,
    requests: Arc<AtomicUsize>,
}

impl Asked {
    async fn connect() -> Self {
        let server = server(CacheScope::Private);
        let (notifier, requests) = (server.notifier(), Arc::<AtomicUsize>::default());
        let count = requests.clone();
        let counted = Record::to(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
        });
        let (ours, theirs) = memory::pair();
        tokio::spawn(transport::serve(counted.around(Arc::new(server)), theirs, Drain::new()));
        let (told, heard) = mpsc::unbounded_channel();
        let ann = || ElicitResult::accept(Map::from_iter([("name".to_owned(), "Ann".into())]));
        let builder = Client::builder().on_change(move |change| told.send(change).unwrap_or_default());
        let client = builder.on_form(move |_| async move { ann() }).pipe(ours).await.unwrap();
        Self { client, notifier, heard, requests }
    }

    /// How many requests reach the server when everything is wanted.
    async fn needed(&self) -> usize {
        let before = self.requests.load(Ordering::SeqCst);
        self.client.tools().await.unwrap();
        self.client.resources().await.unwrap();
        let contents = self.client.read("news://today").await.unwrap();
        assert_eq!(contents[0].text.as_deref(), Some("quiet"));
        self.client.read("news://sport").await.unwrap();
        self.requests.load(Ordering::SeqCst) - before
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_fresh_is_not_asked_for() {
    let asked = Asked::connect().await;
    assert_eq!((asked.needed().await, asked.needed().await), (4, 0));
    advance(MINUTE - Duration::from_millis(1)).await;
    assert_eq!(asked.needed().await, 0);
    advance(Duration::from_millis(1)).await;
    assert_eq!((asked.needed().await, asked.needed().await), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn a_change_ends_the_freshness_of_what_changed() {
    let mut asked = Asked::connect().await;
    asked.client.subscribe("news://today").await.unwrap();
    for (change, needed) in [
        (micro_mcp::Change::Tools, 1),
        (micro_mcp::Change::Resource("news://today".into()), 1),
        (micro_mcp::Change::Resources, 3),
        (micro_mcp::Change::Prompts, 0),
    ] {
        asked.needed().await;
        asked.notifier.changed(change.clone());
        // Lists that the server does not have are not told of.
        if change != micro_mcp::Change::Prompts {
            asked.heard.recv().await.unwrap();
        }
        assert_eq!(asked.needed().await, needed, "{change:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_needed_answers_is_not_kept() {
    let asked = Asked::connect().await;
    let read = async || asked.client.read("news://mine").await.unwrap()[0].text.clone();
    for requests in [2, 4] {
        assert_eq!(read().await.as_deref(), Some("Ann"));
        assert_eq!(asked.requests.load(Ordering::SeqCst), requests);
    }
}

/// Whoever is signed in just now.
#[derive(Debug, Clone, Default)]
struct SignedIn(Arc<Mutex<&'static str>>);

impl Credentials for SignedIn {
    fn authorize<'a>(
        &'a self,
        headers: &'a mut HeaderMap,
        _: &'a Url,
        _: &'a Method,
    ) -> BoxFuture<'a, Result<(), AuthError>> {
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {}", self.0.lock())).unwrap());
        Box::pin(std::future::ready(Ok(())))
    }

    fn challenged<'a>(&'a self, _: Refused<'a>) -> BoxFuture<'a, Result<Retry, AuthError>> {
        Box::pin(std::future::ready(Ok(Retry::No)))
    }
}

#[tokio::test]
async fn what_is_private_is_for_the_same_credentials_alone() {
    for (scope, others) in [(CacheScope::Private, 1), (CacheScope::Public, 0)] {
        let user = SignedIn::default();
        *user.0.lock() = "ann";
        let reads = Arc::<AtomicUsize>::default();
        let count = reads.clone();
        let counted = Record::to(move |said| {
            count.fetch_add(usize::from(said.method == "resources/read"), Ordering::SeqCst);
        });
        let server = server(scope);
        let notifier = server.notifier();
        let handler = counted.around(Arc::new(Guarded(server)));
        let endpoint = Endpoint::answering(handler, notifier, waiting(), |config| config).await;
        let client = super::connect_with(&endpoint, Client::builder().credentials(user.clone())).await;
        let read = async |who| {
            *user.0.lock() = who;
            let before = reads.load(Ordering::SeqCst);
            client.read("news://today").await.unwrap();
            reads.load(Ordering::SeqCst) - before
        };
        assert_eq!((read("ann").await, read("ann").await), (1, 0));
        assert_eq!((read("bob").await, read("bob").await), (others, 0), "{scope:?}");
        assert_eq!(read("ann").await, others, "{scope:?}");
    }
}
