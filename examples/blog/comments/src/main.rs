//! The `comments` service: what readers say, in a database of its own. One endpoint streams.

mod comments;
#[cfg(test)]
mod tests;

use blog_posts::PostsClient;
use blog_store::Store;

use self::comments::Comments;

/// The table, and what the first readers said.
const SCHEMA: &str = include_str!("schema.sql");

#[tokio::main]
async fn main() -> micro::Result<()> {
    let comments = Comments::new(Store::open("comments", SCHEMA)?, PostsClient::new(micro::client()?));
    micro::service("comments").handle(comments).run().await
}
