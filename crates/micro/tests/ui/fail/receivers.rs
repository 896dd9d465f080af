//! Endpoints take `&self`.

use std::sync::Arc;

struct Users;

#[micro::service]
impl Users {
    /// Takes itself away.
    #[endpoint]
    fn consume(self) {}

    /// Changes itself.
    #[endpoint]
    fn change(&mut self) {}

    /// Wants an owner.
    #[endpoint]
    fn own(self: Arc<Self>) {}

    /// Has no self.
    #[endpoint]
    fn lonely(id: u64) -> u64 {
        id
    }
}

fn main() {}
