//! The client: one for every era and transport.

mod http;

pub use self::http::{AuthError, Bearer, Credentials, Refused, Retry};
