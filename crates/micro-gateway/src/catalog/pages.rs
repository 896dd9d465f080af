//! `tools/list`, rendered ahead: a list request is a lookup and a write.

use std::collections::HashMap;

use bytes::Bytes;

use super::Tool;

/// The pages of one visible set.
#[derive(Debug)]
pub(crate) struct Pages {
    pages: Vec<Page>,
    /// Page by the cursor that asks for it.
    by_cursor: HashMap<Box<str>, usize>,
}

/// One page: the `result` object of a `tools/list` in both eras.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    /// For 2026-07-28.
    pub(crate) modern: Bytes,
    /// For everything before.
    pub(crate) legacy: Bytes,
}

/// The cursor is not one of ours, or the list has changed since it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid cursor: list again from the start")]
pub(crate) struct InvalidCursor;

/// Of no tools: a list all the same.
impl Default for Pages {
    fn default() -> Self {
        Self::render(std::iter::empty())
    }
}

impl Pages {
    /// Tools on a page. Hosts that ignore `nextCursor` see this many.
    const SIZE: usize = 250;

    /// Renders tools, already sorted by name.
    pub(super) fn render<'a>(tools: impl Iterator<Item = (&'a str, &'a Tool)>) -> Self {
        let tools: Vec<_> = tools.collect();
        let mut pages = Vec::with_capacity(tools.len() / Self::SIZE + 1);
        let mut by_cursor = HashMap::new();
        let mut rest = &tools[..];
        loop {
            let (page, after) = rest.split_at(rest.len().min(Self::SIZE));
            let next = (!after.is_empty()).then(|| cursor(page[page.len() - 1].0));
            pages.push(Page { modern: list(page, next.as_deref(), true), legacy: list(page, next.as_deref(), false) });
            let Some(next) = next else { break };
            by_cursor.insert(next.into(), pages.len());
            rest = after;
        }
        Self { pages, by_cursor }
    }

    /// The first page, or the one a cursor asks for.
    pub(crate) fn get(&self, cursor: Option<&str>) -> Result<&Page, InvalidCursor> {
        let index = cursor.map_or(Some(0), |c| self.by_cursor.get(c).copied());
        index.and_then(|i| self.pages.get(i)).ok_or(InvalidCursor)
    }
}

/// Opaque to clients; the same as long as the tools up to it are, so replicas agree on it.
fn cursor(last: &str) -> String {
    last.bytes().map(|b| format!("{b:02x}")).collect()
}

fn list(tools: &[(&str, &Tool)], next: Option<&str>, modern: bool) -> Bytes {
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
        let page = pages.get(None).unwrap();
        assert_eq!(&page.legacy[..], br#"{"tools":[]}"#);
        assert!(pages.get(Some("made up")).is_err());
    }
}
