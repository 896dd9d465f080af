//! Names of services and tools (DESIGN: canonical `service.Type.Method`, safe form for models).

use std::fmt;

/// The longest safe name that every known host accepts.
const SAFE_LEN: usize = 64;

/// A name that cannot be used, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid name `{name}`: {reason}")]
pub struct InvalidName {
    /// The name as given.
    pub name: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Checks a service name: 1 to 128 letters, digits, `.`, `_` or `-`, beginning with a letter or digit.
///
/// A name is also a file name and a URL segment, so nothing else can be let in.
pub fn check_service_name(name: &str) -> Result<(), InvalidName> {
    let invalid = |reason| Err(InvalidName { name: name.chars().take(140).collect(), reason });
    match name.bytes().next() {
        None => return invalid("it is empty"),
        Some(b) if !b.is_ascii_alphanumeric() => return invalid("it must begin with a letter or a digit"),
        _ => {}
    }
    if name.len() > 128 {
        return invalid("it is longer than 128 characters");
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')) {
        return invalid("only letters, digits, `.`, `_` and `-` are allowed");
    }
    Ok(())
}

/// A tool's names: the canonical one for people and records, the safe one for models.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ToolName {
    /// `service.Type.Method`.
    pub canonical: String,
    /// `^[a-zA-Z0-9_-]{1,64}$`; some hosts drop a whole server over one dotted name.
    pub safe: String,
}

impl ToolName {
    /// The names of an endpoint (`Type.Method`) of a service.
    ///
    /// ```
    /// # use micro_core::ToolName;
    /// assert_eq!(ToolName::new("users", "Users.Get").safe, "users_Get");
    /// assert_eq!(ToolName::new("shop", "Orders.Place").safe, "shop_Orders_Place");
    /// ```
    pub fn new(service: &str, endpoint: &str) -> Self {
        let canonical = format!("{service}.{endpoint}");
        let short = match endpoint.split_once('.') {
            Some((ty, method)) if same_word(service, ty) => format!("{service}_{method}"),
            _ => format!("{service}_{endpoint}"),
        };
        let safe = short.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
        Self { safe: shorten(safe, &canonical), canonical }
    }

    /// The safe name that stands in when another tool has taken this one's.
    #[must_use]
    pub fn disambiguated(&self) -> String {
        with_digest(&self.safe, &self.canonical)
    }
}

impl fmt::Display for ToolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.canonical)
    }
}

/// `user-accounts` and `UserAccounts` are the same word.
fn same_word(a: &str, b: &str) -> bool {
    let letters =
        |s: &str| -> Vec<u8> { s.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_lowercase()).collect() };
    letters(a) == letters(b)
}

fn shorten(safe: String, canonical: &str) -> String {
    if safe.len() <= SAFE_LEN { safe } else { with_digest(&safe, canonical) }
}

fn with_digest(safe: &str, canonical: &str) -> String {
    let head = &safe[..safe.len().min(SAFE_LEN - 9)]; // safe names are ASCII
    format!("{head}_{:08x}", fnv1a(canonical.as_bytes()) as u32)
}

/// FNV-1a: stable over releases and machines, which the standard hasher does not promise.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_that_repeats_the_service_is_dropped() {
        assert_eq!(ToolName::new("user-accounts", "UserAccounts.Get").safe, "user-accounts_Get");
        assert_eq!(ToolName::new("go.micro.srv", "Say.Hello").safe, "go_micro_srv_Say_Hello");
    }

    #[test]
    fn long_names_are_shortened_stably_and_stay_distinct() {
        let long = "s".repeat(70);
        let (a, b) = (ToolName::new(&long, "A.Get"), ToolName::new(&long, "A.Put"));
        assert_eq!(a.safe.len(), 64);
        assert_ne!(a.safe, b.safe);
        assert_eq!(a, ToolName::new(&long, "A.Get"));
    }

    #[test]
    fn service_names_that_could_leave_their_folder_are_refused() {
        for name in ["", ".hidden", "../etc", "a/b", "a b", "ü", &"x".repeat(129)] {
            assert!(check_service_name(name).is_err(), "{name}");
        }
        for name in ["users", "go.micro.srv.greeter", "a-b_c.1"] {
            assert_eq!(check_service_name(name), Ok(()));
        }
    }
}
