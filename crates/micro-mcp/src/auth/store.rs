//! Where registrations and tokens are kept.

mod file;

use std::collections::HashMap;

use futures_core::future::BoxFuture;
use parking_lot::Mutex;

pub use self::file::FileStore;
use super::secret::Secret;

/// Keeps texts under names. What OAuth keeps there is bound to the issuer that gave it: the issuer is part of the name.
pub trait CredentialStore: Send + Sync + 'static {
    /// What was kept under this name last.
    fn load<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Secret>, StoreError>>;

    /// Keeps a text under a name; what was there is forgotten.
    fn save<'a>(&'a self, name: &'a str, value: Secret) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Forgets what is kept under a name. Nothing being there is no error.
    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), StoreError>>;
}

/// A store cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file system, or whatever is below, failed.
    #[error("the credential file cannot be read or written")]
    Io(#[from] std::io::Error),
    /// The content does not open with these keys, or was changed by somebody else.
    #[error("the credential file does not open with these keys")]
    Sealed,
    /// Any other store's failure.
    #[error("the credential store failed")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Forgets everything with the process.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<HashMap<String, Secret>>);

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

impl CredentialStore for MemoryStore {
    fn load<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Secret>, StoreError>> {
        Box::pin(async move { Ok(self.0.lock().get(name).cloned()) })
    }

    fn save<'a>(&'a self, name: &'a str, value: Secret) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.0.lock().insert(name.to_owned(), value);
            Ok(())
        })
    }

    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.0.lock().remove(name);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;

    /// What every store does.
    async fn check(store: &dyn CredentialStore) {
        assert!(store.load("a").await.unwrap().is_none());
        store.save("a", "one".into()).await.unwrap();
        store.save("b", "two".into()).await.unwrap();
        store.save("a", "three".into()).await.unwrap();
        assert_eq!(store.load("a").await.unwrap().unwrap().expose(), "three");
        assert_eq!(store.load("b").await.unwrap().unwrap().expose(), "two");
        store.remove("a").await.unwrap();
        store.remove("a").await.unwrap();
        assert!(store.load("a").await.unwrap().is_none());
        assert_eq!(store.load("b").await.unwrap().unwrap().expose(), "two");
    }

    #[tokio::test]
    async fn memory_keeps_what_it_is_given() {
        check(&MemoryStore::new()).await;
    }

    #[tokio::test]
    async fn a_file_keeps_what_it_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let (path, key) = (folder.path().join("credentials"), Key::random());
        check(&FileStore::new(&path, key.clone())).await;
        let again = FileStore::new(&path, key.clone());
        assert_eq!(again.load("b").await.unwrap().unwrap().expose(), "two");
    }
}
