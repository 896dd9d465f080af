//! `micro audit trace INTENT`: from what a user asked to what was done.

use std::collections::BTreeMap;

use micro_policy::audit::{CallEntry, Entry, IntentEntry};
use owo_colors::OwoColorize;
use serde::Serialize;

use crate::{
    audit::{self, Place, step, took},
    error::CommandError,
    ui::Ui,
    words::{count, plain},
};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro audit trace int_7hJ2kQmZx0PfWb3c
  micro audit trace int_7hJ2kQmZx0PfWb3c --json

The id of an intent stands in each record of a call with its token: `micro audit tail`.";

/// Print an intent as a tree: message, decisions, calls, results, and the intents that were narrowed from it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The intent's id
    intent: String,
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// An intent and what came of it, in the order of the log.
#[derive(Default, Serialize)]
struct Tree {
    /// None when its beginning is not in this log.
    intent: Option<IntentEntry>,
    calls: Vec<CallEntry>,
    narrowed: Vec<Tree>,
}

pub(crate) fn run(ui: &mut Ui, args: &Args) -> Result<(), CommandError> {
    let mut reader = args.place.open()?;
    let mut intents: BTreeMap<String, IntentEntry> = BTreeMap::new();
    let mut calls: BTreeMap<String, Vec<CallEntry>> = BTreeMap::new();
    while let Some(read) = audit::next(&mut reader)? {
        // An intent is written down before whatever comes of it, so that nothing else of a long log need be kept.
        let ours = |id: &str| id == args.intent || intents.contains_key(id);
        match read.entry {
            Entry::Intent(intent) if ours(&intent.intent) || intent.parent.as_deref().is_some_and(ours) => {
                intents.insert(intent.intent.clone(), *intent);
            }
            Entry::Call(call) => {
                if let Some(id) = call.intent.clone().filter(|id| ours(id)) {
                    calls.entry(id).or_default().push(*call);
                }
            }
            _ => {}
        }
    }
    if intents.is_empty() && calls.is_empty() {
        return Err(CommandError::not_found(format!("no record speaks of the intent {}", plain(&args.intent))));
    }
    let tree = tree(&args.intent, &mut intents, &mut calls);
    if args.json {
        ui.json(&tree);
    } else {
        print(ui, &args.intent, &tree, "", "");
    }
    Ok(())
}

/// Takes an intent, its calls and its children out of the tables, so that a circle ends.
fn tree(id: &str, intents: &mut BTreeMap<String, IntentEntry>, calls: &mut BTreeMap<String, Vec<CallEntry>>) -> Tree {
    let intent = intents.remove(id);
    let mut children: Vec<_> = intents
        .values()
        .filter(|child| child.parent.as_deref() == Some(id))
        .map(|c| (c.timestamp, c.intent.clone()))
        .collect();
    children.sort();
    let narrowed = children.iter().map(|(_, child)| tree(child, intents, calls)).collect();
    Tree { intent, calls: calls.remove(id).unwrap_or_default(), narrowed }
}

/// `branch` stands before its first line, `indent` before the others.
fn print(ui: &mut Ui, id: &str, tree: &Tree, branch: &str, indent: &str) {
    let Tree { intent, calls, narrowed } = tree;
    match intent {
        None => ui.data(format_args!("{branch}{} {}  (its beginning is not in this log)", "intent".bold(), plain(id))),
        Some(intent) => {
            let message = intent.message.as_deref().map(|message| format!("\"{}\"", plain(message)));
            let message = message.unwrap_or_else(|| format!("sha256:{}", intent.message_digest));
            ui.data(format_args!("{branch}{} {}  {message}", "intent".bold(), plain(id)));
            let bar = if calls.is_empty() && narrowed.is_empty() { "   " } else { "│  " };
            let tools =
                if intent.tools.is_empty() { "what the scopes allow".to_owned() } else { intent.tools.join(", ") };
            let times = count(usize::try_from(intent.calls).unwrap_or(usize::MAX), "call");
            ui.data(format_args!("{indent}{bar}asked by {}", audit::who(Some(&intent.account_id), &intent.actors)));
            ui.data(format_args!("{indent}{bar}allows   {}, {times}, until {}", plain(&tools), intent.expires));
        }
    }
    let all = calls.len() + narrowed.len();
    for (n, call) in calls.iter().enumerate() {
        let (branch, bar) = if n + 1 == all { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        print_call(ui, call, &format!("{indent}{branch}"), &format!("{indent}{bar}"));
    }
    for (n, child) in narrowed.iter().enumerate() {
        let (branch, bar) = if calls.len() + n + 1 == all { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let id = child.intent.as_ref().map_or("", |intent| &intent.intent);
        print(ui, id, child, &format!("{indent}{branch}"), &format!("{indent}{bar}"));
    }
}

fn print_call(ui: &mut Ui, call: &CallEntry, branch: &str, indent: &str) {
    let verdict = if call.allowed { "allowed".green().to_string() } else { "denied".red().to_string() };
    let who = audit::who(call.account_id.as_deref(), &call.actors);
    ui.data(format_args!("{branch}{verdict} {}  {who}  {}", plain(&call.tool), took(call.duration)));
    let last = call.decisions.len();
    for (n, (policy, nanos)) in call.decisions.iter().enumerate() {
        ui.data(format_args!("{indent}  {}", step(policy, nanos, !call.allowed && n + 1 == last)));
    }
    if let Some(reason) = &call.denied_reason {
        let rule = call.rule.as_ref().map(|rule| format!(" (rule {})", plain(rule))).unwrap_or_default();
        ui.data(format_args!("{indent}  {}{rule}", plain(reason)));
    }
    if let Some(error) = &call.error {
        ui.data(format_args!("{indent}  failed: {}", plain(error)));
    }
    if let Some(digest) = &call.result_digest {
        ui.data(format_args!("{indent}  result sha256:{digest}"));
    }
}
