//! From words to a registry: the location in a flag, a variable or a config file.

use std::{
    env, fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Arc, LazyLock},
};

use crate::{Error, FileRegistry, MemoryRegistry, Registry, Result};

/// The variable that names the registry for every command and service.
const VARIABLE: &str = "MICRO_REGISTRY";

/// Where a registry is. Its text form is what `--registry` and `MICRO_REGISTRY` take:
///
/// ```
/// # use micro_registry::Location;
/// # use std::path::PathBuf;
/// assert_eq!("memory".parse::<Location>().unwrap(), Location::Memory);
/// assert_eq!("file".parse::<Location>().unwrap(), Location::File(None));
/// assert_eq!("file:///run/micro".parse::<Location>().unwrap(), Location::File(Some(PathBuf::from("/run/micro"))));
/// assert_eq!("file:here".parse::<Location>().unwrap(), Location::File(Some(PathBuf::from("here"))));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// `memory`: inside this process only.
    Memory,
    /// `file`, `file:///some/folder` or `file:relative/folder`: a folder of JSON files; none means
    /// [`FileRegistry::open_default`]'s. The path is taken as it stands, without `%` escapes.
    File(Option<PathBuf>),
}

/// The registry at a location. Every `memory` is the same one, as every `file` is: what runs in one
/// process sees each other.
///
/// # Errors
/// [`Error::Unavailable`] when the store cannot be opened.
pub fn connect(location: &Location) -> Result<Arc<dyn Registry>> {
    static MEMORY: LazyLock<MemoryRegistry> = LazyLock::new(MemoryRegistry::default);
    Ok(match location {
        Location::Memory => Arc::new(MEMORY.clone()),
        Location::File(None) => Arc::new(FileRegistry::open_default()?),
        Location::File(Some(folder)) => Arc::new(FileRegistry::open(folder)?),
    })
}

impl Location {
    /// What `MICRO_REGISTRY` says, or the default when it is unset or empty.
    ///
    /// # Errors
    /// [`Error::UnknownLocation`] when it says something unknown.
    pub fn from_env() -> Result<Self> {
        match env::var_os(VARIABLE) {
            Some(text) if !text.is_empty() => text.to_string_lossy().parse(),
            _ => Ok(Self::default()),
        }
    }
}

/// `file`.
impl Default for Location {
    fn default() -> Self {
        Self::File(None)
    }
}

impl FromStr for Location {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let unknown = || Error::UnknownLocation(text.to_owned());
        let folder = match text.trim() {
            "memory" => return Ok(Self::Memory),
            "file" => return Ok(Self::File(None)),
            other => other.strip_prefix("file:").ok_or_else(unknown)?,
        };
        // After `//` comes a host, and only the empty one is this machine.
        let path = Path::new(folder.strip_prefix("//").unwrap_or(folder));
        if path.as_os_str().is_empty() || (folder.starts_with("//") && !path.is_absolute()) {
            return Err(unknown());
        }
        Ok(Self::File(Some(path.to_owned())))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::File(None) => f.write_str("file"),
            Self::File(Some(path)) if path.is_absolute() => write!(f, "file://{}", path.display()),
            Self::File(Some(path)) => write!(f, "file:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_read_back_from_its_text() {
        for text in ["memory", "file", "file:///run/micro", "file:here/and/there"] {
            assert_eq!(text.parse::<Location>().unwrap().to_string(), text);
        }
        assert_eq!("file:/abs".parse::<Location>().unwrap().to_string(), "file:///abs");
    }

    #[test]
    fn an_unknown_location_is_refused_with_the_known_forms() {
        for text in ["", "consul://localhost", "file:", "file://", "file://host/dir", "FILE", "memory:"] {
            let error = text.parse::<Location>().unwrap_err().to_string();
            assert!(error.contains("`memory`, `file` or `file:///some/folder`"), "{text}: {error}");
        }
    }

    #[tokio::test]
    async fn every_memory_is_the_same_one() {
        let (a, b) = (connect(&Location::Memory).unwrap(), connect(&Location::Memory).unwrap());
        let instance = crate::suite::instance("any", "1");
        a.register(&instance, std::time::Duration::from_secs(60)).await.unwrap();
        assert!(b.list().await.unwrap().iter().any(|i| **i == instance));
    }
}
