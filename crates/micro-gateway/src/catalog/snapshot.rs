//! All tools at one moment.

use std::{collections::HashMap, sync::Arc};

use micro_policy::Scopes;
use parking_lot::RwLock;

use super::{Pages, Problem, Tool, ToolNames, services::Services};

/// The tools at one moment, immutable but for the pages of visible sets nobody has asked for yet.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Tools under the name models see, sorted by it.
    tools: Vec<(Box<str>, Arc<Tool>)>,
    /// Every name that may be called: shown, safe and canonical.
    index: HashMap<Box<str>, usize>,
    problems: Vec<Problem>,
    instructions: String,
    /// Every scope that some tool asks for.
    scopes: Scopes,
    everything: Arc<Pages>,
    /// Pages by the caller's relevant scopes. Read once per list, never on a call.
    sets: RwLock<HashMap<Scopes, Arc<Pages>>>,
}

impl Snapshot {
    /// Visible sets whose pages are kept; the rest are rendered for each list.
    const MAX_SETS: usize = 256;

    pub(super) fn new(services: &Services, names: ToolNames) -> Self {
        let mut problems: Vec<Problem> = services.iter().flat_map(|(_, s)| s.problems.clone()).collect();
        let tools = named(services, names, &mut problems);
        let mut index = HashMap::with_capacity(tools.len() * 2);
        let mut scopes = Scopes::default();
        for (i, (shown, tool)) in tools.iter().enumerate() {
            index.insert(shown.clone(), i);
            index.insert(tool.name.canonical.as_str().into(), i);
            scopes.extend(&tool.requirement.any_of);
        }
        for (i, (_, tool)) in tools.iter().enumerate() {
            // Under canonical names the safe ones still work; a shown name has precedence.
            index.entry(tool.name.safe.as_str().into()).or_insert(i);
        }
        let everything = Arc::new(Pages::render(tools.iter().map(|(shown, tool)| (&**shown, &**tool))));
        let instructions = instructions(services);
        Self { tools, index, problems, instructions, scopes, everything, sets: RwLock::default() }
    }

    /// A tool by any of its names.
    pub fn find(&self, name: &str) -> Option<&Arc<Tool>> {
        self.index.get(name).map(|&i| &self.tools[i].1)
    }

    /// Tools with the name models see, sorted by it.
    pub fn tools(&self) -> impl ExactSizeIterator<Item = (&str, &Arc<Tool>)> {
        self.tools.iter().map(|(shown, tool)| (&**shown, tool))
    }

    /// Tools left out or renamed, and why.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// What the services say about themselves: instructions for the model.
    pub fn instructions(&self) -> &str {
        &self.instructions
    }

    /// Every scope that some tool asks for.
    pub(crate) fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// The list as a caller with these scopes may see it: what a call would allow. `None` sees all.
    pub(crate) fn pages(&self, granted: Option<&Scopes>) -> Arc<Pages> {
        let Some(granted) = granted else { return self.everything.clone() };
        let relevant = granted.shared_with(&self.scopes);
        if let Some(pages) = self.sets.read().get(&relevant) {
            return pages.clone();
        }
        let visible = self.tools().filter(|(_, tool)| tool.requirement.check(Some(&relevant)).is_ok());
        let pages = Arc::new(Pages::render(visible.map(|(shown, tool)| (shown, &**tool))));
        let mut sets = self.sets.write();
        if sets.len() < Self::MAX_SETS {
            sets.insert(relevant, pages.clone());
        }
        pages
    }
}

/// Gives every tool the name models see. Two tools may come to the same safe name; the first in
/// canonical order keeps it and the others get a digest behind it, whatever order they came in.
fn named(services: &Services, names: ToolNames, problems: &mut Vec<Problem>) -> Vec<(Box<str>, Arc<Tool>)> {
    let mut all: Vec<_> = services.iter().flat_map(|(_, s)| &s.tools).cloned().collect();
    all.sort_by(|a, b| a.name.canonical.cmp(&b.name.canonical));
    let mut taken: HashMap<Box<str>, Arc<Tool>> = HashMap::with_capacity(all.len());
    for tool in all {
        let wanted: Box<str> = match names {
            ToolNames::Safe => tool.name.safe.as_str().into(),
            ToolNames::Canonical => tool.name.canonical.as_str().into(),
        };
        let shown = match taken.get(&wanted) {
            None => wanted,
            Some(other) => {
                let renamed = tool.name.disambiguated();
                let reason = format!("shown as `{renamed}`, since `{}` has the name `{wanted}`", other.name);
                problems.push(Problem { tool: tool.name.canonical.clone(), reason });
                renamed.into()
            }
        };
        taken.insert(shown, tool);
    }
    let mut tools: Vec<_> = taken.into_iter().collect();
    tools.sort_by(|(a, _), (b, _)| a.cmp(b));
    tools
}

fn instructions(services: &Services) -> String {
    const MAX: usize = 8 * 1024; // a fleet's worth of text would drown the model
    let mut text = String::new();
    for (name, service) in services.iter().filter(|(_, s)| !s.description.is_empty() && !s.tools.is_empty()) {
        let line = format!("- {name}: {}\n", service.description.lines().next().unwrap_or_default());
        if text.len() + line.len() > MAX {
            break;
        }
        text.push_str(&line);
    }
    if text.is_empty() { text } else { format!("Services behind these tools:\n{text}") }
}
