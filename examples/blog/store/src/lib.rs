//! The database of one blog service.
//!
//! Knows SQLite and how to keep its blocking calls off the runtime's threads. Does not know any
//! service's tables: each brings its own schema.

use std::{fs, path::Path, sync::Arc};

use micro::Result;
use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};

/// A service's SQLite database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store(Arc<Mutex<Connection>>);

impl Store {
    /// Opens `SERVICE.db` in the folder that `BLOG_DATA` names, or a database in memory when the
    /// variable is not set. A new database gets its tables and first rows from `schema`.
    ///
    /// # Errors
    /// When the folder cannot be made, or the file is no database.
    pub fn open(service: &str, schema: &str) -> Result<Self> {
        match std::env::var_os("BLOG_DATA") {
            Some(folder) => Self::in_folder(Path::new(&folder), service, schema),
            None => Self::in_memory(schema),
        }
    }

    /// A database that is gone with the process.
    ///
    /// # Errors
    /// When the schema is wrong.
    pub fn in_memory(schema: &str) -> Result<Self> {
        Self::prepare(Connection::open_in_memory()?, schema)
    }

    /// Opens `SERVICE.db` in a folder, which is made when it is not there.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn in_folder(folder: &Path, service: &str, schema: &str) -> Result<Self> {
        fs::create_dir_all(folder)?;
        Self::prepare(Connection::open(folder.join(format!("{service}.db")))?, schema)
    }

    fn prepare(mut db: Connection, schema: &str) -> Result<Self> {
        // Immediate: of two processes that start together, one fills the file and the other finds it filled.
        let work = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: u32 = work.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if version == 0 {
            work.execute_batch(schema)?;
            work.pragma_update(None, "user_version", 1)?;
        }
        work.commit()?;
        Ok(Self(Arc::new(Mutex::new(db))))
    }

    /// Does some work on the database, on a thread that may block.
    ///
    /// SQLite writes one at a time in any case, so one connection behind a lock costs these services
    /// nothing; a service with many readers would keep a pool here.
    ///
    /// # Errors
    /// Those of the work.
    pub async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let db = self.0.clone();
        tokio::task::spawn_blocking(move || work(&mut db.lock())).await?
    }
}

/// Whether a statement failed because a value must be unique, or be one that another table has.
pub fn violates_a_constraint(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = "CREATE TABLE words (word TEXT UNIQUE); INSERT INTO words VALUES ('one');";

    async fn count(store: &Store) -> u32 {
        store.with(|db| Ok(db.query_row("SELECT count(*) FROM words", [], |row| row.get(0))?)).await.unwrap()
    }

    #[tokio::test]
    async fn what_was_written_is_there_when_the_file_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let store = Store::in_folder(&path, "words", SCHEMA).unwrap();
        assert_eq!(count(&store).await, 1);
        store.with(|db| Ok(db.execute("INSERT INTO words VALUES ('two')", [])?)).await.unwrap();
        drop(store);
        assert_eq!(count(&Store::in_folder(&path, "words", SCHEMA).unwrap()).await, 2);
    }

    #[tokio::test]
    async fn rows_that_were_all_deleted_do_not_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::in_folder(folder.path(), "words", SCHEMA).unwrap();
        store.with(|db| Ok(db.execute("DELETE FROM words", [])?)).await.unwrap();
        assert_eq!(count(&Store::in_folder(folder.path(), "words", SCHEMA).unwrap()).await, 0);
    }

    #[tokio::test]
    async fn processes_that_start_together_fill_a_database_once() {
        let folder = tempfile::tempdir().unwrap();
        let opened: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..4).map(|_| scope.spawn(|| Store::in_folder(folder.path(), "words", SCHEMA).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for store in &opened {
            assert_eq!(count(store).await, 1);
        }
    }

    #[tokio::test]
    async fn a_refused_value_is_told_from_a_broken_statement() {
        let store = Store::in_memory(SCHEMA).unwrap();
        let refused =
            |sql: &'static str| store.with(move |db| Ok(violates_a_constraint(&db.execute(sql, []).unwrap_err())));
        assert!(refused("INSERT INTO words VALUES ('one')").await.unwrap());
        assert!(!refused("INSERT INTO nowhere VALUES ('one')").await.unwrap());
    }

    #[test]
    fn a_folder_that_cannot_be_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(Store::in_folder(&file.path().join("data"), "words", SCHEMA).is_err());
    }
}
