//! Several servers as one, some of which fail.

use std::{future::IntoFuture, sync::Arc, time::Duration};

use micro_mcp::{
    client::{Balance, Client, Error, Many, ManyBuilder},
    task::TaskConfig,
    transport::{self, memory},
};
use micro_runtime::Drain;
use parking_lot::Mutex;
use serde_json::json;
use tokio::{task::JoinSet, time::timeout};

use crate::{
    fixture::{server, taken, waiting},
    transports::ways::{Place, Way},
};

/// Adds a replica that lives at this place.
fn at(builder: ManyBuilder, name: &str, place: &Arc<Place>) -> ManyBuilder {
    let place = place.clone();
    let connect = move || {
        let place = place.clone();
        async move { place.connect(Client::builder()).await }
    };
    builder.replica(name, Balance::RoundRobin, connect).unwrap()
}

async fn place() -> Arc<Place> {
    Arc::new(Place::open(Way::Http).await)
}

#[tokio::test]
async fn a_server_that_fails_takes_nobody_with_it() {
    let (one, gone) = (place().await, place().await);
    gone.kill();
    let many = at(at(Many::builder(), "one", &one), "gone", &gone).build();
    let listing = many.tools().await;
    assert!(listing.items.iter().any(|tool| tool.name == "one__add"));
    assert!(listing.items.iter().all(|tool| tool.name.starts_with("one__")));
    assert!(matches!(&listing.failed[..], [(name, Error::Unreachable(_))] if name == "gone"), "{:?}", listing.failed);
    let sum = many.call("one__add").args(&json!({ "a": 1, "b": 2 })).await.unwrap();
    assert_eq!(sum.structured_content.unwrap()["sum"], 3);
    assert!(many.call("gone__add").await.is_err());
    for nobody in ["add", "two__add"] {
        assert!(matches!(many.call(nobody).await, Err(Error::Address(_))), "{nobody}");
    }
    assert!(many.server("one").await.unwrap().prompts().await.is_err(), "it offers none");
    assert!(many.prompts().await.items.is_empty());
}

#[tokio::test]
async fn calls_fail_over_to_a_replica_that_is_well() {
    let places = [place().await, place().await];
    let many = places.iter().fold(Many::builder(), |builder, place| at(builder, "calc", place)).build();
    for _ in 0..2 {
        many.call("calc__add").args(&json!({ "a": 1, "b": 2 })).await.unwrap();
    }
    places[0].kill();
    for _ in 0..20 {
        let call = many.call("calc__add").args(&json!({ "a": 1, "b": 2 })).idempotent(true);
        assert!(!call.await.unwrap().is_error);
    }
}

#[tokio::test]
async fn what_may_have_been_done_is_not_done_again() {
    let places = [place().await, place().await];
    let many = places.iter().fold(Many::builder(), |builder, place| at(builder, "calc", place)).build();
    let call = many.call("calc__wait").args(&json!({}));
    let (outcome, ()) = tokio::join!(call.into_future(), async {
        taken(&places[0].waiting.begun).await;
        places[0].kill();
    });
    assert!(outcome.is_err());
    assert_eq!(places[1].waiting.begun.available_permits(), 0, "nobody else was asked");

    // The same call, when it may be made twice.
    let call = many.call("calc__wait").args(&json!({})).idempotent(true);
    let (outcome, ()) = tokio::join!(call.into_future(), async {
        taken(&places[1].waiting.begun).await;
        places[1].waiting.go.add_permits(1);
    });
    assert!(!outcome.unwrap().is_error);
}

#[tokio::test]
async fn a_server_on_one_pipe_is_connected_to_again_when_it_was_lost() {
    let serving = Arc::new(Mutex::new(JoinSet::new()));
    let carriers = serving.clone();
    let connect = move || {
        let (ours, theirs) = memory::pair();
        let server = server(&waiting());
        carriers.lock().spawn(async move { drop(transport::serve(Arc::new(server), theirs, Drain::new()).await) });
        Client::builder().pipe(ours)
    };
    let many = Many::builder().server("calc", connect).unwrap().build();
    let add = || many.call("calc__add").args(&json!({ "a": 1, "b": 2 })).into_future();
    add().await.unwrap();
    serving.lock().abort_all();
    while !serving.lock().is_empty() {
        let ended = serving.lock().try_join_next();
        ended.map_or_else(|| (), drop);
        tokio::task::yield_now().await;
    }
    let lost = add().await;
    assert!(add().await.is_ok(), "after {lost:?}");
}

#[tokio::test]
async fn a_task_that_was_begun_is_not_begun_again_elsewhere() {
    let interval = Duration::from_millis(20);
    let servers = [(); 2].map(|()| (waiting(), Arc::new(Mutex::new(JoinSet::new()))));
    let many = servers.iter().fold(Many::builder(), |builder, (waiting, serving)| {
        let (waiting, serving) = (waiting.clone(), serving.clone());
        let connect = move || {
            let (ours, theirs) = memory::pair();
            let server =
                crate::tasks::server(&waiting, TaskConfig { poll_interval: interval, ..TaskConfig::default() });
            serving.lock().spawn(async move { drop(transport::serve(Arc::new(server), theirs, Drain::new()).await) });
            Client::builder().tasks().pipe(ours)
        };
        builder.replica("busy", Balance::RoundRobin, connect).unwrap()
    });
    let many = many.build();
    let call = timeout(Duration::from_secs(20), many.call("busy__work").into_future());
    let (outcome, ()) = tokio::join!(call, async {
        taken(&servers[0].0.begun).await;
        servers[0].1.lock().abort_all();
    });
    let outcome = outcome.expect("it is given up");
    assert!(outcome.as_ref().is_err_and(Error::is_transient), "{outcome:?}");
    assert_eq!(servers[1].0.begun.available_permits(), 0, "nobody else was asked");
}

#[tokio::test]
async fn names_must_tell_servers_apart() {
    let connect = || async { Err(Error::Closed) };
    assert!(Many::builder().server("a__b", connect).is_err());
    assert!(Many::builder().server("", connect).is_err());
    assert!(Many::builder().server("a", connect).unwrap().server("a", connect).is_err());
}
