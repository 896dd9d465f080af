//! The contract of the `posts` service: what it offers, and the client that others call it with.
//!
//! Knows the words that cross the wire. Does not know the database or the `users` service: those are
//! the binary's.

use jiff::Timestamp;
use micro::prelude::*;

/// The articles of the blog: read, search, write and publish them.
#[micro::service(name = "posts")]
pub trait Posts {
    /// Retrieve one article by id, with its text.
    ///
    /// @example {"id": 1}
    #[endpoint(title = "Get an article", scopes = ["blog:read"], read_only, idempotent, timeout = "2s")]
    async fn get(
        &self,
        cx: &Context,
        /// The article's id, as `Posts.List` shows it.
        id: u32,
    ) -> Result<Post>;

    /// List articles, newest first, without their texts. Filters narrow each other.
    ///
    /// @example {"tag": "compilers", "limit": 5}
    /// @example {"author": 2, "status": "draft"}
    #[endpoint(title = "List articles", scopes = ["blog:read"], read_only, idempotent)]
    async fn list(
        &self,
        /// Only articles of this user, by id.
        author: Option<u32>,
        /// Only articles with this tag.
        tag: Option<String>,
        /// Only articles in this state.
        status: Option<PostStatus>,
        /// Continue with articles older than this id: the `next` of the page before.
        before: Option<u32>,
        /// Articles on a page; 20 when left out.
        #[schemars(range(min = 1, max = 100))]
        limit: Option<u32>,
    ) -> Result<PostPage>;

    /// Write an article. It stays a draft until it is published. The author must be a user who may
    /// write: an author or an editor.
    ///
    /// # Example
    /// ```json
    /// {
    ///   "author": 2,
    ///   "title": "The first bug",
    ///   "body": "It was a moth, and it is still taped into the logbook.",
    ///   "tags": ["history", "debugging"]
    /// }
    /// ```
    ///
    /// @return The new draft, with the id it was given.
    #[endpoint(title = "Write an article", scopes = ["blog:write"], destructive = false, timeout = "5s")]
    async fn create(&self, cx: &Context, req: NewPost) -> Result<Post>;

    /// Publish a draft, so that readers can comment on it.
    ///
    /// @example {"id": 8}
    /// @param id The draft's id, as `Posts.List` with status `draft` shows it.
    /// @return The article as it is now.
    #[endpoint(title = "Publish an article", scopes = ["blog:write"], destructive = false)]
    async fn publish(&self, id: u32) -> Result<Post>;
}

/// An article with its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Post {
    /// All but the text.
    #[serde(flatten)]
    pub headline: Headline,
    /// The text, in Markdown.
    pub body: String,
}

/// An article without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Headline {
    /// Unique number, given when the draft was made.
    pub id: u32,
    /// What it is called.
    pub title: String,
    /// Who wrote it.
    pub author: Byline,
    /// Whether readers see it.
    pub status: PostStatus,
    /// What it is about.
    pub tags: Vec<String>,
    /// When the draft was made.
    pub created: Timestamp,
    /// When it was published; absent on drafts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
}

/// The author, as the article was signed. The account may have changed since, or be gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Byline {
    /// The user's id, for `Users.Get`.
    pub id: u32,
    /// The user's full name.
    pub name: String,
}

/// Whether readers see an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PostStatus {
    /// Still being written.
    Draft,
    /// Open to readers and their comments.
    Published,
}

/// An article that is not there yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewPost {
    /// Id of the user who signs it, as `Users.List` shows it.
    pub author: u32,
    /// What it is called.
    #[schemars(length(min = 1, max = 120))]
    pub title: String,
    /// The text, in Markdown.
    #[schemars(length(min = 1, max = 20_000))]
    pub body: String,
    /// What it is about, in lower-case words.
    #[serde(default)]
    #[schemars(length(max = 5), inner(regex(pattern = r"^[a-z][a-z0-9-]{0,23}$")))]
    pub tags: Vec<String>,
}

/// Some of the articles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PostPage {
    /// Newest first.
    pub posts: Vec<Headline>,
    /// Pass this as `before` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u32>,
}
