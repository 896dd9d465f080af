//! From words to a store: the location in a flag, a variable or a config file.

use std::{fmt, path::PathBuf, str::FromStr, sync::Arc};

use crate::{Counters, Error, KeyValue, Log, MemoryStore, Result};

/// Where a store is. Its text form is what flags and config files take:
///
/// ```
/// # use micro_store::Location;
/// assert_eq!("memory".parse::<Location>().unwrap(), Location::Memory);
/// assert_eq!("sqlite:micro.db".parse::<Location>().unwrap(), Location::Sqlite("micro.db".into()));
/// assert_eq!("sqlite:///var/lib/micro.db".parse::<Location>().unwrap(), Location::Sqlite("/var/lib/micro.db".into()));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Location {
    /// `memory`: inside this process, and gone with it.
    #[default]
    Memory,
    /// `sqlite:PATH`: a file that several processes of this machine may share. The path is taken as it
    /// stands, without `%` escapes.
    Sqlite(PathBuf),
}

/// An open store: the three ports. Clones are the same store.
#[derive(Debug, Clone)]
pub struct Store {
    keys: Arc<dyn KeyValue>,
    counters: Arc<dyn Counters>,
    log: Arc<dyn Log>,
}

impl Location {
    /// Opens the store. Each `memory` is a new, empty one.
    ///
    /// Blocks while a file is opened, at most some seconds.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it cannot be opened, or this build has no such backend.
    pub fn open(&self) -> Result<Store> {
        match self {
            Self::Memory => Ok(Store::memory()),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(path) => Ok(Store::of(&Arc::new(crate::SqliteStore::open(path)?))),
            #[cfg(not(feature = "sqlite"))]
            Self::Sqlite(_) => {
                let missing = std::io::Error::other("this program was built without SQLite");
                Err(Error::unavailable(&self.to_string().into(), missing))
            }
        }
    }
}

impl Store {
    /// A new, empty store inside this process.
    pub fn memory() -> Self {
        Self::of(&Arc::new(MemoryStore::default()))
    }

    /// A store whose ports are all one backend's.
    pub fn of<B: KeyValue + Counters + Log>(backend: &Arc<B>) -> Self {
        Self { keys: backend.clone(), counters: backend.clone(), log: backend.clone() }
    }

    /// Values under keys.
    pub fn keys(&self) -> &dyn KeyValue {
        &*self.keys
    }

    /// Numbers that many add to.
    pub fn counters(&self) -> &dyn Counters {
        &*self.counters
    }

    /// Streams that are appended to.
    pub fn log(&self) -> &dyn Log {
        &*self.log
    }
}

impl FromStr for Location {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let unknown = || Error::UnknownLocation(text.to_owned());
        let path = match text.trim() {
            "memory" => return Ok(Self::Memory),
            other => other.strip_prefix("sqlite:").ok_or_else(unknown)?,
        };
        // After `//` comes a host, and only the empty one is this machine.
        let path = match path.strip_prefix("//") {
            Some(path) if path.starts_with('/') => path,
            Some(_) => return Err(unknown()),
            None => path,
        };
        if path.is_empty() { Err(unknown()) } else { Ok(Self::Sqlite(path.into())) }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_read_back_from_its_text() {
        for text in ["memory", "sqlite:micro.db", "sqlite:/var/lib/micro.db"] {
            assert_eq!(text.parse::<Location>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_unknown_location_is_refused_with_the_known_forms() {
        for text in ["", "redis://localhost", "sqlite:", "sqlite://", "sqlite://host/file", "Memory", "memory:"] {
            let error = text.parse::<Location>().unwrap_err().to_string();
            assert!(error.contains("`memory` or `sqlite:some/file.db`"), "{text}: {error}");
        }
    }

    #[tokio::test]
    async fn each_memory_is_a_store_of_its_own() {
        let (a, b) = (Location::Memory.open().unwrap(), Location::Memory.open().unwrap());
        a.keys().put("k", "v".into(), None, crate::Expect::Any).await.unwrap();
        assert_eq!(b.keys().get("k").await.unwrap(), None);
        assert!(a.clone().keys().get("k").await.unwrap().is_some(), "clones are the same store");
    }
}
