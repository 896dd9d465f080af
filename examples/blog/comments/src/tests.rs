//! The service as its callers see it, next to a `posts` service in the same process.

use std::time::Duration;

use blog_posts::{Byline, Headline, Post, PostStatus, PostsClient};
use blog_store::Store;
use futures_util::StreamExt;
use micro::{Reply, Router, prelude::*};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    SCHEMA,
    comments::{Comment, Comments, Thread},
};

/// As much of the `posts` service as comments need: eight articles, of which the last is a draft.
struct Posts;

#[micro::service]
impl Posts {
    /// Retrieve one article by id.
    #[endpoint]
    fn get(&self, id: u32) -> Result<Post> {
        let status = match id {
            1..8 => PostStatus::Published,
            8 => PostStatus::Draft,
            _ => return Err(Error::not_found(format!("there is no article {id}"))),
        };
        let author = Byline { id: 1, name: "Ada Lovelace".into() };
        let created = jiff::Timestamp::UNIX_EPOCH;
        let headline = Headline { id, title: "A title".into(), author, status, tags: vec![], created, published: None };
        Ok(Post { headline, body: "A text.".into() })
    }
}

fn comments() -> Router {
    let posts = PostsClient::new(Router::new("posts", "1").handle(Posts));
    Router::new("comments", "1").handle(Comments::new(Store::in_memory(SCHEMA).unwrap(), posts))
}

async fn thread(comments: &Router, arguments: Value) -> Thread {
    comments.call("Comments.ListByPost", arguments).await.unwrap()
}

#[tokio::test]
async fn a_comment_joins_the_end_of_its_thread() {
    let comments = comments();
    let arguments = json!({"post": 3, "author": "Ada Lovelace", "text": "How long?"});
    let added: Comment = comments.call("Comments.Add", arguments).await.unwrap();
    let thread = thread(&comments, json!({"post": 3})).await;
    assert_eq!(thread.total, 2);
    assert_eq!(thread.comments.last(), Some(&added));
}

#[tokio::test]
async fn a_comment_without_an_author_is_the_callers() {
    for (account, author) in [(Some("acme"), "acme"), (None, "anonymous")] {
        let mut cx = Context::default();
        if let Some(account) = account {
            cx.metadata.set("Mcp-Account-Id", account);
        }
        let body = json!({"post": 1, "text": "Hm."}).to_string().into();
        let Reply::Value(json) = comments().dispatch("Comments.Add", cx, body).await.unwrap() else {
            panic!("a comment is one value")
        };
        assert_eq!(serde_json::from_slice::<Comment>(&json).unwrap().author, author);
    }
}

#[tokio::test]
async fn only_articles_that_are_published_take_comments() {
    let comments = comments();
    for (post, code, says) in [(8, 409, "article 8 is a draft; Posts.Publish"), (99, 404, "there is no article 99")] {
        let error = comments.call::<Comment>("Comments.Add", json!({"post": post, "text": "Hm."})).await.unwrap_err();
        assert_eq!(error.code, code, "{error}");
        assert!(error.detail.contains(says), "{error}");
        assert_eq!(thread(&comments, json!({"post": post})).await.total, 0);
    }
}

#[tokio::test]
async fn a_limit_shortens_the_list_but_not_the_count() {
    let comments = comments();
    for (limit, expected) in [(2, 2), (0, 1), (u32::MAX, 3)] {
        let thread = thread(&comments, json!({"post": 1, "limit": limit})).await;
        assert_eq!((thread.total, thread.comments.len()), (3, expected), "limit {limit}");
    }
}

#[tokio::test]
async fn a_replay_is_the_thread_one_by_one() {
    let comments = comments();
    for post in [1, 3, 99] {
        let replayed: Vec<Comment> = comments.call("Comments.Replay", json!({"post": post})).await.unwrap();
        assert_eq!(replayed, thread(&comments, json!({"post": post})).await.comments);
    }
}

#[tokio::test]
async fn a_comment_added_during_a_replay_is_replayed() {
    let comments = comments();
    let Reply::Stream(mut replay) =
        comments.dispatch("Comments.Replay", Context::default(), r#"{"post":2}"#.into()).await.unwrap()
    else {
        panic!("a replay is a stream")
    };
    replay.next().await.unwrap().unwrap();
    comments.call::<Comment>("Comments.Add", json!({"post": 2, "text": "Hm."})).await.unwrap();
    assert_eq!(replay.count().await, 2);
}

#[tokio::test]
async fn a_pause_comes_after_every_comment_and_has_a_bound() {
    for (pause, expected) in [(500, 1500), (u32::MAX, 15_000)] {
        let comments = comments();
        tokio::time::pause();
        let begun = Instant::now();
        let replayed: Vec<Comment> =
            comments.call("Comments.Replay", json!({"post": 1, "pause_ms": pause})).await.unwrap();
        let elapsed = begun.elapsed();
        tokio::time::resume();
        // A timer may be a millisecond late, also in paused time.
        let late = elapsed.checked_sub(Duration::from_millis(expected)).expect("all pauses were made");
        assert!(replayed.len() == 3 && late < Duration::from_millis(100), "{late:?} late");
    }
}

#[test]
fn the_service_can_be_offered_and_one_endpoint_streams() {
    let comments = comments();
    comments.check().unwrap();
    let streaming: Vec<_> = comments.descriptor().endpoints.iter().filter(|e| e.streaming).map(|e| &*e.name).collect();
    assert_eq!(streaming, ["Comments.Replay"]);
}
