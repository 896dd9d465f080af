//! Calls that become tasks, waited for as if they were plain, or held.

use std::{
    future::IntoFuture,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use micro_mcp::{
    Layer, NoArgs, Server,
    client::{Begun, Builder, Client, Error, TaskHandle},
    layer::Record,
    proto::{ElicitResult, Revision, TaskStatus},
    task::{TaskConfig, TaskMode},
    transport::{self, memory},
};
use micro_runtime::Drain;
use serde_json::{Map, json};
use tokio::{sync::Semaphore, time::Instant};

use crate::{
    fixture::{taken, waiting},
    tasks::server,
    transports::ways::{Place, Way},
};

/// The ways that the modern era takes, each with a server whose tools are tasks.
async fn everywhere(builder: Builder, behaviour: impl AsyncFn(&Place, Client)) {
    everywhere_told(builder, |_| {}, behaviour).await;
}

/// The same, told each method that the server has answered.
async fn everywhere_told(
    builder: Builder,
    told: impl Fn(&str) + Clone + Send + Sync + 'static,
    behaviour: impl AsyncFn(&Place, Client),
) {
    for way in Way::ALL.into_iter().filter(|way| way.speaks(Revision::LATEST)) {
        let (waiting, interval) = (waiting(), Duration::from_millis(20));
        let config = TaskConfig { poll_interval: interval, ..TaskConfig::default() };
        let (server, told) = (server(&waiting, config), told.clone());
        let notifier = server.notifier();
        let handler = Record::to(move |said| told(said.method)).around(Arc::new(server));
        let place = Place::serving(way, handler, notifier, waiting).await;
        let client = place.connect(builder.clone()).await.unwrap_or_else(|error| panic!("{way:?}: {error:?}"));
        let behaving = tokio::time::timeout(Duration::from_secs(30), behaviour(&place, client));
        behaving.await.unwrap_or_else(|_| panic!("{way:?}: it takes too long"));
    }
}

fn knowing_tasks() -> Builder {
    Client::builder().tasks()
}

async fn begin(client: &Client, tool: &str) -> TaskHandle {
    match client.call(tool).begin().await.unwrap() {
        Begun::Task(task) => task,
        Begun::Done(result) => panic!("no task: {result:?}"),
    }
}

#[tokio::test]
async fn a_call_that_becomes_a_task_is_answered_as_if_it_were_plain() {
    everywhere(knowing_tasks(), async |place, client| {
        for tool in ["work", "must"] {
            let (result, ()) = tokio::join!(client.call(tool).into_future(), async {
                taken(&place.waiting.begun).await;
                place.waiting.go.add_permits(1);
            });
            assert_eq!(result.unwrap().content[0].as_text(), Some("done"), "{:?} {tool}", place.way);
        }
    })
    .await;
}

#[tokio::test]
async fn questions_of_a_task_go_to_the_callbacks_each_once() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let builder = knowing_tasks().on_form(move |form| {
        count.fetch_add(1, Ordering::SeqCst);
        let name = form.message.trim_end_matches('?').to_owned();
        async move { ElicitResult::accept(Map::from_iter([("name".to_owned(), name.into())])) }
    });
    everywhere(builder, async |place, client| {
        asked.store(0, Ordering::SeqCst);
        let result = client.call("ask").await.unwrap();
        assert_eq!(result.content[0].as_text(), Some("One Two"), "{:?}", place.way);
        assert_eq!(asked.load(Ordering::SeqCst), 2, "{:?}", place.way);
        // Asked before the call becomes a task, and within it.
        place.waiting.go.add_permits(1);
        let result = client.call("late").await.unwrap();
        assert_eq!(result.content[0].as_text(), Some("Who are you, that is Are you sure"), "{:?}", place.way);
    })
    .await;
}

#[tokio::test]
async fn a_call_that_is_dropped_takes_its_task_with_it() {
    let looks = Arc::new(Semaphore::new(0));
    let looked = looks.clone();
    let told = move |method: &str| looked.add_permits(usize::from(method == "tasks/get"));
    everywhere_told(knowing_tasks(), told, async |place, client| {
        looks.forget_permits(usize::MAX); // of the way before
        // Once it is looked at, the client knows that there is a task.
        tokio::select! {
            outcome = client.call("work").into_future() => panic!("{:?}: {outcome:?}", place.way),
            () = async { tokio::join!(taken(&place.waiting.begun), taken(&looks)); } => {}
        }
        taken(&place.waiting.dropped).await;
        let late = client.call("work").deadline(Duration::from_millis(100)).await;
        assert!(matches!(late, Err(Error::Timeout)), "{:?}: {late:?}", place.way);
        taken(&place.waiting.dropped).await;
    })
    .await;
}

#[tokio::test]
async fn a_task_outlives_its_handle_and_its_connection() {
    everywhere(knowing_tasks(), async |place, client| {
        let id = begin(&client, "work").await.id().to_owned();
        drop(client);
        place.cut();
        let client = place.connect(knowing_tasks()).await.unwrap();
        let task = client.task(id.as_str());
        assert_eq!(task.look().await.unwrap().status, TaskStatus::Working, "{:?}", place.way);
        let (result, ()) = tokio::join!(task.result(), async {
            taken(&place.waiting.begun).await;
            place.cut(); // while it is looked at
            place.waiting.go.add_permits(1);
        });
        assert_eq!(result.unwrap().content[0].as_text(), Some("done"), "{:?}", place.way);
        assert_eq!(task.look().await.unwrap().status, TaskStatus::Completed, "{:?}", place.way);
    })
    .await;
}

#[tokio::test]
async fn a_task_says_how_it_ended() {
    everywhere(knowing_tasks(), async |place, client| {
        let task = begin(&client, "work").await;
        task.cancel().await.unwrap();
        assert!(matches!(task.result().await, Err(Error::Cancelled)), "{:?}", place.way);
        taken(&place.waiting.dropped).await;
        assert_eq!(client.call("panic").await.unwrap_err().code(), Some(-32603), "{:?}", place.way);
        let unknown = client.task("made-up");
        assert_eq!(unknown.result().await.unwrap_err().code(), Some(-32602), "{:?}", place.way);
        assert_eq!(unknown.cancel().await.unwrap_err().code(), Some(-32602), "{:?}", place.way);
    })
    .await;
}

#[tokio::test]
async fn who_does_not_know_tasks_is_given_none() {
    everywhere(Client::builder(), async |place, client| {
        place.waiting.go.add_permits(1);
        let Begun::Done(result) = client.call("work").begin().await.unwrap() else { panic!("a task") };
        assert_eq!(result.content[0].as_text(), Some("done"), "{:?}", place.way);
        assert_eq!(client.call("must").await.unwrap_err().code(), Some(-32021), "{:?}", place.way);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_task_is_looked_at_as_often_as_its_server_says() {
    let config = TaskConfig { poll_interval: Duration::from_secs(60), ..TaskConfig::default() };
    let server = Server::builder("slow", "1.0")
        .tasks(config)
        .tool("slow")
        .task(TaskMode::Required)
        .handler(|_: NoArgs| async {
            tokio::time::sleep(Duration::from_secs(150)).await;
            "at last"
        })
        .build()
        .unwrap();
    let looks = Arc::new(AtomicUsize::new(0));
    let count = looks.clone();
    let counted = Record::to(move |said| {
        count.fetch_add(usize::from(said.method == "tasks/get"), Ordering::SeqCst);
    });
    let (ours, theirs) = memory::pair();
    tokio::spawn(transport::serve(counted.around(Arc::new(server)), theirs, Drain::new()));
    let client = knowing_tasks().pipe(ours).await.unwrap();
    let begun = Instant::now();
    let result = client.call("slow").args(&json!({})).await.unwrap();
    assert_eq!(result.content[0].as_text(), Some("at last"));
    let minutes = begun.elapsed().as_secs() / 60;
    assert_eq!((minutes, looks.load(Ordering::SeqCst)), (3, 3));
}
