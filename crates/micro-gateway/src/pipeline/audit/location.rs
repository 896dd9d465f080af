//! Where an audit log is, in a flag or a config file.

use std::{convert::Infallible, fmt, path::PathBuf, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

/// Where an audit log is. In text: `stdout`, `sqlite:FILE`, or a folder.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String")]
pub enum AuditLocation {
    /// A folder of segments. A pipe or a device in its place is written to as a stream.
    Folder(PathBuf),
    /// Lines on stdout, for whoever collects them.
    Stdout,
    /// A SQLite database.
    Sqlite(PathBuf),
}

impl FromStr for AuditLocation {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.strip_prefix("sqlite:") {
            _ if text == "stdout" => Self::Stdout,
            Some(file) => Self::Sqlite(file.into()),
            None => Self::Folder(text.into()),
        })
    }
}

impl fmt::Display for AuditLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Stdout => f.write_str("stdout"),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
        }
    }
}

impl<'de> Deserialize<'de> for AuditLocation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Err(serde::de::Error::custom("name a folder, `sqlite:FILE` or `stdout`"));
        }
        text.parse().map_err(|never: Infallible| match never {})
    }
}
