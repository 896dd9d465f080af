//! Pages that a user must visit before a call (`-32042` of 2025-11-25).

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use micro_mcp::{
    CallContext, CallError, NoArgs, Notifier, Server,
    client::{Builder, Client, Error},
    proto::{ElicitAction, ElicitUrl, Revision, RpcError},
};
use parking_lot::Mutex;

use crate::{
    fixture::{Endpoint, waiting},
    transports::ways::{Place, Way},
};

/// What the user's browser and the server's pages do.
#[derive(Default)]
struct World {
    signed_in: Mutex<bool>,
    calls: AtomicUsize,
    visits: AtomicUsize,
    notifier: Mutex<Option<Notifier>>,
}

impl World {
    /// A server with a tool for those who are signed in.
    fn server(self: &Arc<Self>) -> Server {
        let world = self.clone();
        let builder = Server::builder("mail", "1.0").tool("mail").handler(move |cx: CallContext, _: NoArgs| {
            let world = world.clone();
            async move {
                world.calls.fetch_add(1, Ordering::SeqCst);
                if *world.signed_in.lock() {
                    return Ok("no new mail");
                }
                let id = cx.elicitation_id();
                let (message, url) = ("Please sign in.", format!("https://mail.example/sign-in?visit={id}"));
                let page = ElicitUrl { message: message.into(), url, elicitation_id: Some(id), ..ElicitUrl::default() };
                Err::<_, CallError>(RpcError::url_elicitation_required(message, &[page]).into())
            }
        });
        let server = builder.build().unwrap();
        *self.notifier.lock() = Some(server.notifier());
        server
    }

    /// A client whose user goes wherever he is sent, and `does` something there with the visit's name.
    fn user(self: &Arc<Self>, does: impl Fn(&Arc<World>, String) + Send + Sync + 'static) -> Builder {
        let (world, does) = (self.clone(), Arc::new(does));
        Client::builder().on_url(move |page| {
            let (world, does) = (world.clone(), does.clone());
            async move {
                world.visits.fetch_add(1, Ordering::SeqCst);
                let (_, id) = page.url.split_once("visit=").expect("the address names the visit");
                does(&world, id.to_owned());
                ElicitAction::Accept
            }
        })
    }

    fn counts(&self) -> (usize, usize) {
        (self.calls.load(Ordering::SeqCst), self.visits.load(Ordering::SeqCst))
    }

    async fn place(self: &Arc<Self>, way: Way) -> Place {
        let server = self.server();
        let notifier = server.notifier();
        Place::serving(way, Arc::new(server), notifier, waiting()).await
    }
}

/// Signs in after the client was told that its user has gone there, and says so.
fn sign_in(world: &Arc<World>, id: String) {
    let world = world.clone();
    tokio::spawn(async move {
        *world.signed_in.lock() = true;
        world.notifier.lock().as_ref().expect("there is a server").elicitation_complete(&id);
    });
}

#[tokio::test]
async fn a_call_is_made_again_once_its_user_is_done() {
    for revision in [Revision::V2025_11_25, Revision::V2026_07_28] {
        for way in Way::ALL.into_iter().filter(|way| way.speaks(revision)) {
            let world = Arc::<World>::default();
            let place = world.place(way).await;
            let client = place.connect(world.user(sign_in).revision(revision)).await.unwrap();
            let mail = client.call("mail").await.unwrap_or_else(|error| panic!("{way:?} {revision}: {error:?}"));
            if revision == Revision::V2025_11_25 {
                assert_eq!(world.counts(), (2, 1), "{way:?}: told, and not guessed");
            }
            assert_eq!(mail.content[0].as_text(), Some("no new mail"), "{way:?} {revision}");
        }
    }
}

#[tokio::test]
async fn who_does_not_go_is_not_asked_again() {
    for revision in [Revision::V2025_11_25, Revision::V2026_07_28] {
        let world = Arc::<World>::default();
        let place = world.place(Way::Http).await;
        let user = Client::builder().on_url(|_| async { ElicitAction::Decline }).revision(revision);
        let client = place.connect(user).await.unwrap();
        match (revision, client.call("mail").await) {
            (Revision::V2025_11_25, Err(Error::Declined)) => assert_eq!(world.counts().0, 1),
            (Revision::V2026_07_28, Ok(result)) => assert!(result.is_error && world.counts().0 == 2),
            (_, outcome) => panic!("{revision}: {outcome:?}"),
        }
    }
}

#[tokio::test]
async fn a_server_that_is_never_content_is_given_up() {
    let world = Arc::<World>::default();
    let place = world.place(Way::Lines).await;
    let user = world.user(|_, _| {}).revision(Revision::V2025_11_25);
    let client = place.connect(user).await.unwrap();
    // Nobody says that the user is done: after a while the call is made all the same.
    let outcome = client.call("mail").timeout(Duration::from_millis(20)).await;
    assert_eq!(outcome.unwrap_err().code(), Some(-32042));
    assert_eq!(world.counts(), (5, 4));
}

#[tokio::test]
async fn clients_that_cannot_visit_pages_read_of_them() {
    let world = Arc::<World>::default();
    let place = world.place(Way::Lines).await;
    for (builder, revision) in [
        (Client::builder(), Revision::V2025_11_25),
        (world.user(sign_in), Revision::V2025_06_18),
        (Client::builder(), Revision::V2024_11_05),
    ] {
        let client = place.connect(builder.revision(revision)).await.unwrap();
        let result = client.call("mail").await.unwrap();
        assert_eq!((result.is_error, result.content[0].as_text()), (true, Some("Please sign in.")), "{revision}");
    }
    let modern = place.connect(Client::builder()).await.unwrap();
    assert_eq!(modern.call("mail").await.unwrap_err().code(), Some(-32021));
}

#[tokio::test]
async fn only_the_client_that_was_sent_to_a_page_is_told_of_it() {
    let world = Arc::<World>::default();
    let endpoint = Endpoint::of(world.server()).await;
    let able = r#"{"elicitation":{"url":{}}}"#;
    let sessions = [(); 2].map(|()| endpoint.initialize_able("2025-11-25", able, &[]));
    let [ours, theirs] = sessions;
    let (ours, theirs) = (ours.await, theirs.await);
    let listen = async |session: &str| {
        let headers = [("Mcp-Session-Id", session), ("Accept", "text/event-stream")];
        let mut stream = endpoint.send("GET", &headers, b"").await;
        stream.until("\r\n\r\n").await;
        stream
    };
    let (mut heard, mut not_heard) = (listen(&ours).await, listen(&theirs).await);
    let call = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"mail"}}"#;
    let answer = endpoint.send("POST", &[("Mcp-Session-Id", &ours)], call).await.whole().await.json();
    let page = &answer["error"]["data"]["elicitations"][0];
    assert_eq!((answer["error"]["code"].as_i64(), page["mode"].as_str()), (Some(-32042), Some("url")));
    let id = page["elicitationId"].as_str().unwrap();
    for id in ["made-up", id] {
        endpoint.notifier.elicitation_complete(id);
    }
    endpoint.notifier.changed(micro_mcp::Change::Tools);
    for stream in [&mut heard, &mut not_heard] {
        stream.until("tools/list_changed").await;
    }
    let told = |text: String| text.matches("notifications/elicitation/complete").count();
    assert!(heard.text().contains(&format!(r#"{{"elicitationId":"{id}"}}"#)), "{}", heard.text());
    assert_eq!((told(heard.text()), told(not_heard.text())), (1, 0));
}
