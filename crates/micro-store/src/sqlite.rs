//! SQLite: one file that several processes of a machine share.

mod worker;

use std::{
    fs::{DirBuilder, OpenOptions},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use self::worker::Worker;
use crate::{
    Counted, Counters, Entry, Error, Expect, KeyValue, Log, MAX_PAGE, Result,
    port::{MAX_PAGE_BYTES, bounded, check_batch, check_key, check_value},
};

/// A store in a file, in WAL mode: readers do not wait for writers, and what was answered survives the death
/// of the process. (After a power cut the last moments may be missing; the file is whole.)
///
/// One thread writes, another reads. Several processes may have the file open; they must be on one machine.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Worker,
    reader: Worker,
}

impl SqliteStore {
    /// Opens the file, and makes it and its folder, for this user alone, when they are not there.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when that cannot be done.
    pub fn open(path: &Path) -> Result<Self> {
        let place = format!("sqlite:{}", path.display()).into();
        let failed = |error| Error::unavailable(&place, error);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        }
        // Made here, for SQLite would make it readable to others; its other files take these rights over.
        OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(failed)?;
        Ok(Self { writer: Worker::writer(&place, path)?, reader: Worker::reader(&place, path)? })
    }
}

impl KeyValue for SqliteStore {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(async move {
            check_key(key)?;
            let key = key.to_owned();
            self.reader.run(move |connection| living(connection, &key, now())).await
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        value: Bytes,
        ttl: Option<Duration>,
        expect: Expect,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            check_key(key)?;
            check_value(&value)?;
            let key = key.to_owned();
            let version = self.writer.change(move |change| put(change, &key, &value, ttl, expect)).await?;
            version.ok_or(Error::Conflict)
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(async move {
            check_key(key)?;
            let key = key.to_owned();
            let delete = move |change: &Transaction<'_>| {
                let there = living(change, &key, now())?;
                change.prepare_cached("DELETE FROM entries WHERE key = ?1")?.execute([&key])?;
                Ok(there)
            };
            self.writer.change(delete).await
        })
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<(String, Entry)>>> {
        let (prefix, after) = (prefix.to_owned(), after.to_owned());
        Box::pin(self.reader.run(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT value, version, key FROM entries
                 WHERE key >= ?1 AND key > ?2 AND (expires IS NULL OR expires > ?3) ORDER BY key LIMIT ?4",
            )?;
            let mut rows = statement.query(params![prefix, after, now(), page_size(limit)])?;
            let (mut page, mut bytes) = (Vec::new(), 0);
            while let Some(row) = rows.next()? {
                let (key, entry): (String, _) = (row.get(2)?, entry(row)?);
                if bytes >= MAX_PAGE_BYTES || !key.starts_with(&prefix) {
                    break;
                }
                bytes += entry.value.len();
                page.push((key, entry));
            }
            Ok(page)
        }))
    }
}

impl Counters for SqliteStore {
    fn add<'a>(&'a self, key: &'a str, amount: u64, maximum: u64, ttl: Duration) -> BoxFuture<'a, Result<Counted>> {
        Box::pin(async move {
            check_key(key)?;
            let key = key.to_owned();
            self.writer.change(move |change| add(change, &key, amount, maximum, ttl)).await
        })
    }

    fn read<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            check_key(key)?;
            let key = key.to_owned();
            self.reader.run(move |connection| Ok(counted(connection, &key, now())?.unwrap_or(0))).await
        })
    }
}

impl Log for SqliteStore {
    fn append<'a>(&'a self, stream: &'a str, entries: Vec<Bytes>) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            check_key(stream)?;
            check_batch(&entries)?;
            let stream = stream.to_owned();
            let append = move |change: &Transaction<'_>| {
                let mut insert = change.prepare_cached("INSERT INTO log (stream, entry) VALUES (?1, ?2)")?;
                for entry in &entries {
                    insert.execute(params![stream, &**entry])?;
                }
                Ok(change.last_insert_rowid().cast_unsigned())
            };
            self.writer.change(append).await
        })
    }

    fn read<'a>(&'a self, stream: &'a str, after: u64, limit: usize) -> BoxFuture<'a, Result<Vec<(u64, Bytes)>>> {
        Box::pin(async move {
            check_key(stream)?;
            let stream = stream.to_owned();
            let read = move |connection: &mut rusqlite::Connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT sequence, entry FROM log WHERE stream = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3",
                )?;
                let mut rows = statement.query(params![stream, whole(after), page_size(limit)])?;
                let (mut page, mut bytes) = (Vec::new(), 0);
                while let Some(row) = rows.next()? {
                    let (sequence, entry): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
                    if bytes >= MAX_PAGE_BYTES {
                        break;
                    }
                    bytes += entry.len();
                    page.push((sequence.cast_unsigned(), entry.into()));
                }
                Ok(page)
            };
            self.reader.run(read).await
        })
    }

    fn last<'a>(&'a self, stream: &'a str) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            check_key(stream)?;
            let stream = stream.to_owned();
            let last = move |connection: &mut rusqlite::Connection| {
                let mut statement =
                    connection.prepare_cached("SELECT coalesce(max(sequence), 0) FROM log WHERE stream = ?1")?;
                statement.query_row([stream], |row| Ok(row.get::<_, i64>(0)?.cast_unsigned()))
            };
            self.reader.run(last).await
        })
    }

    fn trim<'a>(&'a self, stream: &'a str, through: u64) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            check_key(stream)?;
            let stream = stream.to_owned();
            let trim = move |change: &Transaction<'_>| {
                let mut delete = change.prepare_cached("DELETE FROM log WHERE stream = ?1 AND sequence <= ?2")?;
                delete.execute(params![stream, whole(through)]).map(drop)
            };
            self.writer.change(trim).await
        })
    }
}

/// `None` when the expectation does not hold.
fn put(
    change: &Transaction<'_>,
    key: &str,
    value: &[u8],
    ttl: Option<Duration>,
    expect: Expect,
) -> rusqlite::Result<Option<u64>> {
    let now = now();
    if expect != Expect::Any {
        let there = living(change, key, now)?.map_or(Expect::Absent, |entry| Expect::Version(entry.version));
        if there != expect {
            return Ok(None);
        }
    }
    let mut next = change.prepare_cached("UPDATE versions SET last = last + 1 RETURNING last")?;
    let version: i64 = next.query_row([], |row| row.get(0))?;
    let expires = ttl.map(|ttl| after(now, ttl));
    change
        .prepare_cached("INSERT OR REPLACE INTO entries (key, value, version, expires) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![key, value, version, expires])?;
    Ok(Some(version.cast_unsigned()))
}

fn add(change: &Transaction<'_>, key: &str, amount: u64, maximum: u64, ttl: Duration) -> rusqlite::Result<Counted> {
    let now = now();
    let begun = counted(change, key, now)?;
    let sum = begun.unwrap_or(0);
    let Some(new) = sum.checked_add(amount).filter(|new| *new <= maximum.min(i64::MAX.cast_unsigned())) else {
        return Ok(Counted::Full(sum));
    };
    if begun.is_some() {
        change.prepare_cached("UPDATE counters SET sum = ?2 WHERE key = ?1")?.execute(params![key, whole(new)])?;
    } else {
        change
            .prepare_cached("INSERT OR REPLACE INTO counters (key, sum, expires) VALUES (?1, ?2, ?3)")?
            .execute(params![key, whole(new), after(now, ttl)])?;
    }
    Ok(Counted::Added(new))
}

fn living(connection: &rusqlite::Connection, key: &str, now: i64) -> rusqlite::Result<Option<Entry>> {
    let mut statement = connection
        .prepare_cached("SELECT value, version FROM entries WHERE key = ?1 AND (expires IS NULL OR expires > ?2)")?;
    statement.query_row(params![key, now], entry).optional()
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry { value: row.get::<_, Vec<u8>>(0)?.into(), version: row.get::<_, i64>(1)?.cast_unsigned() })
}

fn counted(connection: &rusqlite::Connection, key: &str, now: i64) -> rusqlite::Result<Option<u64>> {
    let mut statement = connection.prepare_cached("SELECT sum FROM counters WHERE key = ?1 AND expires > ?2")?;
    statement.query_row(params![key, now], |row| Ok(row.get::<_, i64>(0)?.cast_unsigned())).optional()
}

/// Milliseconds of the epoch: the clock that all processes of a machine share.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn after(now: i64, ttl: Duration) -> i64 {
    now.saturating_add(i64::try_from(bounded(ttl).as_millis()).unwrap_or(i64::MAX))
}

/// SQLite's integers have a sign.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn page_size(limit: usize) -> i64 {
    whole(limit.min(MAX_PAGE) as u64)
}
