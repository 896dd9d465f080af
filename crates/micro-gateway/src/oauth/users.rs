//! Users and their passwords.

use std::{sync::Arc, time::Duration};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use micro_core::Error;
use micro_policy::{
    Digest, Scopes,
    oauth::{Owner, User},
};
use micro_store::Store;
use tokio::sync::Semaphore;

use super::{
    Failure,
    records::{Records, now, random},
};
use crate::identity::check_names;

/// Tries of one account, and of one address, in [`WINDOW`].
const TRIES: (u64, u64) = (20, 100);

/// How long tries are counted.
const WINDOW: Duration = Duration::from_secs(300);

/// Passwords that are looked at at once: each takes 19 MiB and much of a core.
const AT_ONCE: usize = 2;

/// How long a try waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// The users of an embedded authorization server, in the store that it uses. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Users {
    records: Records,
    turns: Arc<Semaphore>,
}

/// A user who is to be added.
#[derive(Clone)]
pub struct NewUser {
    /// The account's name.
    pub name: String,
    /// The password.
    pub password: String,
    /// What the account may do, and let others do.
    pub scopes: Scopes,
    /// The account's roles.
    pub roles: Vec<String>,
    /// The account's tenant.
    pub tenant: Option<String>,
}

impl std::fmt::Debug for NewUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewUser").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Users {
    /// The users in this store.
    pub fn new(store: Store) -> Self {
        Self { records: Records::new(store), turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Adds a user.
    ///
    /// # Errors
    /// When the name or the password cannot be taken, there is a user of that name, or the store fails.
    pub async fn add(&self, new: NewUser) -> micro_core::Result<()> {
        User::check_name(&new.name).map_err(|e| Error::bad_request(e.to_string()))?;
        check_names(new.roles.iter().chain(&new.tenant).map(String::as_str))?;
        User::check_password(&new.password).map_err(|e| Error::bad_request(e.to_string()))?;
        let password = self.hash(new.password).await.map_err(outside)?;
        let user = User {
            name: new.name.as_str().into(),
            id: random::<9>(),
            password,
            scopes: new.scopes,
            roles: new.roles.iter().map(|role| role.as_str().into()).collect(),
            tenant: new.tenant.as_deref().map(Into::into),
            created: now(),
        };
        let added = self.records.create(&key(&new.name), &user, None).await.map_err(outside)?;
        if added { Ok(()) } else { Err(Error::bad_request(format!("there is a user {} already", new.name))) }
    }

    /// Every user, by name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self) -> micro_core::Result<Vec<User>> {
        self.records.all(&key("")).await.map_err(outside)
    }

    /// Removes a user: nobody signs in as them any more, and what was given in their name is revoked. Whether there was one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove(&self, name: &str) -> micro_core::Result<bool> {
        if User::check_name(name).is_err() {
            return Ok(false);
        }
        let Some(user) = self.get(name).await.map_err(outside)? else { return Ok(false) };
        let removed = self.records.delete(&key(name)).await.map_err(outside)?;
        super::revoke(self.records.store(), &user.owner().credential()).await.map_err(outside)?;
        Ok(removed)
    }

    /// The user of this name.
    async fn get(&self, name: &str) -> Result<Option<User>, Failure> {
        Ok(self.records.get(&key(name)).await?.map(|kept| kept.value))
    }

    /// The user who has given something, if it is still there: another one of that name has given nothing.
    pub(super) async fn owner(&self, owner: &Owner) -> Result<Option<User>, Failure> {
        Ok(self.get(&owner.account).await?.filter(|user| user.id == owner.id))
    }

    /// The user of this name, if the password is theirs. Takes as long when there is none of that name.
    pub(super) async fn sign_in(&self, name: &str, password: &str, from: &str) -> Result<Option<User>, Failure> {
        // Counted before it is looked at, so that many at once are no more tries than one after the other.
        let (of_account, of_address) = TRIES;
        self.records.count(&format!("oauth/tries/from/{from}"), of_address, WINDOW).await?;
        self.records.count(&format!("oauth/tries/of/{}", Digest::of(name)), of_account, WINDOW).await?;
        let known = User::check_name(name).is_ok();
        let user = if known { self.get(name).await? } else { None };
        let hash = user.as_ref().map_or(NOBODY, |user| &user.password).to_owned();
        let good = self.verify(password.to_owned(), hash).await?;
        Ok(user.filter(|_| good))
    }

    async fn hash(&self, password: String) -> Result<String, Failure> {
        let hash = move || Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string());
        self.work(hash).await?.map_err(|_| Failure::Internal)
    }

    async fn verify(&self, password: String, hash: String) -> Result<bool, Failure> {
        self.work(move || {
            let hash = PasswordHash::new(&hash).ok();
            hash.is_some_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        })
        .await
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
        let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| Failure::Throttled(PATIENCE.as_secs()))?.map_err(|_| Failure::Internal)?;
        let work = move || {
            let _turn = turn;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| Failure::Internal)
    }
}

/// What stands for the password of somebody who is not there: of the same cost, and nobody's.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bWljcm8tbm9ib2R5LXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn key(name: &str) -> String {
    format!("oauth/user/{name}")
}

fn outside(failure: Failure) -> Error {
    match failure {
        Failure::Throttled(_) => Error::internal("too many passwords are looked at"),
        Failure::Refused(_) | Failure::Internal => Error::internal("the store of users failed; the log says why"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_nobody_costs_as_much_as_somebody() {
        let hash = PasswordHash::new(NOBODY).unwrap();
        let real = Argon2::default().hash_password(b"x").unwrap().to_string();
        let params = |phc: &str| phc.split('$').nth(3).map(str::to_owned);
        assert_eq!(params(&real), params(NOBODY));
        assert!(Argon2::default().verify_password(b"x", &hash).is_err());
    }
}
