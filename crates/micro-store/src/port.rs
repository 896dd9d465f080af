//! The three ports every backend implements.
//!
//! Small enough for Redis, NATS and PostgreSQL: each method is one atomic step on one key or stream.

use std::{fmt, time::Duration};

use bytes::Bytes;
use futures_core::future::BoxFuture;

use crate::{Error, Result};

/// Longest key or stream name, in bytes.
pub const MAX_KEY: usize = 512;
/// Largest value or log entry, in bytes.
pub const MAX_VALUE: usize = 512 * 1024;
/// Most entries of one [`Log::append`].
pub const MAX_BATCH: usize = 1024;
/// Most entries of one page of [`KeyValue::scan`] and [`Log::read`].
pub const MAX_PAGE: usize = 1024;
/// A page ends when its values have so many bytes together.
pub const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Longer times to live are cut down to this, so that they can be added to any clock.
const LONGEST_TTL: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Values under keys, some of them for a time only.
///
/// A key has 1 to [`MAX_KEY`] bytes and no control characters, a value at most [`MAX_VALUE`] bytes. What is
/// over is not there any more for any method.
pub trait KeyValue: fmt::Debug + Send + Sync + 'static {
    /// What stands under the key.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>>>;

    /// Sets a value when `expect` holds, and gives its version. Without `ttl` it stays until it is deleted.
    /// Of several writers that expect the same, one succeeds.
    ///
    /// # Errors
    /// [`Error::Conflict`] when `expect` does not hold.
    fn put<'a>(
        &'a self,
        key: &'a str,
        value: Bytes,
        ttl: Option<Duration>,
        expect: Expect,
    ) -> BoxFuture<'a, Result<u64>>;

    /// Deletes a key and gives what stood there. Of several that delete it, one gets it.
    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>>>;

    /// Keys that begin with `prefix` and come after `after` (in the order of their bytes; `""` is before all),
    /// with what stands there: a page of at most `limit`. An empty page is the end.
    fn scan<'a>(&'a self, prefix: &'a str, after: &'a str, limit: usize)
    -> BoxFuture<'a, Result<Vec<(String, Entry)>>>;
}

/// A value and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The value.
    pub value: Bytes,
    /// Another one after each change; none comes a second time for a key, even after the key was deleted.
    pub version: u64,
}

/// What must be there for [`KeyValue::put`] to change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Whatever it is.
    Any,
    /// Nothing.
    Absent,
    /// This version.
    Version(u64),
}

/// Numbers that many add to at once.
pub trait Counters: fmt::Debug + Send + Sync + 'static {
    /// Adds `amount` when the sum is at most `maximum`, else nothing. The first addition begins the time to
    /// live, later ones do not prolong it; when it is over the counter begins at nothing again.
    ///
    /// However many add at once, in however many processes, the sum of what was added is exact.
    fn add<'a>(&'a self, key: &'a str, amount: u64, maximum: u64, ttl: Duration) -> BoxFuture<'a, Result<Counted>>;

    /// How much was added so far; nothing for a counter that nobody began.
    fn read<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<u64>>;
}

/// What became of an addition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "it may not have been added"]
pub enum Counted {
    /// It was added; this is the sum.
    Added(u64),
    /// It would have been too much, and was not added; this is the sum without it.
    Full(u64),
}

/// Named streams that are only ever appended to.
///
/// Sequence numbers begin above 0 and grow, with gaps; none comes twice. Who has read up to a number and
/// reads on from it misses nothing that was not trimmed.
pub trait Log: fmt::Debug + Send + Sync + 'static {
    /// Appends entries behind all others of the stream, together or not at all, and gives the number of the last.
    fn append<'a>(&'a self, stream: &'a str, entries: Vec<Bytes>) -> BoxFuture<'a, Result<u64>>;

    /// Entries after a number, in order: a page of at most `limit`. An empty page is the end so far.
    fn read<'a>(&'a self, stream: &'a str, after: u64, limit: usize) -> BoxFuture<'a, Result<Vec<(u64, Bytes)>>>;

    /// The number of the newest entry; 0 when there is none.
    fn last<'a>(&'a self, stream: &'a str) -> BoxFuture<'a, Result<u64>>;

    /// Forgets the entries up to and with this number.
    fn trim<'a>(&'a self, stream: &'a str, through: u64) -> BoxFuture<'a, Result<()>>;
}

pub(crate) fn check_key(key: &str) -> Result<()> {
    match key.len() {
        1..=MAX_KEY if !key.chars().any(char::is_control) => Ok(()),
        _ => Err(Error::Invalid("a key has 1 to 512 bytes and no control characters")),
    }
}

pub(crate) fn check_value(value: &[u8]) -> Result<()> {
    if value.len() <= MAX_VALUE { Ok(()) } else { Err(Error::Invalid("a value has at most 512 KiB")) }
}

pub(crate) fn check_batch(entries: &[Bytes]) -> Result<()> {
    match entries.len() {
        1..=MAX_BATCH => entries.iter().try_for_each(|entry| check_value(entry)),
        _ => Err(Error::Invalid("a batch has 1 to 1024 entries")),
    }
}

pub(crate) fn bounded(ttl: Duration) -> Duration {
    ttl.min(LONGEST_TTL)
}

/// Cuts a page off: at most so many items, and no more once their bytes are enough.
pub(crate) fn page<T>(items: impl Iterator<Item = T>, limit: usize, size: impl Fn(&T) -> usize) -> Vec<T> {
    let mut bytes = 0;
    let room = |item: &T| {
        let room = bytes < MAX_PAGE_BYTES;
        bytes += size(item);
        room
    };
    items.take(limit.min(MAX_PAGE)).take_while(room).collect()
}
