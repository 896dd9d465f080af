//! A service offers something.

struct Users;

#[micro::service]
impl Users {
    /// Nobody can call it.
    pub fn get(&self) {}
}

#[micro::service]
trait Orders {
    /// Has a body, so it is a helper.
    fn helper(&self) {}
}

fn main() {}
