//! Legacy clients that lose their stream, or are sent away from it, get the rest of it.

use micro_mcp::http::{Config, Replay};

use crate::fixture::{Answer, Endpoint, Whole, taken};

const TALK: &[u8] =
    br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"talk","_meta":{"progressToken":"p"}}}"#;
const COME_BACK: &[u8] = br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"come_back"}}"#;

/// One session, as a client keeps it.
struct Client<'a> {
    endpoint: &'a Endpoint,
    session: String,
}

impl<'a> Client<'a> {
    async fn connect(endpoint: &'a Endpoint, revision: &str) -> Self {
        Self { endpoint, session: endpoint.initialize(revision, &[]).await }
    }

    async fn post(&self, body: &[u8]) -> Answer {
        self.endpoint.send("POST", &[("Mcp-Session-Id", &self.session)], body).await
    }

    async fn resume(&self, id: &str) -> Answer {
        self.endpoint.send("GET", &[("Mcp-Session-Id", &self.session), ("Last-Event-ID", id)], b"").await
    }
}

/// The ids of the events so far.
fn ids(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.strip_prefix("id: ")).map(str::to_owned).collect()
}

fn steps(answer: &Whole) -> Vec<u64> {
    answer.events().iter().filter_map(|event| event["params"]["progress"].as_u64()).collect()
}

#[tokio::test]
async fn a_client_that_is_sent_away_comes_back_for_the_answer() {
    let endpoint = Endpoint::start().await;
    let client = Client::connect(&endpoint, "2025-11-25").await;
    let sent_away = client.post(COME_BACK).await.whole().await;
    let id = ids(&sent_away.body).pop().expect("an id");
    assert_eq!(sent_away.body, format!("id: {id}\nretry: 1000\ndata: \n\nretry: 20\n\n"));
    assert_eq!(sent_away.header("content-type"), Some("text/event-stream"));

    let mut rest = client.resume(&id).await;
    rest.until(&id).await;
    endpoint.waiting.go.add_permits(1);
    let rest = rest.whole().await;
    assert_eq!(rest.events().last().unwrap()["result"]["content"][0]["text"], "back again");
    // The same again: nobody knows what the network lost.
    let again = client.resume(&id).await.whole().await;
    assert_eq!(again.body, rest.body);
}

#[tokio::test]
async fn a_stream_that_was_cut_goes_on_where_it_was() {
    let endpoint = Endpoint::start().await;
    for revision in ["2025-03-26", "2025-11-25"] {
        let client = Client::connect(&endpoint, revision).await;
        let mut cut = client.post(TALK).await;
        cut.until(r#""progress":50"#).await;
        let seen = cut.text();
        drop(cut);
        let last = ids(&seen).into_iter().find(|id| id.ends_with(".51")).expect("step 50 is the 51st message");
        let rest = client.resume(&last).await.whole().await;
        assert_eq!(steps(&rest), (51..200).collect::<Vec<_>>(), "{revision}");
        assert_eq!(rest.events().last().unwrap()["id"], 7);
    }
}

#[tokio::test]
async fn only_clients_since_2025_11_25_get_events_without_data_or_are_sent_away() {
    let endpoint = Endpoint::start().await;
    let client = Client::connect(&endpoint, "2025-06-18").await;
    let answer = client.post(TALK).await.whole().await;
    assert!(!answer.body.contains("data: \n") && !answer.body.contains("retry:"));
    assert_eq!(ids(&answer.body).len(), 201);
    endpoint.waiting.go.add_permits(1);
    let answer = client.post(COME_BACK).await.whole().await;
    assert_eq!(answer.json()["result"]["content"][0]["text"], "back again");
}

#[tokio::test]
async fn a_stream_is_resumed_within_its_session_only() {
    let endpoint = Endpoint::start().await;
    let (ann, bob) = (Client::connect(&endpoint, "2025-11-25").await, Client::connect(&endpoint, "2025-11-25").await);
    let answer = ann.post(TALK).await.whole().await;
    let id = &ids(&answer.body)[0];
    for (client, id) in [(&bob, id.as_str()), (&ann, "made-up.1"), (&ann, ""), (&ann, &id.replace('.', "A."))] {
        let answer = client.resume(id).await.whole().await;
        assert_eq!(answer.error(), (410, -32600), "{id}");
    }
    assert_eq!(ann.resume(id).await.whole().await.events().len(), 201);
    ann.endpoint.send("DELETE", &[("Mcp-Session-Id", &ann.session)], b"").await.whole().await;
    assert_eq!(ann.resume(id).await.whole().await.status, 404, "the session is gone, and the stream with it");
}

#[tokio::test]
async fn the_last_connection_to_come_gets_the_stream() {
    let endpoint = Endpoint::start().await;
    let client = Client::connect(&endpoint, "2025-11-25").await;
    let id = ids(&client.post(COME_BACK).await.whole().await.body).remove(0);
    let mut first = client.resume(&id).await;
    first.until(&id).await;
    let mut second = client.resume(&id).await;
    second.until(&id).await;
    assert_eq!(first.whole().await.events().len(), 0, "it ends without the answer");
    endpoint.waiting.go.add_permits(1);
    assert_eq!(second.whole().await.events().len(), 1);
}

#[tokio::test]
async fn a_long_stream_keeps_its_end() {
    let replay = Replay { events: 10, ..Replay::default() };
    let endpoint = Endpoint::with(|config| Config { replay, ..config }).await;
    let client = Client::connect(&endpoint, "2025-11-25").await;
    let answer = client.post(TALK).await.whole().await;
    assert_eq!(steps(&answer).len(), 200, "a reader who keeps up misses nothing");
    let rest = client.resume(&ids(&answer.body)[0]).await.whole().await;
    assert_eq!(steps(&rest), (191..200).collect::<Vec<_>>());
    assert_eq!(rest.events().len(), 10);
}

#[tokio::test]
async fn what_cannot_be_resumed_has_no_ids() {
    let off = Replay { bytes: 0, ..Replay::default() };
    let endpoint = Endpoint::with(|config| Config { replay: off, ..config }).await;
    let client = Client::connect(&endpoint, "2025-11-25").await;
    let answers = [
        client.post(TALK).await.whole().await,
        Endpoint::start().await.modern("7", "tools/call", r#""name":"talk""#).await.whole().await,
        endpoint.send("POST", &[], TALK).await.whole().await,
    ];
    for answer in answers {
        assert_eq!((steps(&answer).len(), ids(&answer.body).len()), (200, 0));
    }
    endpoint.waiting.go.add_permits(1);
    let stayed = client.post(COME_BACK).await.whole().await;
    assert_eq!(stayed.events().last().unwrap()["result"]["content"][0]["text"], "back again");
    // A replica that does not run the call answers alike.
    assert_eq!(client.resume("AAAAAAAAAAAAAAAA.1").await.whole().await.status, 410);
}

#[tokio::test]
async fn a_call_whose_client_left_runs_on_and_can_be_cancelled() {
    let endpoint = Endpoint::start().await;
    let client = Client::connect(&endpoint, "2025-11-25").await;
    let id = ids(&client.post(COME_BACK).await.whole().await.body).remove(0);
    taken(&endpoint.waiting.begun).await;
    let cancel = br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}"#;
    assert_eq!(client.post(cancel).await.whole().await.status, 202);
    taken(&endpoint.waiting.dropped).await;
    assert_eq!(client.resume(&id).await.whole().await.events().len(), 0, "a cancelled call has no answer");
}
