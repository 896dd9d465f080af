//! All tools at one moment.

use std::{collections::HashMap, sync::Arc};

use micro_policy::{Access, Caller, Digest, Scopes, View};
use parking_lot::RwLock;

use super::{Pages, Problem, Tool, ToolNames, pages::Named, services::Services};

/// The tools at one moment, immutable but for the pages of visible sets nobody has asked for yet.
#[derive(Debug, Default)]
pub struct Snapshot {
    tools: Named,
    /// Every name that may be called: shown, safe and canonical.
    index: HashMap<Box<str>, usize>,
    problems: Vec<Problem>,
    instructions: String,
    /// Every scope that some tool asks for.
    scopes: Scopes,
    /// Who may call what.
    access: Arc<Access>,
    everything: Arc<Pages>,
    /// Pages that somebody has asked for. Read once per list, never on a call.
    lists: RwLock<Lists>,
}

/// Pages of visible sets.
#[derive(Debug, Default)]
struct Lists {
    /// By all that a caller's list depends on.
    views: HashMap<View, Arc<Pages>>,
    /// By the tools that are seen: many views come to the same.
    sets: HashMap<Digest, Arc<Pages>>,
}

impl Snapshot {
    /// Visible sets whose pages are kept; of others a page is rendered each time it is asked for.
    const MAX_SETS: usize = 256;

    /// Views whose visible sets are known; the rest are worked out for each list.
    const MAX_VIEWS: usize = 16 * 1024;

    pub(super) fn new(services: &Services, names: ToolNames) -> Self {
        let mut problems: Vec<Problem> = services.iter().flat_map(|(_, s)| s.problems.clone()).collect();
        let tools = named(services, names, &mut problems);
        let mut index = HashMap::with_capacity(tools.len() * 2);
        let mut scopes = Scopes::default();
        for (i, (shown, tool)) in tools.iter().enumerate() {
            index.insert(shown.clone(), i);
            index.insert(tool.name.canonical.as_str().into(), i);
            scopes.extend(&tool.gate.scopes);
        }
        for (i, (_, tool)) in tools.iter().enumerate() {
            // Under canonical names the safe ones still work; a shown name has precedence.
            index.entry(tool.name.safe.as_str().into()).or_insert(i);
        }
        let tools = Named::from(tools);
        let everything = Arc::new(Pages::new(tools.clone(), (0..).take(tools.len()).collect()));
        // What one tenant's services say about themselves is not for the others.
        let access = services.access().clone();
        let instructions = if access.tenants.is_empty() { instructions(services) } else { String::new() };
        Self { tools, index, problems, instructions, scopes, access, everything, lists: RwLock::default() }
    }

    /// A tool by any of its names.
    pub fn find(&self, name: &str) -> Option<&Arc<Tool>> {
        self.index.get(name).map(|&i| &self.tools[i].1)
    }

    /// A tool by any of its names, if everybody may know that there is one.
    pub(crate) fn find_openly(&self, name: &str) -> Option<&Arc<Tool>> {
        self.find(name).filter(|_| self.access.tenants.is_empty())
    }

    /// Who may call what.
    pub fn access(&self) -> &Arc<Access> {
        &self.access
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

    /// The tools that a caller's list shows, and where they are: those of which it may make some call.
    pub(crate) fn visible<'a>(&'a self, caller: &'a Caller) -> impl Iterator<Item = (u32, &'a Arc<Tool>)> {
        let viewer = self.access.viewer(caller);
        let tools = (0..).zip(self.tools.iter().map(|(_, tool)| tool));
        tools.filter(move |(_, tool)| viewer.sees(&tool.gate))
    }

    /// The list as a caller may see it.
    pub(crate) fn pages(&self, caller: &Caller) -> Arc<Pages> {
        let Some(view) = self.access.view(caller, &self.scopes) else { return self.everything.clone() };
        if let Some(pages) = self.lists.read().views.get(&view) {
            return pages.clone();
        }
        let visible: Vec<u32> = self.visible(caller).map(|(i, _)| i).collect();
        let set = Digest::of(visible.iter().flat_map(|i| i.to_le_bytes()).collect::<Vec<_>>());
        let known = self.lists.read().sets.get(&set).cloned();
        let pages = known.unwrap_or_else(|| Arc::new(Pages::new(self.tools.clone(), visible)));
        let mut lists = self.lists.write();
        if lists.sets.contains_key(&set) || lists.sets.len() < Self::MAX_SETS {
            lists.sets.insert(set, pages.clone());
            if lists.views.len() < Self::MAX_VIEWS {
                lists.views.insert(view, pages.clone());
            }
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
