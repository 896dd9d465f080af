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
  micro audit trace                                The last thing that a user asked
  micro audit trace int_7DKGOkKl_IDSn5WJ
  micro audit trace int_7DKGOkKl_IDSn5WJ --json

The id of an intent stands in each record of a call with its token: `micro audit tail`.";

/// Print an intent as a tree: message, calls, decisions, results, and the intents that were narrowed from it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The intent's id [default: the newest one that was not narrowed from another]
    intent: Option<String>,
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// An intent and what came of it.
#[derive(Serialize)]
struct Tree {
    /// None when its beginning is not in this log.
    intent: Option<IntentEntry>,
    calls: Vec<CallEntry>,
    narrowed: Vec<Tree>,
}

pub(crate) fn run(ui: &mut Ui, args: &Args) -> Result<(), CommandError> {
    let mut reader = args.place.open()?;
    let mut root = args.intent.clone();
    let mut intents: BTreeMap<String, IntentEntry> = BTreeMap::new();
    let mut calls: BTreeMap<String, Vec<CallEntry>> = BTreeMap::new();
    while let Some(read) = audit::next(&mut reader)? {
        // An intent is written down before whatever comes of it, so that nothing else of a long log need be kept.
        match read.entry {
            Entry::Intent(intent) => {
                if args.intent.is_none() && intent.parent.is_none() && intent.allowed {
                    root = Some(intent.intent.clone());
                    intents.clear();
                    calls.clear();
                }
                let ours = |id: &str| root.as_deref() == Some(id) || intents.contains_key(id);
                if ours(&intent.intent) || intent.parent.as_deref().is_some_and(ours) {
                    intents.insert(intent.intent.clone(), *intent);
                }
            }
            Entry::Call(call) => {
                let ours = |id: &String| root.as_ref() == Some(id) || intents.contains_key(id);
                if let Some(id) = call.intent.clone().filter(ours) {
                    calls.entry(id).or_default().push(*call);
                }
            }
            _ => {}
        }
    }
    let Some(id) = root else {
        return Err(CommandError::not_found("there is no intent in this log"));
    };
    if intents.is_empty() && calls.is_empty() {
        return Err(CommandError::not_found(format!("no record speaks of the intent {}", plain(&id))));
    }
    let tree = Tree::take(&id, &mut intents, &mut calls);
    if args.json {
        ui.json(&tree);
    } else {
        tree.print(ui, &id, None, "", "");
    }
    Ok(())
}

/// What hangs from an intent.
enum Branch<'a> {
    Call(&'a CallEntry),
    Intent(&'a IntentEntry, &'a Tree),
}

impl Tree {
    /// Takes an intent, its calls and its children out of the tables, so that a circle ends.
    fn take(
        id: &str,
        intents: &mut BTreeMap<String, IntentEntry>,
        calls: &mut BTreeMap<String, Vec<CallEntry>>,
    ) -> Self {
        let intent = intents.remove(id);
        let mut children: Vec<_> = intents
            .values()
            .filter(|child| child.parent.as_deref() == Some(id))
            .map(|c| (c.timestamp, c.intent.clone()))
            .collect();
        children.sort();
        let narrowed = children.iter().map(|(_, child)| Self::take(child, intents, calls)).collect();
        Self { intent, calls: calls.remove(id).unwrap_or_default(), narrowed }
    }

    /// What hangs from it, as it happened.
    fn branches(&self) -> Vec<Branch<'_>> {
        let calls = self.calls.iter().map(Branch::Call);
        let narrowed = self.narrowed.iter().filter_map(|tree| Some(Branch::Intent(tree.intent.as_ref()?, tree)));
        let mut all: Vec<_> = calls.chain(narrowed).collect();
        all.sort_by_key(|branch| match branch {
            Branch::Call(call) => call.timestamp,
            Branch::Intent(intent, _) => intent.timestamp,
        });
        all
    }

    /// `branch` stands before its first line, `indent` before the others.
    fn print(&self, ui: &mut Ui, id: &str, parent: Option<&IntentEntry>, branch: &str, indent: &str) {
        let branches = self.branches();
        match &self.intent {
            None => {
                ui.data(format_args!("{branch}{} {}  (its beginning is not in this log)", "intent".bold(), plain(id)));
            }
            Some(intent) => {
                let indent = format!("{indent}{}", if branches.is_empty() { "   " } else { "│  " });
                let same = parent.is_some_and(|parent| parent.message_digest == intent.message_digest);
                let message = match &intent.message {
                    Some(message) => format!("\"{}\"", plain(message)),
                    None if same => "for the same message".to_owned(),
                    None => format!("sha256:{}", intent.message_digest),
                };
                match &intent.denied_reason {
                    None => ui.data(format_args!("{branch}{} {}  {message}", "intent".bold(), plain(id))),
                    Some(_) => ui.data(format_args!("{branch}{} an intent {message}", "denied ".red())),
                }
                self.print_terms(ui, intent, &indent);
            }
        }
        let last = branches.len();
        for (n, branch) in branches.iter().enumerate() {
            let (first, others) = if n + 1 == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let (first, others) = (format!("{indent}{first}"), format!("{indent}{others}"));
            match branch {
                Branch::Call(call) => print_call(ui, call, &first, &others),
                Branch::Intent(intent, tree) => tree.print(ui, &intent.intent, self.intent.as_ref(), &first, &others),
            }
        }
    }

    /// Who asked, and what was given.
    fn print_terms(&self, ui: &mut Ui, intent: &IntentEntry, indent: &str) {
        let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let who = audit::who(Some(&intent.account_id), &intent.actors);
        ui.data(format_args!("{indent}asked by {who}  {}", audit::time(intent.timestamp)));
        let (word, mut calls) = match &intent.denied_reason {
            None => ("allows  ", count(number(intent.calls), "call")),
            Some(_) => ("wanted  ", count(number(intent.calls), "call")),
        };
        let made = self.calls.iter().filter(|call| call.allowed).count();
        let narrowed = self.narrowed.iter().filter_map(|tree| tree.intent.as_ref());
        let given: u64 = narrowed.filter(|intent| intent.allowed).map(|intent| intent.calls).sum();
        if intent.allowed {
            calls.push_str(&format!(" ({made} made, {given} given on)"));
        }
        let tools = if intent.tools.is_empty() { "what the scopes allow".to_owned() } else { intent.tools.join(", ") };
        ui.data(format_args!("{indent}{word} {}", plain(&tools)));
        ui.data(format_args!("{indent}         {calls}, until {}", audit::time(intent.expires)));
        if !intent.scopes.is_empty() {
            ui.data(format_args!("{indent}scopes   {}", plain(&intent.scopes.join(" "))));
        }
        if let Some(why) = &intent.denied_reason {
            ui.data(format_args!("{indent}because  {}", plain(why)));
        }
    }
}

fn print_call(ui: &mut Ui, call: &CallEntry, branch: &str, indent: &str) {
    let verdict = if call.allowed { "allowed".green().to_string() } else { "denied ".red().to_string() };
    let who = audit::who(call.account_id.as_deref(), &call.actors);
    let (time, took) = (audit::time(call.timestamp), took(call.duration));
    ui.data(format_args!("{branch}{verdict} {}  {who}  {time}  {took}", plain(&call.tool)));
    let last = call.decisions.len();
    let steps = call.decisions.iter().enumerate();
    let steps: Vec<_> = steps.map(|(n, (policy, nanos))| step(policy, nanos, !call.allowed && n + 1 == last)).collect();
    ui.data(format_args!("{indent}  {}", steps.join("  ")));
    if let Some(rule) = &call.rule {
        ui.data(format_args!("{indent}  rule      {}", plain(rule)));
    }
    if let Some(reason) = &call.denied_reason {
        ui.data(format_args!("{indent}  because   {}", plain(reason)));
    }
    match (&call.arguments, &call.arguments_digest) {
        (Some(arguments), _) => ui.data(format_args!("{indent}  arguments {}", plain(&arguments.to_string()))),
        (None, Some(digest)) => ui.data(format_args!("{indent}  arguments sha256:{digest}")),
        (None, None) => {}
    }
    if let Some(error) = &call.error {
        ui.data(format_args!("{indent}  failed    {}", plain(error)));
    }
    if let Some(digest) = &call.result_digest {
        ui.data(format_args!("{indent}  result    sha256:{digest}"));
    }
}
