//! Options of the service.

struct Users;

#[micro::service(name = "users")]
impl Users {
    /// Find a user.
    #[endpoint]
    fn get(&self) {}
}

#[micro::service(nmae = "orders")]
trait Orders {
    /// Count the orders.
    fn count(&self) -> u64;
}

#[micro::service(name = "../etc")]
trait Names {
    /// Count the names.
    fn count(&self) -> u64;
}

fn main() {}
