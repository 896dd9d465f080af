//! Resources: closures from a URI to contents.

use std::{
    collections::{BTreeMap, HashMap},
    future::Future,
    sync::Arc,
};

use futures_core::future::BoxFuture;
use micro_mcp_proto::{ResourceContents, RpcError};

use super::CallContext;
use crate::Cx;

/// A wish to read a resource.
#[derive(Debug, Clone)]
pub struct Read {
    /// Who asks.
    pub cx: CallContext,
    /// What is to be read.
    pub uri: String,
    /// What the variables of a template stand for. They hold no `/`; still, check them as what they
    /// are: text from outside.
    pub variables: BTreeMap<String, String>,
}

pub(super) type ReadFn = Arc<dyn Fn(Read) -> BoxFuture<'static, Result<Vec<ResourceContents>, RpcError>> + Send + Sync>;

pub(super) struct ResourceEntry(pub(super) ReadFn);

pub(super) struct TemplateEntry {
    pub(super) template: Template,
    pub(super) read: ReadFn,
}

pub(super) fn erase<F, Fut>(read: F) -> ReadFn
where
    F: Fn(Read) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<ResourceContents, RpcError>> + Send + 'static,
{
    Arc::new(move |wish| {
        let contents = read(wish);
        Box::pin(async move { Ok(vec![contents.await?]) })
    })
}

/// Reads a resource by its own name first, then by the first template that fits.
pub(super) async fn read(
    resources: &HashMap<Box<str>, ResourceEntry>,
    templates: &[TemplateEntry],
    cx: &Cx<'_>,
    uri: &str,
) -> Result<Vec<ResourceContents>, RpcError> {
    let wish = |variables| Read { cx: CallContext::of(cx), uri: uri.to_owned(), variables };
    if let Some(ResourceEntry(read)) = resources.get(uri) {
        return read(wish(BTreeMap::new())).await;
    }
    let fitting = templates.iter().find_map(|entry| Some((entry, entry.template.variables(uri)?)));
    match fitting {
        Some((entry, variables)) => (entry.read)(wish(variables)).await,
        None => Err(RpcError::resource_not_found(uri)),
    }
}

/// A URI template with simple variables (RFC 6570, level 1): text, then a variable, in turns.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Template {
    head: String,
    /// A variable, and the text after it.
    rest: Vec<(String, String)>,
}

impl Template {
    /// `None` when an expression is more than a variable, or two stand side by side.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('{');
        let head = parts.next()?.to_owned();
        let mut rest: Vec<(String, String)> = Vec::new();
        for part in parts {
            let (name, after) = part.split_once('}')?;
            let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            let apart = rest.last().is_none_or(|(_, text)| !text.is_empty());
            (plain && apart).then_some(())?;
            rest.push((name.to_owned(), after.to_owned()));
        }
        Some(Self { head, rest })
    }

    /// What the variables stand for in a URI; each is not empty and holds no `/`.
    fn variables(&self, uri: &str) -> Option<BTreeMap<String, String>> {
        let mut left = uri.strip_prefix(&self.head)?;
        let mut found = BTreeMap::new();
        for (name, after) in &self.rest {
            let end = if after.is_empty() { left.len() } else { left.find(after.as_str())? };
            let value = &left[..end];
            if value.is_empty() || value.contains('/') {
                return None;
            }
            found.insert(name.clone(), value.to_owned());
            left = &left[end + after.len()..];
        }
        left.is_empty().then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_fits_whole_uris_only() {
        let template = Template::parse("test://template/{id}/data").unwrap();
        assert_eq!(template.variables("test://template/123/data").unwrap()["id"], "123");
        for uri in
            ["test://template//data", "test://template/a/b/data", "test://template/1/data/x", "test://template/1"]
        {
            assert_eq!(template.variables(uri), None, "{uri}");
        }
        for text in ["x{", "x{}", "x{+path}", "x{a}{b}", "x{a,b}"] {
            assert_eq!(Template::parse(text), None, "{text}");
        }
    }
}
