//! Comments: added, listed, and replayed one by one.

use std::time::Duration;

use blog_posts::{PostStatus, PostsClient};
use blog_store::Store;
use futures_util::stream;
use jiff::Timestamp;
use micro::prelude::*;
use rusqlite::{OptionalExtension, Row, params};

/// What readers say about the articles: add comments and read them.
pub(crate) struct Comments {
    store: Store,
    posts: PostsClient,
}

/// Something a reader said about an article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Comment {
    /// Unique number, in the order they were written.
    pub(crate) id: u32,
    /// The article's id, for `Posts.Get`.
    pub(crate) post: u32,
    /// Who wrote it, as it is shown.
    pub(crate) author: String,
    /// What it says, in plain text.
    pub(crate) text: String,
    /// When it was written.
    pub(crate) at: Timestamp,
}

/// The comments on one article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Thread {
    /// How many there are in all.
    pub(crate) total: u32,
    /// The first of them, oldest first.
    pub(crate) comments: Vec<Comment>,
}

impl Comments {
    /// Comments in a database that has this service's table.
    pub(crate) fn new(store: Store, posts: PostsClient) -> Self {
        Self { store, posts }
    }
}

#[micro::service]
impl Comments {
    /// Comment on a published article.
    ///
    /// @example {"post": 1, "author": "Lin Mei", "text": "I read it twice."}
    /// @return The comment, with the id it was given.
    #[endpoint(title = "Comment on an article", scopes = ["blog:write"], destructive = false, timeout = "5s")]
    async fn add(
        &self,
        cx: &Context,
        /// The article's id, as `Posts.List` shows it.
        post: u32,
        /// Who says it, as it will be shown; the caller's account when left out.
        #[schemars(length(min = 1, max = 80))]
        author: Option<String>,
        /// What to say, in plain text.
        #[schemars(length(min = 1, max = 2000))]
        text: String,
    ) -> Result<Comment> {
        let about = self.posts.get(cx, post).await?.headline;
        if about.status == PostStatus::Draft {
            return Err(Error::conflict(format!("article {post} is a draft; Posts.Publish opens it to comments")));
        }
        let author = author.unwrap_or_else(|| cx.account().unwrap_or("anonymous").to_owned());
        self.store
            .with(move |db| {
                let sql = "INSERT INTO comments (post, author, text) VALUES (?1, ?2, ?3) RETURNING *";
                Ok(db.prepare_cached(sql)?.query_row(params![post, author, text], comment)?)
            })
            .await
    }

    /// List the comments on an article, oldest first.
    ///
    /// @example {"post": 1}
    #[endpoint(title = "List comments", scopes = ["blog:read"], read_only, idempotent)]
    async fn list_by_post(
        &self,
        /// The article's id, as `Posts.List` shows it.
        post: u32,
        /// Most comments to return; 50 when left out.
        #[schemars(range(min = 1, max = 200))]
        limit: Option<u32>,
    ) -> Result<Thread> {
        // The gateway holds agents to the schema; this holds every caller.
        let limit = limit.unwrap_or(50).clamp(1, 200);
        self.store
            .with(move |db| {
                let count = "SELECT count(*) FROM comments WHERE post = ?1";
                let total = db.prepare_cached(count)?.query_row([post], |row| row.get(0))?;
                let select = "SELECT * FROM comments WHERE post = ?1 ORDER BY id LIMIT ?2";
                let mut select = db.prepare_cached(select)?;
                let comments = select.query_map([post, limit], comment)?.collect::<rusqlite::Result<_>>()?;
                Ok(Thread { total, comments })
            })
            .await
    }

    /// Replay the discussion of an article: every comment by itself, oldest first, then the end.
    /// Comments added meanwhile are replayed too.
    ///
    /// @example {"post": 1}
    /// @example {"post": 1, "pause_ms": 500}
    #[endpoint(title = "Replay a discussion", scopes = ["blog:read"], read_only)]
    fn replay(
        &self,
        /// The article's id, as `Posts.List` shows it.
        post: u32,
        /// Time to wait after each comment, in milliseconds; none when left out.
        #[schemars(range(max = 5000))]
        pause_ms: Option<u32>,
    ) -> impl Stream<Item = Result<Comment>> {
        let pause = Duration::from_millis(pause_ms.unwrap_or(0).min(5000).into());
        // One row at a time: however long the discussion, one comment of it stands in memory.
        stream::try_unfold(None, move |last| async move {
            if last.is_some() && !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            let comment = self.after(post, last.unwrap_or(0)).await?;
            Ok(comment.map(|comment| (comment.clone(), Some(comment.id))))
        })
    }

    /// The first comment on an article that is newer than another.
    async fn after(&self, post: u32, id: u32) -> Result<Option<Comment>> {
        let sql = "SELECT * FROM comments WHERE post = ?1 AND id > ?2 ORDER BY id LIMIT 1";
        self.store.with(move |db| Ok(db.prepare_cached(sql)?.query_row([post, id], comment).optional()?)).await
    }
}

fn comment(row: &Row<'_>) -> rusqlite::Result<Comment> {
    Ok(Comment {
        id: row.get("id")?,
        post: row.get("post")?,
        author: row.get("author")?,
        text: row.get("text")?,
        at: row.get("at")?,
    })
}
