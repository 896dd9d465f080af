//! Tags that are misspelt or speak of what is not there.

use micro::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct GetRequest {
    id: u64,
}

struct Users;

#[micro::service]
impl Users {
    /// Misspelt tags.
    ///
    /// @exmaple {"id": 7}
    /// @params id Its number.
    #[endpoint]
    fn misspelt(&self, id: u64) -> u64 {
        id
    }

    /// Parameters that are not there.
    ///
    /// @param idd Its number.
    /// @param cx The context.
    /// @param id
    #[endpoint]
    fn absent(&self, cx: &Context, id: u64) -> u64 {
        cx.account().map_or(id, |_| 0)
    }

    /// Fields belong to their struct.
    ///
    /// @param id Its number.
    #[endpoint]
    fn fields(&self, req: GetRequest) -> u64 {
        req.id
    }

    /// Described twice.
    ///
    /// @param id Its number.
    /// @return A number.
    /// @return Another one.
    #[endpoint]
    fn twice(&self, /** Its number. */ id: u64) -> u64 {
        id
    }
}

fn main() {}
