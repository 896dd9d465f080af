//! Parameters that cannot be arguments.

use micro::prelude::*;

struct Users;

#[derive(Deserialize, JsonSchema)]
struct Get {
    id: u64,
}

#[micro::service]
impl Users {
    /// A pattern.
    #[endpoint]
    fn pattern(&self, (a, b): (u8, u8)) -> u8 {
        a + b
    }

    /// Borrowed.
    #[endpoint]
    fn borrowed(&self, name: &str, tags: &[String], get: &Get) -> usize {
        name.len() + tags.len() + get.id as usize
    }

    /// Any type.
    #[endpoint]
    fn any(&self, name: impl Into<String>) -> String {
        name.into()
    }

    /// The handler itself.
    #[endpoint]
    fn itself(&self, other: Vec<Self>) -> usize {
        other.len()
    }

    /// Two contexts.
    #[endpoint]
    fn contexts(&self, a: &Context, b: Context) -> bool {
        a.account() == b.account()
    }

    /// A context to change.
    #[endpoint]
    fn mutable(&self, cx: &mut Context) -> bool {
        cx.account().is_some()
    }

    /// Now and then.
    #[endpoint]
    fn conditional(&self, #[cfg(unix)] id: u64) {}

    /// Not alone.
    #[endpoint]
    fn marked(&self, #[arguments] get: Get, more: u8) -> u64 {
        get.id + u64::from(more)
    }

    /// Described from outside.
    #[endpoint]
    fn described(&self, /** What to get. */ req: Get) -> u64 {
        req.id
    }
}

fn main() {}
