//! The `users` service: accounts in a database of its own.

mod accounts;
#[cfg(test)]
mod tests;

use blog_store::Store;
use blog_users::UsersServer;

use self::accounts::Accounts;

/// The tables, and the people of a blog that has just begun.
const SCHEMA: &str = include_str!("schema.sql");

#[tokio::main]
async fn main() -> micro::Result<()> {
    let accounts = Accounts::new(Store::open("users", SCHEMA)?);
    micro::service("users").handle(UsersServer::new(accounts)).run().await
}
