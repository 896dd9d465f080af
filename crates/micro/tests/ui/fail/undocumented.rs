//! A tool without a text is of no use to a model.

struct Users;

#[micro::service]
impl Users {
    #[endpoint]
    fn get(&self) {}

    /// @example {}
    #[endpoint]
    fn only_tags(&self) {}
}

fn main() {}
