//! The accounts: one table, read and written as the contract says.

use blog_store::{Store, violates_a_constraint};
use blog_users::{NewUser, Profile, Role, User, UserPage, Users};
use micro::prelude::*;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Users on a page when the caller does not say.
const PAGE: u32 = 20;
/// Users on the largest page. The gateway holds agents to the schema; this holds every caller.
const LARGEST_PAGE: u32 = 100;

/// Accounts in a [`Store`].
pub(crate) struct Accounts {
    store: Store,
}

impl Accounts {
    /// Accounts in a database that has this service's tables.
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Users for Accounts {
    async fn get(&self, _cx: &Context, id: u32) -> Result<User> {
        self.store.with(move |db| find(db, id)).await
    }

    async fn list(&self, role: Option<Role>, after: Option<u32>, limit: Option<u32>) -> Result<UserPage> {
        let limit = limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE);
        self.store.with(move |db| page(db, role, after.unwrap_or(0), limit)).await
    }

    async fn create(&self, req: NewUser) -> Result<User> {
        self.store.with(move |db| insert(db, &req)).await
    }

    async fn delete(&self, id: u32) -> Result<User> {
        self.store
            .with(move |db| {
                let user = find(db, id)?;
                db.execute("DELETE FROM users WHERE id = ?1", [id])?;
                Ok(user)
            })
            .await
    }
}

fn find(db: &Connection, id: u32) -> Result<User> {
    let user = db.prepare_cached("SELECT * FROM users WHERE id = ?1")?.query_row([id], user).optional()?;
    user.ok_or_else(|| Error::not_found(format!("there is no user {id}; Users.List shows everyone")))
}

fn page(db: &Connection, role: Option<Role>, after: u32, limit: u32) -> Result<UserPage> {
    let mut select =
        db.prepare_cached("SELECT * FROM users WHERE id > ?1 AND (?2 IS NULL OR role = ?2) ORDER BY id LIMIT ?3")?;
    // One more than asked for: it tells whether there is a next page.
    let found = select.query_map(params![after, role.map(role_name), limit + 1], user)?;
    let mut users = found.collect::<rusqlite::Result<Vec<_>>>()?;
    let more = users.len() > limit as usize;
    users.truncate(limit as usize);
    let next = users.last().filter(|_| more).map(|user| user.id);
    Ok(UserPage { users, next })
}

fn insert(db: &Connection, new: &NewUser) -> Result<User> {
    let NewUser { handle, name, email, role, profile: Profile { bio, website } } = new;
    let mut insert = db.prepare_cached(
        "INSERT INTO users (handle, name, email, role, bio, website) VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING *",
    )?;
    let inserted = insert.query_row(params![handle, name, email, role_name(*role), bio, website], user);
    inserted.map_err(|error| if violates_a_constraint(&error) { taken(db, new) } else { error.into() })
}

/// Says which of the two that must be unique is not.
fn taken(db: &Connection, new: &NewUser) -> Error {
    let owner = |column: &str, value: &str| -> Option<u32> {
        db.query_row(&format!("SELECT id FROM users WHERE {column} = ?1"), [value], |row| row.get(0)).ok()
    };
    if let Some(id) = owner("handle", &new.handle) {
        return Error::conflict(format!("the handle `{}` belongs to user {id}; choose another", new.handle));
    }
    match owner("email", &new.email) {
        Some(id) => Error::conflict(format!("the email address belongs to user {id}, who may be the person you mean")),
        None => Error::conflict("the handle or the email address is taken"),
    }
}

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: row.get("id")?,
        handle: row.get("handle")?,
        name: row.get("name")?,
        email: row.get("email")?,
        role: role(&row.get::<_, String>("role")?),
        profile: Profile { bio: row.get("bio")?, website: row.get("website")? },
        joined: row.get("joined")?,
    })
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Reader => "reader",
        Role::Author => "author",
        Role::Editor => "editor",
    }
}

/// The table holds these three words only.
fn role(name: &str) -> Role {
    match name {
        "editor" => Role::Editor,
        "author" => Role::Author,
        _ => Role::Reader,
    }
}
