//! The recorded client, alive again.
//!
//! The recording is walked through once: what the client said is sent, what the server said is waited for. So
//! nothing is sent before what had been answered then is answered now, and nothing waits for the clock.

use std::{collections::HashMap, io, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use micro_mcp::proto::headers;
use serde_json::Value;
use tokio::time::Instant;

use super::{Kind, Outcome, Rules, Step, asked, kind};
use crate::mcp::{
    capture::{Capture, Entry, Http, REDACTED, Side},
    target::Target,
    wire::{Event, Heard, Sent, Wire},
};

/// How long a notification that was recorded is waited for.
const STRAGGLER: Duration = Duration::from_secs(5);

/// Plays the client of a capture against a server; tells of each step when it is done.
///
/// # Errors
/// When the server cannot be reached at all.
pub(crate) async fn replay(capture: &Capture, target: &Target, rules: Rules) -> io::Result<Vec<Step>> {
    let wire = Wire::open(target).await?;
    let mut player = Player {
        wire,
        rules,
        patience: target.timeout,
        backlog: Vec::new(),
        exchanges: HashMap::new(),
        asked: Vec::new(),
        questions: Vec::new(),
        tally: HashMap::new(),
        lost: None,
        steps: Vec::new(),
    };
    for entry in &capture.entries {
        match entry.from {
            Side::Client => player.say(entry).await,
            Side::Server => player.hear(entry).await,
        }
    }
    player.finish();
    Ok(player.steps)
}

struct Player {
    wire: Wire,
    rules: Rules,
    /// For one answer.
    patience: Duration,
    /// What came and was not yet waited for.
    backlog: Vec<Heard>,
    /// Recorded exchanges and those in their place.
    exchanges: HashMap<u64, u64>,
    /// Requests that wait for their answers.
    asked: Vec<Asked>,
    /// Recorded ids of the server's requests, and those of now.
    questions: Vec<(Value, Value)>,
    /// Notifications by method: how many were recorded, how many came.
    tally: HashMap<String, (u64, u64)>,
    /// Why nothing more can be expected.
    lost: Option<String>,
    steps: Vec<Step>,
}

/// A request on its way.
struct Asked {
    exchange: Option<u64>,
    id: Value,
    step: usize,
    since: Instant,
}

impl Player {
    async fn say(&mut self, entry: &Entry) {
        if let Some(message) = entry.message.as_ref().filter(|m| matches!(kind(m), Kind::Request | Kind::Other)) {
            let mut step = Step::new(format!("{} {}", self.steps.len() + 1, asked(message)));
            match &self.lost {
                Some(why) => step.outcome = Outcome::Skipped(why.clone()),
                None => {
                    let (id, step, since) = (message["id"].clone(), self.steps.len(), Instant::now());
                    self.asked.push(Asked { exchange: entry.exchange, id, step, since });
                }
            }
            self.steps.push(step);
        }
        if self.lost.is_some() {
            return;
        }
        if entry.end {
            if let Some(now) = entry.exchange.and_then(|recorded| self.exchanges.get(&recorded)) {
                self.wire.cut(*now).await;
            }
            return;
        }
        let mut message = entry.message.clone();
        if let Some(message) = &mut message {
            self.rules.renew(message);
            if kind(message) == Kind::Response
                && let Some((_, now)) = self.questions.iter().find(|(recorded, _)| *recorded == message["id"])
            {
                message["id"] = now.clone();
            }
        }
        let body = match (&message, &entry.text) {
            (Some(message), _) => Bytes::from(message.to_string()),
            (None, Some(text)) => Bytes::from(text.clone()),
            (None, None) => Bytes::new(),
        };
        let http = entry.http.clone().unwrap_or_default();
        let method = http.method.as_deref().and_then(|method| method.parse().ok()).unwrap_or(Method::POST);
        let sent = Sent { method, path: None, headers: self.headers(&http), credentials: true, body };
        match self.wire.send(sent).await {
            Ok(now) => drop(entry.exchange.map(|recorded| self.exchanges.insert(recorded, now))),
            Err(error) => self.lost = Some(format!("the server is gone: {error}")),
        }
    }

    /// The recorded headers, with what took the place of sessions and task ids.
    fn headers(&self, http: &Http) -> HeaderMap {
        let named = http.headers.iter().filter_map(|(name, value)| {
            let value = value.as_str().filter(|value| *value != REDACTED)?;
            let value = HeaderValue::from_str(self.rules.current(value)).ok()?;
            Some((HeaderName::try_from(name).ok()?, value))
        });
        named.collect()
    }

    async fn hear(&mut self, entry: &Entry) {
        let exchange = entry.exchange;
        if let Some(http) = &entry.http {
            self.head(exchange, http).await;
        }
        let Some(recorded) = &entry.message else { return };
        match kind(recorded) {
            Kind::Notification => self.notification(exchange, recorded["method"].as_str().unwrap_or_default()).await,
            Kind::Request => self.question(recorded).await,
            Kind::Response | Kind::Other => self.answer(exchange, recorded).await,
        }
    }

    /// The beginning of an HTTP response: its status, and the session it may begin.
    async fn head(&mut self, exchange: Option<u64>, recorded: &Http) {
        let Some(now) = exchange.and_then(|recorded| self.exchanges.get(&recorded)).copied() else { return };
        let is_head = |heard: &Heard| heard.exchange == now && matches!(heard.event, Event::Head { .. });
        let step = self.asked.iter().find(|asked| asked.exchange == exchange).map(|asked| asked.step);
        let heard = match self.wait(exchange, is_head).await {
            Ok(heard) => heard,
            Err(why) => return self.missing(step, &format!("no response: {why}")),
        };
        let Event::Head { status, headers } = heard.event else { return };
        let name = headers::SESSION_ID.as_str();
        let (old, new) = (recorded.headers.get(name).and_then(Value::as_str), headers.get(name));
        if let (Some(old), Some(Ok(new))) = (old, new.map(HeaderValue::to_str)) {
            self.rules.bind(old, new);
        }
        if recorded.status != Some(status.as_u16()) {
            let was = recorded.status.unwrap_or_default();
            let told = format!("HTTP status: recorded {was}, now {}", status.as_u16());
            match step {
                Some(step) => self.steps[step].add(vec![told]),
                None => self.extra("an HTTP request without a message", told),
            }
        }
    }

    async fn answer(&mut self, exchange: Option<u64>, recorded: &Value) {
        let id = &recorded["id"];
        let at = self.asked.iter().position(|asked| match kind(recorded) {
            Kind::Response if !id.is_null() => asked.id == *id,
            _ => asked.exchange == exchange, // it has no id that could be looked for
        });
        let Some(asked) = at.map(|at| self.asked.remove(at)) else { return };
        let now = exchange.and_then(|recorded| self.exchanges.get(&recorded)).copied();
        let wanted = kind(recorded);
        let fits = |heard: &Heard| match &heard.event {
            Event::Message(message) if kind(message) == wanted => {
                message["id"] == *id || (now == Some(heard.exchange) && wanted != Kind::Request)
            }
            _ => false,
        };
        let step = asked.step;
        let seen = match self.wait(exchange, fits).await {
            Ok(Heard { event: Event::Message(seen), .. }) => seen,
            Ok(_) => return,
            Err(why) => return self.missing(Some(step), &format!("no answer: {why}")),
        };
        let differences = self.rules.compare(recorded, &seen);
        self.steps[step].add(differences);
        self.steps[step].took = asked.since.elapsed();
    }

    /// One of these was recorded here. How many come is a matter of timing; that any do is waited for, since the
    /// client may have gone away after it.
    async fn notification(&mut self, exchange: Option<u64>, method: &str) {
        self.tally.entry(method.to_owned()).or_default().0 += 1;
        let now = exchange.and_then(|recorded| self.exchanges.get(&recorded)).copied();
        let deadline = Instant::now() + self.patience.min(STRAGGLER);
        while self.lost.is_none() && self.tally[method] == (1, 0) {
            let Some(heard) = self.next(deadline).await else { return };
            let end = over(&heard, now.or(Some(heard.exchange))).is_some();
            self.keep(heard);
            if end {
                return;
            }
        }
    }

    /// Something that the server asked the client.
    async fn question(&mut self, recorded: &Value) {
        let method = recorded["method"].clone();
        let fits = |heard: &Heard| match &heard.event {
            Event::Message(message) => kind(message) == Kind::Request && message["method"] == method,
            _ => false,
        };
        self.steps.push(Step::new(format!("{} the server asks {}", self.steps.len() + 1, asked(recorded))));
        let step = self.steps.len() - 1;
        let mut seen = match self.wait(None, fits).await {
            Ok(Heard { event: Event::Message(seen), .. }) => seen,
            Ok(_) => return,
            Err(why) => return self.missing(Some(step), &format!("it did not ask: {why}")),
        };
        self.questions.push((recorded["id"].clone(), seen["id"].clone()));
        seen["id"] = recorded["id"].clone();
        let differences = self.rules.compare(recorded, &seen);
        self.steps[step].add(differences);
    }

    /// The first event that fits, come already or still to come; or why it will not come any more.
    async fn wait(&mut self, exchange: Option<u64>, fits: impl Fn(&Heard) -> bool) -> Result<Heard, String> {
        if let Some(at) = self.backlog.iter().position(&fits) {
            return Ok(self.backlog.remove(at));
        }
        let now = exchange.and_then(|recorded| self.exchanges.get(&recorded)).copied();
        // What belongs to an exchange comes before its end.
        if let Some(end) = self.backlog.iter().find_map(|heard| over(heard, now)) {
            return Err(end);
        }
        if let Some(why) = &self.lost {
            return Err(why.clone());
        }
        let deadline = Instant::now() + self.patience;
        while let Some(heard) = self.next(deadline).await {
            if fits(&heard) {
                return Ok(heard);
            }
            let end = over(&heard, now);
            if !self.wire.is_http() && over(&heard, Some(heard.exchange)).is_some() {
                let why = "the server ended".to_owned();
                self.lost = Some(why.clone());
                return Err(why);
            }
            self.keep(heard);
            if let Some(end) = end {
                return Err(end);
            }
        }
        self.lost = Some("an earlier answer did not come".to_owned());
        Err(format!("nothing came in {:?}", self.patience))
    }

    /// The next event; notifications are counted.
    async fn next(&mut self, deadline: Instant) -> Option<Heard> {
        let heard = self.wire.next(deadline).await?;
        if let Event::Message(message) = &heard.event
            && kind(message) == Kind::Notification
        {
            self.tally.entry(message["method"].as_str().unwrap_or_default().to_owned()).or_default().1 += 1;
        }
        Some(heard)
    }

    /// Keeps what nobody waits for yet.
    fn keep(&mut self, heard: Heard) {
        match &heard.event {
            Event::Message(message) if kind(message) == Kind::Notification => {} // it was counted
            _ => self.backlog.push(heard),
        }
    }

    fn missing(&mut self, step: Option<usize>, told: &str) {
        match step {
            Some(step) => self.steps[step].add(vec![told.to_owned()]),
            None => self.extra("an HTTP request without a message", told.to_owned()),
        }
    }

    fn extra(&mut self, name: &str, told: String) {
        let mut step = Step::new(format!("{} {name}", self.steps.len() + 1));
        step.add(vec![told]);
        self.steps.push(step);
    }

    /// What was recorded and did not come, and what the server asked and had not.
    fn finish(&mut self) {
        let mut tally: Vec<_> = self.tally.drain().collect();
        tally.sort_unstable();
        for (method, (recorded, seen)) in tally {
            if recorded > 0 && seen == 0 {
                self.extra(&method, format!("recorded {recorded} of these notifications, now none came"));
            }
        }
        for heard in std::mem::take(&mut self.backlog) {
            if let Event::Message(message) = heard.event
                && kind(&message) == Kind::Request
            {
                self.extra(&format!("the server asks {}", asked(&message)), "it did not ask this when recorded".into());
            }
        }
    }
}

/// How an exchange ended, if this is its end.
fn over(heard: &Heard, exchange: Option<u64>) -> Option<String> {
    match &heard.event {
        _ if exchange != Some(heard.exchange) => None,
        Event::End => Some("the server said nothing more".to_owned()),
        Event::Broken(why) => Some(why.clone()),
        _ => None,
    }
}
