//! Streamable HTTP, seen from the client.

mod credentials;

pub use self::credentials::{AuthError, Bearer, Credentials, Refused, Retry};
