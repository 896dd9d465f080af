//! A connection and the thread that alone uses it.

use std::{
    io,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::now;
use crate::{Error, Result};

/// Runs one job after the other on its own connection. Ends when it is dropped and its jobs are done.
#[derive(Debug)]
pub(super) struct Worker {
    place: Arc<str>,
    jobs: mpsc::Sender<Job>,
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Jobs that wait; who comes then waits for room.
const QUEUE: usize = 1024;
/// How long another process may hold the file.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often what is over is deleted, and how much of it at once.
const SWEEP: Duration = Duration::from_secs(60);
const SWEPT_AT_ONCE: usize = 1000;

/// The form of the tables; another number is another program's file.
const FORM: i64 = 1;
const TABLES: &str = "
    CREATE TABLE entries (
        key TEXT PRIMARY KEY, value BLOB NOT NULL, version INTEGER NOT NULL, expires INTEGER
    ) STRICT;
    CREATE INDEX entries_over ON entries (expires) WHERE expires IS NOT NULL;
    CREATE TABLE versions (last INTEGER NOT NULL) STRICT;
    INSERT INTO versions VALUES (0);
    CREATE TABLE counters (key TEXT PRIMARY KEY, sum INTEGER NOT NULL, expires INTEGER NOT NULL) STRICT;
    CREATE INDEX counters_over ON counters (expires);
    CREATE TABLE log (sequence INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, entry BLOB NOT NULL) STRICT;
    CREATE INDEX log_streams ON log (stream, sequence);
    PRAGMA user_version = 1;
";

impl Worker {
    /// The one that changes the file. Makes the tables when they are not there.
    pub(super) fn writer(place: &Arc<str>, path: &Path) -> Result<Self> {
        let failed = |error| Error::unavailable(place, error);
        let mut connection = open(path).map_err(failed)?;
        let form = prepare(&mut connection).map_err(failed)?;
        if form != FORM {
            let other = io::Error::other(format!("the file's form is {form}, this program's is {FORM}"));
            return Err(Error::unavailable(place, other));
        }
        let mut swept = Instant::now();
        Self::start(place, connection, move |connection| {
            if swept.elapsed() >= SWEEP {
                match sweep(connection) {
                    Ok(more) if more => {}
                    Ok(_) => swept = Instant::now(),
                    Err(error) => {
                        swept = Instant::now();
                        tracing::warn!(%error, "what is over cannot be deleted from the store");
                    }
                }
            }
        })
    }

    /// The one that only looks.
    pub(super) fn reader(place: &Arc<str>, path: &Path) -> Result<Self> {
        let connection = open(path).map_err(|error| Error::unavailable(place, error))?;
        Self::start(place, connection, |_| {})
    }

    fn start(
        place: &Arc<str>,
        mut connection: Connection,
        mut between: impl FnMut(&Connection) + Send + 'static,
    ) -> Result<Self> {
        let (jobs, mut waiting) = mpsc::channel::<Job>(QUEUE);
        let work = move || {
            while let Some(job) = waiting.blocking_recv() {
                job(&mut connection);
                between(&connection);
            }
        };
        let thread = thread::Builder::new().name("micro-store".to_owned());
        thread.spawn(work).map_err(|error| Error::unavailable(place, error))?;
        Ok(Self { place: place.clone(), jobs })
    }

    /// Runs a job and gives what comes of it. The job is done also when nobody waits for it any more.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(move |connection: &mut Connection| drop(reply.send(job(connection))));
        let gone = || Error::unavailable(&self.place, io::Error::other("its thread is gone"));
        self.jobs.send(job).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?.map_err(|error| Error::unavailable(&self.place, error))
    }

    /// Runs a job that changes something, all of it or nothing.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.run(move |connection| {
            let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = job(&change)?;
            change.commit()?;
            Ok(result)
        })
        .await
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    // Processes that change the mode at once do not wait for each other by themselves.
    let began = Instant::now();
    while let Err(error) = connection.pragma_update(None, "journal_mode", "WAL") {
        if error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) || began.elapsed() > PATIENCE {
            return Err(error);
        }
        thread::yield_now();
    }
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(connection)
}

/// Makes the tables in a new file; gives the form of what is there.
fn prepare(connection: &mut Connection) -> rusqlite::Result<i64> {
    let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let form = |change: &Transaction<'_>| change.pragma_query_value(None, "user_version", |row| row.get(0));
    if form(&change)? == 0 {
        change.execute_batch(TABLES)?;
    }
    let form = form(&change)?;
    change.commit()?;
    Ok(form)
}

/// Deletes some of what is over; true when there may be more.
fn sweep(connection: &Connection) -> rusqlite::Result<bool> {
    let mut most = 0;
    for table in ["entries", "counters"] {
        let delete = format!(
            "DELETE FROM {table} WHERE key IN (SELECT key FROM {table} WHERE expires <= ?1 LIMIT {SWEPT_AT_ONCE})"
        );
        most = most.max(connection.prepare_cached(&delete)?.execute([now()])?);
    }
    Ok(most == SWEPT_AT_ONCE)
}
