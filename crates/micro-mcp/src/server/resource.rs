//! Resources: closures from a URI to contents.

use std::{collections::BTreeMap, future::Future, sync::Arc};

use futures_core::future::BoxFuture;
use micro_mcp_proto::{Era, ResourceContents, RpcError, code};

use super::{CallContext, CallError, offer::Offer};

/// A wish to read a resource.
#[derive(Debug, Clone)]
pub struct Read {
    /// Who asks.
    pub cx: CallContext,
    /// What is to be read.
    pub uri: String,
    /// What the variables of a template stand for, without percent-encoding. They hold no `/`; still, check them
    /// as what they are: text from outside.
    pub variables: BTreeMap<String, String>,
}

impl Read {
    /// The error for a template whose variables name nothing.
    pub fn not_found(&self) -> CallError {
        not_found(self.cx.era(), &self.uri).into()
    }
}

pub(super) type ReadFn = Arc<dyn Fn(Read) -> BoxFuture<'static, Result<ResourceContents, CallError>> + Send + Sync>;

pub(super) struct TemplateEntry {
    pub(super) uri_template: String,
    pub(super) template: Template,
    pub(super) read: ReadFn,
}

pub(super) fn erase<F, Fut>(read: F) -> ReadFn
where
    F: Fn(Read) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<ResourceContents, CallError>> + Send + 'static,
{
    Arc::new(move |wish| Box::pin(read(wish)))
}

/// A resource by its own name first, then by the first template that fits, with what its variables
/// stand for.
pub(super) fn find<'o>(offer: &'o Offer, uri: &str) -> Option<(&'o ReadFn, BTreeMap<String, String>)> {
    if let Some(read) = offer.resources.get(uri) {
        return Some((read, BTreeMap::new()));
    }
    offer.templates.iter().find_map(|entry| Some((&entry.read, entry.template.variables(uri)?)))
}

/// Revisions before 2026-07-28 have a code of their own for it.
pub(super) fn not_found(era: Era, uri: &str) -> RpcError {
    let error = RpcError::resource_not_found(uri);
    match era {
        Era::Modern => error,
        Era::Legacy => RpcError { code: code::OLD_RESOURCE_NOT_FOUND, ..error },
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

    /// Whether it has this variable.
    pub(super) fn has(&self, variable: &str) -> bool {
        self.rest.iter().any(|(name, _)| name == variable)
    }

    /// What the variables stand for in a URI, decoded; each is not empty and holds no `/`.
    pub(super) fn variables(&self, uri: &str) -> Option<BTreeMap<String, String>> {
        let mut left = uri.strip_prefix(&self.head)?;
        let Some((last, others)) = self.rest.split_last() else { return left.is_empty().then(BTreeMap::new) };
        let mut found = BTreeMap::new();
        for (name, after) in others {
            let (value, rest) = left.split_once(after.as_str())?;
            found.insert(name.clone(), decoded(value)?);
            left = rest;
        }
        let (name, after) = last;
        found.insert(name.clone(), decoded(left.strip_suffix(after.as_str())?)?);
        Some(found)
    }
}

/// A part of a URI without its percent-encoding (RFC 3986, section 2.1).
fn decoded(value: &str) -> Option<String> {
    let mut parts = value.split('%');
    let mut text = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        let [high, low] = [0, 1].map(|i| char::from(digits.as_bytes()[i]).to_digit(16));
        text.push(u8::try_from(high? << 4 | low?).ok()?);
        text.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(text).ok().filter(|text| !text.is_empty() && !text.contains('/'))
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
        for (template, uri, expected) in [
            ("test://{name}.md", "test://x.md.md", &["x.md"][..]),
            ("test://{a}-{b}.md", "test://x-y-z.md", &["x", "y-z"]),
            ("test://{name}", "test://a%20b%C3%A4", &["a bä"]),
            ("test://{a}.{b}", "test://%2e.x", &[".", "x"]),
        ] {
            let found = Template::parse(template).unwrap().variables(uri).expect(uri);
            assert_eq!(found.values().collect::<Vec<_>>(), expected, "{uri}");
        }
        let one = Template::parse("test://{name}.md").unwrap();
        for uri in [
            "test://a%2Fb.md",
            "test://%.md",
            "test://%2.md",
            "test://%zz.md",
            "test://%+1.md",
            "test://%ff.md",
            "test://.md",
        ] {
            assert_eq!(one.variables(uri), None, "{uri}");
        }
        for text in ["x{", "x{}", "x{+path}", "x{a}{b}", "x{a,b}"] {
            assert_eq!(Template::parse(text), None, "{text}");
        }
    }
}
