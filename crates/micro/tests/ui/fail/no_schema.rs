//! A type without a schema is named where it stands.

use micro::prelude::*;

#[derive(Serialize)]
struct Profile {
    id: u64,
}

struct Users;

#[micro::service]
impl Users {
    /// Find a user.
    #[endpoint]
    async fn get(&self, id: u64) -> Result<Profile> {
        Ok(Profile { id })
    }
}

fn main() {}
