//! Why a command failed: a kind, which is the exit code, a message, and what to do about it.

use std::{error::Error, fmt};

/// Kinds of failure. Scripts tell them apart by the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The command was not called as it should be.
    Usage,
    /// No such service, tool, file or folder.
    NotFound,
    /// Something that should answer does not: a registry, a service, an address that is taken.
    Unavailable,
    /// The caller may not do this.
    Denied,
    /// What was given cannot be used: arguments, a configuration, code that does not compile.
    Invalid,
    /// Everything else.
    Internal,
}

impl Kind {
    /// The exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Internal => 1,
            Self::Usage => 2, // clap's own
            Self::NotFound => 3,
            Self::Unavailable => 4,
            Self::Denied => 5,
            Self::Invalid => 6,
        }
    }
}

/// A failure, told to people as `error: …`, `  caused by: …`, `  hint: …`.
#[derive(Debug)]
pub(crate) struct CommandError {
    pub(crate) kind: Kind,
    pub(crate) message: String,
    /// What the layers below said, outermost first.
    pub(crate) causes: Vec<String>,
    pub(crate) hints: Vec<String>,
}

impl CommandError {
    /// A failure of a kind.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), hints: Vec::new() }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, message)
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, message)
    }

    /// Adds what the person at the terminal can do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds the cause, with its own causes.
    #[must_use]
    pub(crate) fn because(mut self, cause: impl Error) -> Self {
        self.causes.extend(chain(&cause));
        self
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A registry that is down is a different kind than a location that was mistyped.
impl From<micro_registry::Error> for CommandError {
    fn from(error: micro_registry::Error) -> Self {
        let kind = match error {
            micro_registry::Error::UnknownLocation(_) => Kind::Usage,
            micro_registry::Error::Unavailable { .. } => Kind::Unavailable,
            micro_registry::Error::InvalidRecord { .. } => Kind::Invalid,
        };
        let mut out = Self::new(kind, error.to_string());
        out.causes = chain(&error).skip(1).collect();
        match kind {
            Kind::Unavailable => out.hint("name another with --registry or MICRO_REGISTRY"),
            _ => out,
        }
    }
}

/// What a service or the gateway answered.
impl From<micro_core::Error> for CommandError {
    fn from(error: micro_core::Error) -> Self {
        let kind = match error.code {
            400 | 409 | 413 | 422 => Kind::Invalid,
            401 | 403 => Kind::Denied,
            404 => Kind::NotFound,
            408 | 429 | 503 => Kind::Unavailable,
            _ => Kind::Internal,
        };
        let message =
            if error.id.is_empty() { error.detail.clone() } else { format!("{}: {}", error.id, error.detail) };
        let mut out = Self::new(kind, message);
        out.causes = error.source().map(|e| chain(e).collect()).unwrap_or_default();
        out
    }
}

/// An error and its causes, in words.
fn chain<'a>(error: &'a (dyn Error + 'a)) -> impl Iterator<Item = String> + 'a {
    std::iter::successors(Some(error), |&e| e.source()).map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn what_a_service_answered_decides_the_exit_code() {
        let code = |error: micro_core::Error| CommandError::from(error).kind.code();
        assert_eq!(code(micro_core::Error::not_found("no user 7")), 3);
        assert_eq!(code(micro_core::Error::unavailable("nobody there")), 4);
        assert_eq!(code(micro_core::Error::forbidden("no")), 5);
        assert_eq!(code(micro_core::Error::bad_request("`id` is missing")), 6);
        assert_eq!(code(micro_core::Error::internal("oops")), 1);
    }

    #[test]
    fn a_registry_that_is_down_is_not_a_location_that_is_wrong() {
        let down = micro_registry::Error::Unavailable { place: "/x".into(), source: io::Error::other("disk is gone") };
        let down = CommandError::from(down);
        assert_eq!((down.kind, down.causes), (Kind::Unavailable, vec!["disk is gone".to_owned()]));
        assert_eq!(CommandError::from(micro_registry::Error::UnknownLocation("x".into())).kind, Kind::Usage);
    }
}
