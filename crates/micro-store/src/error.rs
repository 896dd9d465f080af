//! What can go wrong with a store. Not finding something is no error.

use std::sync::Arc;

/// `Result` with a store [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a store could not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The location is not one of the known forms.
    #[error("unknown store `{0}`: use `memory` or `sqlite:some/file.db`")]
    UnknownLocation(String),
    /// What is there is not what was expected; nothing was changed.
    #[error("somebody else changed this entry")]
    Conflict,
    /// A key, a value or a batch is out of bounds; nothing was changed.
    #[error("this cannot be stored: {0}")]
    Invalid(&'static str),
    /// The store cannot be reached or does not work. Whether a change was made is not known.
    #[error("the store at {place} is unavailable")]
    Unavailable {
        /// Where the store is.
        place: Arc<str>,
        /// What it said.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// A store at `place` that said this.
    pub(crate) fn unavailable(place: &Arc<str>, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Unavailable { place: place.clone(), source: Arc::new(source) }
    }
}
