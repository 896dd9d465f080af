//! A client that can say anything, in one revision, and notices everything.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use micro_mcp::proto::{Era, Revision, headers};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Answer, No, answer::shown, ask::Ask, fail, lists::List};
use crate::mcp::{
    target::Target,
    wire::{Event, Heard, Sent, Wire},
};

/// After a later request was answered, how long an answer to an earlier one may still take.
const STRAGGLER: Duration = Duration::from_millis(300);
/// How long a stream may take to end after the response.
const ENDING: Duration = Duration::from_secs(1);

/// Why there is no probe.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The server does not speak the revision.
    Revision,
    /// It wants credentials, or others.
    Denied(StatusCode),
    /// It cannot be reached; this is why.
    Unreachable(std::io::Error),
}

/// A conversation with the server.
pub(super) struct Probe {
    pub(super) target: Target,
    pub(super) revision: Revision,
    /// All revisions that the server speaks, as far as it was asked.
    pub(super) spoken: Vec<Revision>,
    pub(super) call_tools: bool,
    wire: Wire,
    pub(super) session: Option<HeaderValue>,
    pub(super) last_id: u64,
    dead: bool,
    /// The answer to `initialize` or `server/discover`.
    pub(super) hello: Answer,
    /// A ServerCapabilities object.
    pub(super) capabilities: Value,
    pub(super) lists: HashMap<&'static str, Result<List, No>>,
    /// Errors that were answered with, results of requests, what came and was no message, and requests of the
    /// server: what the last checks look at.
    pub(super) errors: Vec<i64>,
    pub(super) untyped: Vec<String>,
    pub(super) noise: Vec<String>,
    pub(super) questions: Vec<String>,
}

impl Probe {
    /// Connects and says hello in a revision.
    pub(super) async fn open(target: &Target, revision: Revision) -> Result<Self, Refused> {
        let mut probe = Self::stranger(target, revision).await?;
        match revision.era() {
            Era::Modern => {
                let ask = probe.request("server/discover", json!({}));
                let hello = probe.send(ask).await;
                let result = accepted(&hello)?;
                let supported = result["supportedVersions"].as_array();
                if !supported.is_some_and(|versions| versions.iter().any(|v| v == revision.as_str())) {
                    return Err(Refused::Revision);
                }
                probe.hello = hello;
            }
            Era::Legacy => {
                let ask = probe.initialize(revision.as_str());
                let hello = probe.send(ask).await;
                if accepted(&hello)?["protocolVersion"] != revision.as_str() {
                    return Err(Refused::Revision);
                }
                probe.session = hello.headers.get(&headers::SESSION_ID).cloned();
                probe.hello = hello;
                let initialized = probe.notification("notifications/initialized", json!({}));
                probe.send(initialized).await;
            }
        }
        probe.capabilities =
            probe.hello.response.as_ref().map(|hello| hello["result"]["capabilities"].clone()).unwrap_or_default();
        Ok(probe)
    }

    /// Connects and says nothing yet.
    pub(super) async fn stranger(target: &Target, revision: Revision) -> Result<Self, Refused> {
        let wire = Wire::open(target).await.map_err(Refused::Unreachable)?;
        Ok(Self {
            target: target.clone(),
            revision,
            spoken: vec![revision],
            call_tools: false,
            wire,
            session: None,
            last_id: 0,
            dead: false,
            hello: Answer::default(),
            capabilities: Value::Null,
            lists: HashMap::new(),
            errors: Vec::new(),
            untyped: Vec::new(),
            noise: Vec::new(),
            questions: Vec::new(),
        })
    }

    /// The same, knowing more.
    pub(super) fn with(mut self, spoken: &[Revision], call_tools: bool) -> Self {
        self.spoken = spoken.to_vec();
        self.call_tools = call_tools;
        self
    }

    /// Another connection; what was noticed is kept.
    pub(super) async fn again(self) -> Result<Self, Refused> {
        let fresh = Self::open(&self.target, self.revision).await?;
        Ok(Self { wire: fresh.wire, session: fresh.session, dead: false, ..self })
    }

    /// A connection of its own for a check that would spoil this one.
    pub(super) async fn fresh(&mut self) -> Result<Self, No> {
        Self::open(&self.target, self.revision).await.map_err(|_| fail("the server did not take a second client"))
    }

    pub(super) fn is_http(&self) -> bool {
        self.wire.is_http()
    }

    pub(super) fn is_modern(&self) -> bool {
        self.revision.era() == Era::Modern
    }

    /// Whether the server at the other end of a pipe is gone.
    pub(super) fn is_dead(&self) -> bool {
        self.dead
    }

    /// The id of the session, if there is one.
    pub(super) fn session(&self) -> Option<&HeaderValue> {
        self.session.as_ref()
    }

    /// Whether the server declares a capability: `tools`, `resources.subscribe`.
    pub(super) fn declares(&self, path: &str) -> bool {
        let found = path.split('.').try_fold(&self.capabilities, |at, name| at.get(name));
        found.is_some_and(|value| !value.is_null() && *value != Value::Bool(false))
    }

    /// Asks as one should, and gives the result.
    pub(super) async fn ask(&mut self, method: &str, params: Value) -> Result<Value, No> {
        let ask = self.request(method, params);
        let answer = self.send(ask).await;
        answer.result().cloned().map_err(|no| match no {
            No::Fail(why) => fail(format!("{method}: {why}")),
            skip => skip,
        })
    }

    /// Sends something and takes everything that comes back to it.
    pub(super) async fn send(&mut self, ask: Ask) -> Answer {
        self.exchange(ask, |_| false).await
    }

    /// Sends something and takes what comes back, until a message is enough.
    pub(super) async fn exchange(&mut self, ask: Ask, enough: impl Fn(&Value) -> bool) -> Answer {
        let id = ask.body.get("id").filter(|id| !id.is_null()).cloned();
        // An answer to what is no request has no id that could be waited for.
        let id = id.filter(|_| ask.raw.is_none() && ask.body.get("method").is_some());
        let exchange = match self.out(&ask).await {
            Ok(exchange) => exchange,
            Err(trouble) => return Answer { trouble: Some(trouble), ..Answer::default() },
        };
        let odd = ask.odd || id.is_none();
        let fence = if odd && !self.is_http() { self.fence().await } else { None };
        let mut answer = Answer::default();
        let mut deadline = Instant::now() + self.target.timeout;
        loop {
            let Some(Heard { exchange: of, event }) = self.wire.next(deadline).await else {
                if answer.response.is_none() && fence.is_none() && answer.messages.is_empty() {
                    answer.trouble = Some(format!("no answer in {:?}", self.target.timeout));
                }
                break;
            };
            if of != exchange {
                continue;
            }
            match event {
                Event::Head { status, headers } => (answer.status, answer.headers) = (Some(status), headers),
                Event::Text(text) => {
                    self.noise.push(text.clone());
                    answer.text = Some(text);
                }
                Event::Message(message) if fence.is_some() && message.get("id") == fence.as_ref() => {
                    if answer.response.is_some() {
                        break;
                    }
                    deadline = Instant::now() + STRAGGLER;
                }
                Event::Message(message) => {
                    self.notice(&ask, &message).await;
                    let is_response = message.get("result").is_some() || message.get("error").is_some();
                    // What is no request has no id that its answer could name.
                    let to_this = self.is_http() || id.is_none() || message.get("id") == id.as_ref();
                    let answers = is_response && (to_this || message["id"].is_null());
                    let done = enough(&message);
                    if answers {
                        answer.response = Some(message.clone());
                    }
                    answer.messages.push(message);
                    match self.is_http() {
                        _ if done => break,
                        true if answers => deadline = Instant::now() + ENDING,
                        false if answers && fence.is_none() => break,
                        _ => {}
                    }
                }
                Event::End | Event::Broken(_) => {
                    answer.ended = matches!(event, Event::End);
                    if let Event::Broken(why) = event {
                        answer.trouble = Some(why);
                    }
                    if !self.is_http() {
                        self.dead = true;
                        answer.trouble = Some("the server ended".to_owned());
                    }
                    break;
                }
            }
        }
        if self.is_http() {
            self.wire.cut(exchange).await;
        }
        answer
    }

    /// Sends an HTTP request and takes the beginning of what comes back.
    pub(super) async fn head(&mut self, ask: Ask) -> Answer {
        let mut answer = Answer::default();
        match self.out(&ask).await {
            Ok(exchange) => {
                let deadline = Instant::now() + self.target.timeout;
                while let Some(heard) = self.wire.next(deadline).await {
                    match heard.event {
                        _ if heard.exchange != exchange => {}
                        Event::Head { status, headers } => {
                            (answer.status, answer.headers) = (Some(status), headers);
                            break;
                        }
                        Event::Broken(why) => {
                            answer.trouble = Some(why);
                            break;
                        }
                        _ => {}
                    }
                }
                self.wire.cut(exchange).await;
            }
            Err(trouble) => answer.trouble = Some(trouble),
        }
        answer
    }

    /// Sends several requests at once; what each was answered with.
    pub(super) async fn all_at_once(&mut self, asks: &[Ask]) -> Vec<Option<Value>> {
        let mut out = vec![None; asks.len()];
        for ask in asks {
            if self.out(ask).await.is_err() {
                return out;
            }
        }
        let deadline = Instant::now() + self.target.timeout;
        while out.iter().any(Option::is_none) {
            let Some(heard) = self.wire.next(deadline).await else { return out };
            match heard.event {
                Event::Message(message) => {
                    let at = asks.iter().position(|ask| ask.body["id"] == message["id"]);
                    if let Some(at) = at.filter(|_| message.get("method").is_none()) {
                        out[at] = Some(message);
                    }
                }
                Event::End | Event::Broken(_) if !self.is_http() => {
                    self.dead = true;
                    return out;
                }
                _ => {}
            }
        }
        out
    }

    /// Says that nothing more comes; whether the server at the other end of the pipe then ends.
    pub(super) async fn hang_up(&mut self, patience: Duration) -> bool {
        self.wire.cut(0).await;
        let deadline = Instant::now() + patience;
        while let Some(heard) = self.wire.next(deadline).await {
            if matches!(heard.event, Event::End | Event::Broken(_)) {
                self.dead = true;
                return true;
            }
        }
        false
    }

    async fn out(&mut self, ask: &Ask) -> Result<u64, String> {
        let body = match &ask.raw {
            Some(text) => Bytes::from(text.clone()),
            None if ask.body.is_null() => Bytes::new(),
            None => Bytes::from(ask.body.to_string()),
        };
        let (method, headers) = (ask.method.clone(), ask.headers.clone());
        let sent = Sent { method, path: None, headers, credentials: ask.credentials, body };
        self.wire.send(sent).await.map_err(|error| {
            self.dead = true;
            format!("the server is gone: {error}")
        })
    }

    /// A request behind one that may not be answered: its answer says that nothing more comes.
    async fn fence(&mut self) -> Option<Value> {
        let fence = self.simple();
        self.out(&fence).await.ok().map(|_| fence.body["id"].clone())
    }

    /// Keeps what the last checks look at, and answers what the server asks.
    async fn notice(&mut self, ask: &Ask, message: &Value) {
        if let Some(code) = message["error"]["code"].as_i64() {
            self.errors.push(code);
        }
        if let Some(result) = message.get("result")
            && !result["resultType"].is_string()
            && ask.body["method"] != "initialize"
        {
            self.untyped.push(ask.body["method"].as_str().unwrap_or("a message").to_owned());
        }
        let (Some(method), Some(id)) = (message["method"].as_str(), message.get("id")) else { return };
        self.questions.push(shown(&json!(method)));
        if self.is_modern() {
            return; // nobody answers what must not be asked
        }
        let mut reply = json!({ "jsonrpc": "2.0", "id": id });
        match method {
            "ping" => reply["result"] = json!({}),
            _ => reply["error"] = json!({ "code": -32601, "message": "Method not found" }),
        }
        let mut answer = self.message("", json!({}));
        answer.body = reply;
        let _ = self.out(&answer).await; // a server that is gone is noticed by the check
    }
}

/// The result of a hello, or what its failure means.
fn accepted(hello: &Answer) -> Result<&Value, Refused> {
    if let Some(status) = hello.status.filter(|status| matches!(status.as_u16(), 401 | 403)) {
        return Err(Refused::Denied(status));
    }
    match (&hello.trouble, hello.status, &hello.response) {
        (Some(why), None, None) if !why.starts_with("no answer") && !why.starts_with("the server") => {
            Err(Refused::Unreachable(std::io::Error::other(why.clone())))
        }
        _ => hello.result().map_err(|_| Refused::Revision),
    }
}
