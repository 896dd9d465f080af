//! Options that are unknown, doubled, malformed or at odds.

struct Users;

#[micro::service]
impl Users {
    /// Unknown.
    #[endpoint(readonly, retries = 3)]
    fn unknown(&self) {}

    /// Doubled.
    #[endpoint(cost = 1, cost = 2)]
    #[endpoint]
    fn doubled(&self) {}

    /// At odds.
    #[endpoint(read_only, destructive)]
    fn at_odds(&self) {}

    /// Malformed.
    #[endpoint(
        timeout = "2 seconds",
        cache = 30,
        cost = "much",
        scopes = "users:read",
        title,
        idempotent = "yes",
        name = "Get User"
    )]
    fn malformed(&self) {}

    /// Empty and impossible.
    #[endpoint(scopes = ["", 7, "users:read,users:write"], timeout = "0s")]
    fn empty(&self) {}

    /// Not a list.
    #[endpoint = "get"]
    fn not_a_list(&self) {}

    /// Left out, in the way of traits.
    #[endpoint(skip)]
    fn skipped(&self) {}
}

fn main() {}
