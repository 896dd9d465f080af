//! The contract of the `users` service: what it offers, and the client that others call it with.
//!
//! Knows the words that cross the wire. Does not know the database: that is the binary's.

use jiff::Timestamp;
use micro::prelude::*;

/// The people of the blog: look them up, list them, add and remove accounts.
#[micro::service(name = "users")]
pub trait Users {
    /// Retrieve one user by id. Returns the full profile.
    ///
    /// @example {"id": 1}
    #[endpoint(title = "Get a user", scopes = ["blog:read"], read_only, idempotent, timeout = "2s")]
    async fn get(
        &self,
        cx: &Context,
        /// The user's id, as `Users.List` shows it.
        id: u32,
    ) -> Result<User>;

    /// List users in the order they joined, a page at a time.
    ///
    /// @example {"role": "author"}
    /// @example {"limit": 2, "after": 2}
    #[endpoint(title = "List users", scopes = ["blog:read"], read_only, idempotent)]
    async fn list(
        &self,
        /// Only users with this role.
        role: Option<Role>,
        /// Continue after this id: the `next` of the page before.
        after: Option<u32>,
        /// Users on a page; 20 when left out.
        #[schemars(range(min = 1, max = 100))]
        limit: Option<u32>,
    ) -> Result<UserPage>;

    /// Create a user. Fails when the handle or the email address belongs to somebody else.
    ///
    /// @example {"handle": "barbara", "name": "Barbara Liskov", "email": "barbara@example.org", "role": "author", "profile": {"bio": "Keeps her promises to callers."}}
    /// @return The new user, with the id it was given.
    #[endpoint(title = "Create a user", scopes = ["blog:write"], destructive = false)]
    async fn create(&self, req: NewUser) -> Result<User>;

    /// Delete a user for good. What the user wrote stays, under the name it was signed with.
    ///
    /// @param id The user's id, as `Users.List` shows it.
    /// @return The user as it was, for whoever deleted the wrong one.
    #[endpoint(title = "Delete a user", scopes = ["blog:admin"], destructive)]
    async fn delete(&self, id: u32) -> Result<User>;
}

/// A person with an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Unique number, given when the account was made.
    pub id: u32,
    /// Unique short name, as in `@ada`.
    pub handle: String,
    /// Full name, as articles are signed.
    pub name: String,
    /// Where the blog writes to.
    #[schemars(email)]
    pub email: String,
    /// What the user does here.
    pub role: Role,
    /// What the user says of themselves.
    pub profile: Profile,
    /// When the account was made.
    pub joined: Timestamp,
}

/// A user who is not there yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewUser {
    /// Unique short name: lower-case letters, digits and `_`, a letter first.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{1,29}$"))]
    pub handle: String,
    /// Full name, as articles will be signed.
    #[schemars(length(min = 1, max = 80))]
    pub name: String,
    /// Where the blog writes to. No two users share one.
    #[schemars(email)]
    pub email: String,
    /// What the user may do here; a reader when left out.
    #[serde(default)]
    pub role: Role,
    /// What the user says of themselves.
    #[serde(default)]
    pub profile: Profile,
}

/// What a user says of themselves. All of it may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// A sentence or two.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 280))]
    pub bio: Option<String>,
    /// A page of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(url)]
    pub website: Option<String>,
}

/// What a user does here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads and comments.
    #[default]
    Reader,
    /// Writes articles too.
    Author,
    /// Writes articles, and looks after those of others.
    Editor,
}

/// Some of the users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserPage {
    /// In the order they joined.
    pub users: Vec<User>,
    /// Pass this as `after` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u32>,
}
