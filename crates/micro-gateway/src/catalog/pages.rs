//! `tools/list`, rendered once: a list request is a lookup and a write.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use micro_mcp_proto::Era;

use super::Tool;

/// Tools under the names models see, sorted by them.
pub(super) type Named = Arc<[(Box<str>, Arc<Tool>)]>;

/// The pages of one visible set. Each is rendered when it is first asked for: what changes often is seldom read to the
/// end, and few callers come in both eras.
#[derive(Debug)]
pub(crate) struct Pages {
    tools: Named,
    /// Where the visible ones are.
    visible: Vec<u32>,
    pages: Vec<Page>,
    /// Page by the cursor that asks for it.
    by_cursor: HashMap<Box<str>, usize>,
}

/// One page: the `result` object of a `tools/list`.
#[derive(Debug, Default)]
struct Page {
    /// For 2026-07-28.
    modern: OnceLock<Bytes>,
    /// For everything before.
    legacy: OnceLock<Bytes>,
}

/// The cursor is not one of ours, or the list has changed since it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid cursor: list again from the start")]
pub(crate) struct InvalidCursor;

/// Of no tools: a list all the same.
impl Default for Pages {
    fn default() -> Self {
        Self::new(Arc::default(), Vec::new())
    }
}

impl Pages {
    /// Tools on a page. Hosts that ignore `nextCursor` see this many.
    const SIZE: usize = 250;

    /// Of these tools, in order.
    pub(super) fn new(tools: Named, visible: Vec<u32>) -> Self {
        let chunks = visible.chunks(Self::SIZE);
        let pages: Vec<_> = (0..chunks.len().max(1)).map(|_| Page::default()).collect();
        let ends = chunks.take(pages.len() - 1).filter_map(|page| page.last());
        let by_cursor = ends.zip(1..).map(|(last, next)| (cursor(&tools[*last as usize].0).into(), next)).collect();
        Self { tools, visible, pages, by_cursor }
    }

    /// The first page, or the one a cursor asks for.
    pub(crate) fn get(&self, cursor: Option<&str>, era: Era) -> Result<Bytes, InvalidCursor> {
        let index = cursor.map_or(Some(0), |c| self.by_cursor.get(c).copied()).ok_or(InvalidCursor)?;
        let page = match era {
            Era::Modern => &self.pages[index].modern,
            Era::Legacy => &self.pages[index].legacy,
        };
        Ok(page.get_or_init(|| self.render(index, era)).clone())
    }

    fn render(&self, index: usize, era: Era) -> Bytes {
        let page = self.visible.chunks(Self::SIZE).nth(index).unwrap_or_default();
        let tools: Vec<_> = page.iter().map(|&i| &self.tools[i as usize]).collect();
        let next = tools.last().filter(|_| index + 1 < self.pages.len()).map(|(shown, _)| cursor(shown));
        list(&tools, next.as_deref(), era == Era::Modern)
    }
}

/// Opaque to clients; the same as long as the tools up to it are, so replicas agree on it.
fn cursor(last: &str) -> String {
    last.bytes().map(|b| format!("{b:02x}")).collect()
}

fn list(tools: &[&(Box<str>, Arc<Tool>)], next: Option<&str>, modern: bool) -> Bytes {
    let mut json = String::from(if modern { r#"{"resultType":"complete","tools":["# } else { r#"{"tools":["# });
    for (i, (shown, tool)) in tools.iter().enumerate() {
        if i > 0 {
            json.push(',');
        }
        json.push_str(&tool.render(shown, modern));
    }
    json.push(']');
    if let Some(next) = next {
        json.push_str(&format!(r#","nextCursor":"{next}""#));
    }
    if modern {
        // Short-lived, since a tool that left must not be offered for long to clients that do not
        // listen; private, since the list depends on who asks.
        json.push_str(r#","ttlMs":1000,"cacheScope":"private""#);
    }
    json.push('}');
    json.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_there_are_tools_the_list_is_empty() {
        let pages = Pages::default();
        assert_eq!(pages.get(None, Era::Legacy).unwrap(), r#"{"tools":[]}"#);
        assert!(pages.get(Some("made up"), Era::Legacy).is_err());
    }
}
