//! Where the attribute cannot stand.

#[micro::service]
struct Users;

trait Find {
    fn find(&self);
}

#[micro::service]
impl Find for Users {
    /// Find a user.
    #[endpoint]
    fn find(&self) {}
}

struct Store<T>(T);

#[micro::service]
impl<T: Send> Store<T> {
    /// Find something.
    #[endpoint]
    fn find(&self) {}
}

#[micro::service]
impl dyn Find {
    /// Add them.
    #[endpoint]
    fn add(&self) {}
}

fn main() {}
