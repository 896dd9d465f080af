//! The `posts` service: articles in a database of its own, signed by those whom `users` knows.

mod desk;
#[cfg(test)]
mod tests;

use blog_posts::PostsServer;
use blog_store::Store;
use blog_users::UsersClient;

use self::desk::Desk;

/// The tables, and what the first authors wrote.
const SCHEMA: &str = include_str!("schema.sql");

#[tokio::main]
async fn main() -> micro::Result<()> {
    let desk = Desk::new(Store::open("posts", SCHEMA)?, UsersClient::new(micro::client()?));
    micro::service("posts").handle(PostsServer::new(desk)).run().await
}
