//! A future that cannot move between threads is named at its method.

use std::rc::Rc;

use micro::prelude::*;

struct Users;

#[micro::service]
impl Users {
    /// Find a user.
    #[endpoint]
    async fn get(&self, id: u64) -> Result<u64> {
        let id = Rc::new(id);
        std::future::ready(()).await;
        Ok(*id)
    }
}

fn main() {}
