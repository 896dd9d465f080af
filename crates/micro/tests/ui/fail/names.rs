//! Names that are taken.

struct Users;

#[micro::service]
impl Users {
    /// Find a user.
    #[endpoint]
    fn get(&self) {}

    /// Find a user in another way.
    #[endpoint(name = "Get")]
    fn find(&self) {}
}

#[micro::service]
trait Orders {
    /// Make an order.
    async fn new(&self) -> micro::Result<()>;
}

fn main() {}
