//! Lists, rendered when the server is built: a request for one is a lookup.

use bytes::Bytes;
use micro_mcp_proto::{Era, Revision, RpcError};
use serde::Serialize;

use crate::{
    KeyRing,
    result::{self, Cache, Identity},
};

/// The pages of one list in both eras. Cursors are sealed: nobody can make one up, and replicas that
/// share the keys accept each other's.
pub(super) struct Pages {
    modern: Vec<Bytes>,
    legacy: Vec<Bytes>,
    keys: KeyRing,
    purpose: String,
}

/// How pages are made.
pub(super) struct Layout<'a> {
    pub(super) size: usize,
    pub(super) cache: Cache,
    pub(super) identity: &'a Identity,
    pub(super) keys: &'a KeyRing,
}

impl Layout<'_> {
    /// Renders a list. `legacy` may differ in what older clients would choke on, not in number.
    pub(super) fn pages<M: Serialize, L: Serialize>(&self, member: &'static str, modern: &[M], legacy: &[L]) -> Pages {
        let purpose = format!("mcp-cursor-{member}");
        Pages {
            modern: self.render(member, &purpose, Revision::LATEST, modern),
            legacy: self.render(member, &purpose, Revision::LATEST_LEGACY, legacy),
            keys: self.keys.clone(),
            purpose,
        }
    }

    fn render<T: Serialize>(&self, member: &str, purpose: &str, revision: Revision, items: &[T]) -> Vec<Bytes> {
        let count = items.len().div_ceil(self.size).max(1);
        let page = |number: usize| {
            let start = number * self.size;
            let items = &items[start..items.len().min(start + self.size)];
            let mut writer = result::complete(revision, 256 * items.len()).member(member, items);
            if number + 1 < count {
                let next = u32::try_from(number + 1).expect("pages are fewer than that");
                writer = writer.member("nextCursor", &self.keys.seal(purpose, &next.to_be_bytes()));
            }
            writer.cache(self.cache).identity(self.identity).finish()
        };
        (0..count).map(page).collect()
    }
}

impl Pages {
    /// The first page, or the one a cursor names.
    pub(super) fn get(&self, era: Era, cursor: Option<&str>) -> Result<Bytes, RpcError> {
        let number = match cursor {
            None => 0,
            Some(cursor) => self.number(cursor).ok_or_else(|| RpcError::invalid_params("Invalid cursor"))?,
        };
        let pages = match era {
            Era::Modern => &self.modern,
            Era::Legacy => &self.legacy,
        };
        pages.get(number).cloned().ok_or_else(|| RpcError::invalid_params("Invalid cursor"))
    }

    fn number(&self, cursor: &str) -> Option<usize> {
        let (_, plain) = self.keys.open(&self.purpose, cursor)?;
        usize::try_from(u32::from_be_bytes(plain.try_into().ok()?)).ok()
    }
}
