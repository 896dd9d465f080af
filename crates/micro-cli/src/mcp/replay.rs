//! Plays a recorded client against a server and compares the answers with the recorded ones.

mod compare;
mod player;
mod serve;

use std::time::Duration;

use serde_json::Value;

pub(crate) use self::{
    compare::Rules,
    player::replay,
    serve::{Answers, serve_http, serve_pipe},
};
use super::junit::{Case, Verdict};

/// Something the recorded client did, and how the answer compares.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// `2 tools/call add`: the number of the request and what it asked for.
    pub(crate) name: String,
    pub(crate) outcome: Outcome,
    pub(crate) took: Duration,
}

/// How an answer compares with the recorded one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// No answer yet.
    Open,
    Same,
    /// In these ways.
    Different(Vec<String>),
    /// The recording ends before the answer, or the server was gone already.
    Skipped(String),
}

impl Step {
    fn new(name: String) -> Self {
        Self { name, outcome: Outcome::Open, took: Duration::ZERO }
    }

    /// Notes how one part of the answer compares.
    fn add(&mut self, differences: Vec<String>) {
        match &mut self.outcome {
            Outcome::Different(known) => known.extend(differences),
            _ if differences.is_empty() => self.outcome = Outcome::Same,
            outcome => *outcome = Outcome::Different(differences),
        }
    }

    /// As a test case.
    pub(crate) fn case(&self) -> Case {
        let verdict = match &self.outcome {
            Outcome::Same => Verdict::Pass,
            Outcome::Different(differences) => Verdict::Fail(differences.join("\n")),
            Outcome::Open => Verdict::Skip("the recording ends before the answer".to_owned()),
            Outcome::Skipped(why) => Verdict::Skip(why.clone()),
        };
        Case { class: "replay".to_owned(), name: self.name.clone(), verdict, took: self.took }
    }
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Request,
    Notification,
    Response,
    /// An array, or nothing of JSON-RPC.
    Other,
}

fn kind(message: &Value) -> Kind {
    let has = |member: &str| message.get(member).is_some();
    match (has("method"), has("id")) {
        (true, true) => Kind::Request,
        (true, false) => Kind::Notification,
        (false, _) if has("result") || has("error") => Kind::Response,
        _ => Kind::Other,
    }
}

/// What a request asks for, for people.
fn asked(message: &Value) -> String {
    let method = message["method"].as_str().unwrap_or("a message");
    let params = &message["params"];
    let name = ["name", "uri", "taskId"].into_iter().find_map(|key| params[key].as_str());
    name.map_or(method.to_owned(), |name| format!("{method} {name}"))
}
