//! The service as its callers see it, next to a `users` service in the same process.

use std::pin::Pin;

use blog_posts::{Post, PostPage, PostStatus, PostsServer};
use blog_store::Store;
use blog_users::{Profile, Role, User, UsersClient};
use micro::{Caller, Outgoing, Reply, Router, prelude::*};
use serde_json::{Value, json};

use crate::{SCHEMA, desk::Desk};

/// As much of the `users` service as articles need: grace writes, lin reads.
struct Users;

#[micro::service]
impl Users {
    /// Retrieve one user by id.
    #[endpoint]
    fn get(&self, cx: &Context, id: u32) -> Result<User> {
        let (name, role) = match id {
            2 => ("Grace Hopper", Role::Author),
            5 => ("Lin Mei", Role::Reader),
            // Shows the test what came along with the call.
            7 => (cx.account().unwrap_or("nobody"), Role::Editor),
            _ => return Err(Error::not_found(format!("there is no user {id}"))),
        };
        let email = "someone@example.org".to_owned();
        let joined = jiff::Timestamp::UNIX_EPOCH;
        Ok(User { id, handle: "someone".into(), name: name.into(), email, role, profile: Profile::default(), joined })
    }
}

fn posts() -> Router {
    posts_beside(Router::new("users", "1").handle(Users))
}

fn posts_beside(users: impl Caller) -> Router {
    let desk = Desk::new(Store::in_memory(SCHEMA).unwrap(), UsersClient::new(users));
    Router::new("posts", "1").handle(PostsServer::new(desk))
}

fn moth(author: u32) -> Value {
    json!({"author": author, "title": "The first bug", "body": "A moth.", "tags": ["history", "debugging", "history"]})
}

async fn ids(posts: &Router, arguments: Value) -> (Vec<u32>, Option<u32>) {
    let page: PostPage = posts.call("Posts.List", arguments).await.unwrap();
    (page.posts.iter().map(|post| post.id).collect(), page.next)
}

#[tokio::test]
async fn an_article_is_signed_with_the_name_that_users_knows() {
    let posts = posts();
    let created: Post = posts.call("Posts.Create", moth(2)).await.unwrap();
    let headline = &created.headline;
    assert_eq!((headline.id, &*headline.author.name, headline.status), (9, "Grace Hopper", PostStatus::Draft));
    assert_eq!(headline.tags, ["debugging", "history"]);
    let read: Post = posts.call("Posts.Get", json!({"id": 9})).await.unwrap();
    assert_eq!(read, created);
}

#[tokio::test]
async fn only_users_who_write_can_sign() {
    let posts = posts();
    for (author, code, says) in [(42, 404, "there is no user 42"), (5, 409, "(Lin Mei) is a reader")] {
        let error = posts.call::<Post>("Posts.Create", moth(author)).await.unwrap_err();
        assert_eq!(error.code, code, "{error}");
        assert!(error.detail.contains(says), "{error}");
    }
    assert_eq!(ids(&posts, json!({"before": 100, "limit": 1})).await.0, [8]);
}

#[tokio::test]
async fn who_calls_is_told_to_users() {
    let mut cx = Context::default();
    cx.metadata.set("Mcp-Account-Id", "acme");
    let body = moth(7).to_string().into();
    let Reply::Value(json) = posts().dispatch("Posts.Create", cx, body).await.unwrap() else {
        panic!("an article is one value")
    };
    let created: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(created["author"]["name"], "acme");
}

/// A `users` service that cannot be reached.
struct Nobody;

impl Caller for Nobody {
    fn call(&self, call: Outgoing) -> Pin<Box<dyn Future<Output = Result<Reply>> + Send + '_>> {
        Box::pin(async move { Err(Error::unavailable(format!("no node of `{}` can be reached", call.service))) })
    }
}

#[tokio::test]
async fn reading_goes_on_when_users_is_down_and_writing_says_why_it_does_not() {
    let posts = posts_beside(Nobody);
    let error = posts.call::<Post>("Posts.Create", moth(2)).await.unwrap_err();
    assert_eq!((error.code, &*error.detail), (503, "no node of `users` can be reached"));
    assert_eq!(posts.call::<Post>("Posts.Get", json!({"id": 1})).await.unwrap().headline.author.id, 1);
}

#[tokio::test]
async fn filters_narrow_the_list_and_each_other() {
    let posts = posts();
    for (filter, expected) in [
        (json!({}), vec![8, 7, 6, 5, 4, 3, 2, 1]),
        (json!({"author": 2}), vec![5, 2]),
        (json!({"tag": "theory"}), vec![8, 6, 3]),
        (json!({"tag": "theory", "status": "published"}), vec![6, 3]),
        (json!({"author": 3, "tag": "theory", "status": "draft"}), vec![8]),
        (json!({"tag": "nothing"}), vec![]),
    ] {
        assert_eq!(ids(&posts, filter.clone()).await, (expected, None), "{filter}");
    }
}

#[tokio::test]
async fn pages_follow_one_another_and_end() {
    let posts = posts();
    assert_eq!(ids(&posts, json!({"limit": 5})).await, (vec![8, 7, 6, 5, 4], Some(4)));
    assert_eq!(ids(&posts, json!({"limit": 5, "before": 4})).await, (vec![3, 2, 1], None));
    assert_eq!(ids(&posts, json!({"limit": 0})).await, (vec![8], Some(8)));
}

#[tokio::test]
async fn a_draft_is_published_once() {
    let posts = posts();
    let published: Post = posts.call("Posts.Publish", json!({"id": 8})).await.unwrap();
    let since = published.headline.published.unwrap();
    assert_eq!(published.headline.status, PostStatus::Published);
    let again = posts.call::<Post>("Posts.Publish", json!({"id": 8})).await.unwrap_err();
    assert_eq!((again.code, again.detail), (409, format!("article 8 has been public since {since}")));
    let missing = posts.call::<Post>("Posts.Publish", json!({"id": 99})).await.unwrap_err();
    assert_eq!((missing.code, &*missing.detail), (404, "there is no article 99; Posts.List shows what there is"));
}

#[test]
fn the_service_can_be_offered_and_an_article_is_one_flat_object() {
    let posts = posts();
    posts.check().unwrap();
    let get = &posts.descriptor().endpoints[0];
    let output: Value = serde_json::from_str(get.output.as_ref().unwrap().as_str()).unwrap();
    assert_eq!(output["required"], json!(["id", "title", "author", "status", "tags", "created", "body"]));
    assert_eq!(output["properties"]["author"]["properties"]["name"]["description"], "The user's full name.");
    assert_eq!(output["properties"]["published"]["format"], "date-time");
}
