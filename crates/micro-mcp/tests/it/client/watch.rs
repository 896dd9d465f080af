//! Changes, heard in both eras and again after the stream was lost; and pings that keep a session.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::StatusCode;
use micro_mcp::{
    Change, Handler, Layer, NoArgs, Peer, Principal, Refusal, Request, Server,
    client::{Builder, Changed, Client, Error},
    proto::{Resource, ResourceContents, Revision, RpcError},
    transport::{self, memory},
};
use micro_runtime::Drain;
use serde_json::json;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use super::{REVISIONS, connect_with};
use crate::{
    fixture::{Endpoint, waiting},
    transports::ways::{Place, Way},
};

type Heard = mpsc::UnboundedReceiver<Changed>;

fn listening() -> (Builder, Heard) {
    let (told, heard) = mpsc::unbounded_channel();
    (Client::builder().on_change(move |change| told.send(change).unwrap_or_default()), heard)
}

async fn next(heard: &mut Heard) -> Changed {
    timeout(Duration::from_secs(10), heard.recv()).await.expect("it is heard in time").unwrap()
}

#[tokio::test]
async fn changes_are_heard_in_every_revision() {
    let endpoint = Endpoint::start().await;
    for revision in REVISIONS {
        let (builder, mut heard) = listening();
        let client = connect_with(&endpoint, builder.revision(revision)).await;
        client.watching().await.unwrap();
        endpoint.notifier.changed(Change::Tools);
        assert_eq!(next(&mut heard).await, Changed::Tools, "{revision}");
    }
}

/// Every way in both eras, to a server with two resources.
async fn everywhere(behaviour: impl AsyncFn(&Place, Client, Heard)) {
    for way in Way::ALL {
        for revision in [Revision::V2026_07_28, Revision::V2025_11_25] {
            if !way.speaks(revision) {
                continue;
            }
            let news = |uri: &str| Resource { uri: uri.into(), name: uri.into(), ..Resource::default() };
            let text = |uri: String| ResourceContents::text(uri, "text/plain", "quiet");
            let server = Server::builder("news", "1.0")
                .subscriptions()
                .resource(news("news://today"), move |read| async move { Ok(text(read.uri)) })
                .resource(news("news://sport"), move |read| async move { Ok(text(read.uri)) })
                .build()
                .unwrap();
            let notifier = server.notifier();
            let place = Place::serving(way, Arc::new(server), notifier, waiting()).await;
            let (builder, heard) = listening();
            let client = place.connect(builder.revision(revision)).await.unwrap();
            client.watching().await.unwrap();
            timeout(Duration::from_secs(30), behaviour(&place, client, heard))
                .await
                .unwrap_or_else(|_| panic!("{way:?} {revision}: it takes too long"));
        }
    }
}

#[tokio::test]
async fn only_what_is_subscribed_to_is_heard() {
    everywhere(async |place, client, mut heard| {
        let way = place.way;
        client.subscribe("news://today").await.unwrap_or_else(|error| panic!("{way:?}: {error:?}"));
        for uri in ["news://sport", "news://today"] {
            place.notifier.resource_updated(uri);
        }
        assert_eq!(next(&mut heard).await, Changed::Resource("news://today".into()), "{way:?}");
        client.unsubscribe("news://today").await.unwrap();
        client.subscribe("news://sport").await.unwrap();
        for uri in ["news://today", "news://sport"] {
            place.notifier.resource_updated(uri);
        }
        assert_eq!(next(&mut heard).await, Changed::Resource("news://sport".into()), "{way:?}");
    })
    .await;
}

#[tokio::test]
async fn a_subscription_that_a_server_does_not_have_is_refused() {
    let endpoint = Endpoint::start().await;
    for revision in REVISIONS {
        let client = connect_with(&endpoint, Client::builder().revision(revision)).await;
        let refused = client.subscribe("news://today").await;
        assert!(matches!(refused, Err(Error::Rpc(_) | Error::NotTold(_))), "{revision}: {refused:?}");
        assert!(client.call("log").await.is_ok(), "and nothing else is the worse for it");
        client.watching().await.unwrap_or_else(|error| panic!("{revision}: {error:?}"));
    }
}

#[tokio::test]
async fn what_is_subscribed_to_already_stays_so() {
    everywhere(async |place, client, mut heard| {
        let way = place.way;
        client.subscribe("news://today").await.unwrap();
        timeout(Duration::from_secs(5), client.subscribe("news://today")).await.expect("it is agreed on").unwrap();
        place.notifier.resource_updated("news://today");
        assert_eq!(next(&mut heard).await, Changed::Resource("news://today".into()), "{way:?}");
    })
    .await;
}

/// Turns the first two subscriptions away, as a server does that has too much to do.
struct Busy(AtomicUsize);

impl Layer for Busy {
    fn authenticate(&self, peer: &Peer<'_>, request: &Request<'_>, next: &dyn Handler) -> Result<Principal, Refusal> {
        let subscribes = matches!(request.method(), "subscriptions/listen" | "resources/subscribe");
        if subscribes && self.0.fetch_add(1, Ordering::SeqCst) < 2 {
            return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, RpcError::new(-31_429, "too many")));
        }
        next.authenticate(peer, request)
    }
}

#[tokio::test]
async fn a_passing_refusal_does_not_end_a_subscription() {
    for way in Way::ALL {
        for revision in [Revision::V2026_07_28, Revision::V2025_11_25].into_iter().filter(|r| way.speaks(*r)) {
            let today = Resource { uri: "news://today".into(), name: "today".into(), ..Resource::default() };
            let text = |uri: String| ResourceContents::text(uri, "text/plain", "quiet");
            let server = Server::builder("news", "1.0")
                .subscriptions()
                .resource(today, move |read| async move { Ok(text(read.uri)) })
                .build()
                .unwrap();
            let notifier = server.notifier();
            let busy = Busy(AtomicUsize::new(0)).around(Arc::new(server));
            let place = Place::serving(way, busy, notifier, waiting()).await;
            let client = place.connect(Client::builder().revision(revision)).await.unwrap();
            let subscribed = timeout(Duration::from_secs(20), client.subscribe("news://today")).await;
            subscribed.expect("in time").unwrap_or_else(|error| panic!("{way:?} {revision}: {error:?}"));
        }
    }
}

#[tokio::test]
async fn a_closed_client_stays_closed() {
    everywhere(async |place, client, _| {
        let (way, clone) = (place.way, client.clone());
        client.subscribe("news://today").await.unwrap();
        client.close().await;
        let outcomes = [
            clone.request("resources/list", &json!({})).await.map(drop),
            clone.revision().await.map(drop),
            clone.subscribe("news://sport").await,
            clone.watching().await,
        ];
        for outcome in outcomes {
            assert!(matches!(outcome, Err(Error::Closed)), "{way:?}: {outcome:?}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_was_closed_is_not_started_again() {
    for revision in [Revision::V2026_07_28, Revision::V2025_11_25] {
        let (made, (builder, _heard)) = (Arc::<AtomicUsize>::default(), listening());
        let count = made.clone();
        let make = move || {
            count.fetch_add(1, Ordering::SeqCst);
            let (ours, theirs) = memory::pair();
            let server = Server::builder("quiet", "1.0").subscriptions().build().unwrap();
            tokio::spawn(transport::serve(Arc::new(server), theirs, Drain::new()));
            std::future::ready(Ok(ours))
        };
        let client = builder.revision(revision).pipes(make).await.unwrap();
        client.watching().await.unwrap();
        client.close().await;
        sleep(Duration::from_secs(600)).await;
        assert_eq!(made.load(Ordering::SeqCst), 1, "{revision}");
    }
}

#[tokio::test]
async fn whoever_lost_the_stream_looks_again_and_hears_on() {
    everywhere(async |place, client, mut heard| {
        let way = place.way;
        client.subscribe("news://today").await.unwrap();
        place.cut();
        // What happened meanwhile nobody knows: everything is to be looked at.
        let mut missed = Vec::new();
        while !missed.contains(&Changed::Resources) || !missed.contains(&Changed::Resource("news://today".into())) {
            missed.push(next(&mut heard).await);
        }
        timeout(Duration::from_secs(10), client.watching()).await.expect("it listens again").unwrap();
        while heard.try_recv().is_ok() {}
        place.notifier.resource_updated("news://today");
        assert_eq!(next(&mut heard).await, Changed::Resource("news://today".into()), "{way:?}");
    })
    .await;
}

/// Counts the messages of one method.
struct Count(&'static str, Arc<AtomicUsize>);

impl Layer for Count {
    fn authenticate(&self, peer: &Peer<'_>, request: &Request<'_>, next: &dyn Handler) -> Result<Principal, Refusal> {
        self.1.fetch_add(usize::from(request.method() == self.0), Ordering::SeqCst);
        next.authenticate(peer, request)
    }
}

#[tokio::test(start_paused = true)]
async fn a_legacy_session_that_nobody_uses_is_pinged() {
    for (revision, expected) in [(Revision::V2025_11_25, 3), (Revision::V2026_07_28, 0)] {
        let server = Server::builder("quiet", "1.0").tool("none").handler(|_: NoArgs| async { "" }).build().unwrap();
        let pings = Arc::<AtomicUsize>::default();
        let counted = Count("ping", pings.clone()).around(Arc::new(server));
        let (ours, theirs) = memory::pair();
        tokio::spawn(transport::serve(counted, theirs, Drain::new()));
        let builder = Client::builder().revision(revision).keep_alive(Duration::from_secs(30));
        let _client = builder.pipe(ours).await.unwrap();
        sleep(Duration::from_secs(95)).await;
        assert_eq!(pings.load(Ordering::SeqCst), expected, "{revision}");
    }
}
