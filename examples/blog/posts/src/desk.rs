//! The editors' desk: where articles are written, kept and published.

use blog_posts::{Byline, Headline, NewPost, Post, PostPage, PostStatus, Posts};
use blog_store::Store;
use blog_users::{Role, User, UsersClient};
use jiff::Timestamp;
use micro::prelude::*;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Articles on a page when the caller does not say.
const PAGE: u32 = 20;
/// Articles on the largest page. The gateway holds agents to the schema; this holds every caller.
const LARGEST_PAGE: u32 = 100;

/// Articles in a [`Store`], and the service that knows their authors.
pub(crate) struct Desk {
    store: Store,
    users: UsersClient,
}

/// What a list is narrowed to.
struct Filter {
    author: Option<u32>,
    tag: Option<String>,
    status: Option<PostStatus>,
    before: Option<u32>,
}

impl Desk {
    /// A desk with a database that has this service's tables.
    pub(crate) fn new(store: Store, users: UsersClient) -> Self {
        Self { store, users }
    }
}

impl Posts for Desk {
    async fn get(&self, _cx: &Context, id: u32) -> Result<Post> {
        self.store.with(move |db| find(db, id)).await
    }

    async fn list(
        &self,
        author: Option<u32>,
        tag: Option<String>,
        status: Option<PostStatus>,
        before: Option<u32>,
        limit: Option<u32>,
    ) -> Result<PostPage> {
        let filter = Filter { author, tag, status, before };
        let limit = limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE);
        self.store.with(move |db| page(db, &filter, limit)).await
    }

    async fn create(&self, cx: &Context, req: NewPost) -> Result<Post> {
        // With the caller's context, so that this call carries the same trace and ends by the same time.
        let author = self.users.get(cx, req.author).await?;
        if author.role == Role::Reader {
            return Err(Error::conflict(format!(
                "user {} ({}) is a reader; articles are signed by authors and editors: see Users.List with a role",
                author.id, author.name
            )));
        }
        self.store.with(move |db| insert(db, &author, &req)).await
    }

    async fn publish(&self, id: u32) -> Result<Post> {
        self.store.with(move |db| publish(db, id)).await
    }
}

fn find(db: &Connection, id: u32) -> Result<Post> {
    let found = db
        .prepare_cached("SELECT * FROM posts WHERE id = ?1")?
        .query_row([id], |row| Ok(Post { headline: headline(db, row)?, body: row.get("body")? }))
        .optional()?;
    found.ok_or_else(|| Error::not_found(format!("there is no article {id}; Posts.List shows what there is")))
}

fn page(db: &Connection, filter: &Filter, limit: u32) -> Result<PostPage> {
    let Filter { author, tag, status, before } = filter;
    let mut select = db.prepare_cached(
        "SELECT id, author, author_name, title, created, published FROM posts
         WHERE (?1 IS NULL OR author = ?1)
           AND (?2 IS NULL OR id IN (SELECT post FROM tags WHERE tag = ?2))
           AND (?3 IS NULL OR (published IS NOT NULL) = ?3)
           AND (?4 IS NULL OR id < ?4)
         ORDER BY id DESC LIMIT ?5",
    )?;
    let published = status.map(|status| status == PostStatus::Published);
    // One more than asked for: it tells whether there is a next page.
    let found = select.query_map(params![author, tag, published, before, limit + 1], |row| headline(db, row))?;
    let mut posts = found.collect::<rusqlite::Result<Vec<_>>>()?;
    let more = posts.len() > limit as usize;
    posts.truncate(limit as usize);
    let next = posts.last().filter(|_| more).map(|post| post.id);
    Ok(PostPage { posts, next })
}

fn insert(db: &mut Connection, author: &User, new: &NewPost) -> Result<Post> {
    let work = db.transaction()?;
    let id = work
        .prepare_cached("INSERT INTO posts (author, author_name, title, body) VALUES (?1, ?2, ?3, ?4) RETURNING id")?
        .query_row(params![author.id, author.name, new.title, new.body], |row| row.get(0))?;
    for tag in &new.tags {
        work.execute("INSERT OR IGNORE INTO tags (post, tag) VALUES (?1, ?2)", params![id, tag])?;
    }
    let post = find(&work, id)?;
    work.commit()?;
    Ok(post)
}

fn publish(db: &Connection, id: u32) -> Result<Post> {
    let changed = db.execute(
        "UPDATE posts SET published = strftime('%Y-%m-%dT%H:%M:%SZ') WHERE id = ?1 AND published IS NULL",
        [id],
    )?;
    let post = find(db, id)?;
    match post.headline.published {
        Some(since) if changed == 0 => Err(Error::conflict(format!("article {id} has been public since {since}"))),
        _ => Ok(post),
    }
}

fn headline(db: &Connection, row: &Row<'_>) -> rusqlite::Result<Headline> {
    let id = row.get("id")?;
    let published: Option<Timestamp> = row.get("published")?;
    let mut tags = db.prepare_cached("SELECT tag FROM tags WHERE post = ?1 ORDER BY tag")?;
    Ok(Headline {
        id,
        title: row.get("title")?,
        author: Byline { id: row.get("author")?, name: row.get("author_name")? },
        status: if published.is_some() { PostStatus::Published } else { PostStatus::Draft },
        tags: tags.query_map([id], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?,
        created: row.get("created")?,
        published,
    })
}
