//! What can go wrong with a registry. A registry that is down is not a service that is unknown.

/// `Result` with a registry [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a registry could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The location is not one of the known forms.
    #[error("unknown registry `{0}`: use `memory`, `file` or `file:///some/folder`")]
    UnknownLocation(String),
    /// The store cannot be reached or does not work.
    #[error("the registry at {place} is unavailable")]
    Unavailable {
        /// Where the store is.
        place: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The record cannot be stored.
    #[error("the record of service `{service}` cannot be stored: {reason}")]
    InvalidRecord {
        /// The service's name, as given.
        service: String,
        /// What is wrong with it.
        reason: String,
    },
}
