//! Return types that cannot be answers.

use micro::prelude::*;

struct Users(String);

#[micro::service]
impl Users {
    /// Borrowed.
    #[endpoint]
    fn borrowed(&self) -> &str {
        &self.0
    }

    /// Unnamed.
    #[endpoint]
    fn unnamed(&self) -> impl Serialize {
        7
    }

    /// Of unknown value.
    #[endpoint]
    fn bare(&self) -> std::fmt::Result {
        Ok(())
    }

    /// Items that cannot fail.
    #[endpoint]
    fn items(&self) -> impl Stream<Item = u8> {
        futures_util::stream::empty()
    }
}

fn main() {}
