//! Credentials in one encrypted file, shared by the processes of one user.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use futures_core::future::BoxFuture;

use super::{CredentialStore, StoreError};
use crate::{KeyRing, auth::secret::Secret};

/// Longest file that is read, in bytes.
const MAX_LEN: u64 = 8 * 1024 * 1024;

/// What the file's seal is for.
const PURPOSE: &str = "mcp-credentials-1";

/// A file that only its keys open (AES-256-GCM) and only its owner may read.
///
/// Every change is written beside the file and moved into place, under a lock that other processes respect, so that
/// nobody ever sees half of it.
///
/// ```
/// use micro_mcp::{Key, KeyRing, auth::{FileStore, OAuth}};
///
/// let keys = KeyRing::from(Key::random()); // yours comes from a keychain, or from `KeyRing::parse`
/// let user = OAuth::for_user("https://mcp.example/mcp").store(FileStore::new("credentials", keys)).build()?;
/// # Ok::<(), micro_mcp::auth::Error>(())
/// ```
#[derive(Clone)]
pub struct FileStore(Arc<Inner>);

struct Inner {
    path: PathBuf,
    keys: KeyRing,
}

type Content = BTreeMap<String, Secret>;

impl FileStore {
    /// The file at this path, opened with these keys; the newest seals what is written. The file is made at the
    /// first save. [`KeyRing::parse`] reads keys from an environment variable or a mounted secret.
    pub fn new(path: impl Into<PathBuf>, keys: impl Into<KeyRing>) -> Self {
        Self(Arc::new(Inner { path: path.into(), keys: keys.into() }))
    }

    async fn change(&self, change: impl FnOnce(&mut Content) -> bool + Send + 'static) -> Result<(), StoreError> {
        let inner = self.0.clone();
        blocking(move || {
            let lock = inner.lock()?;
            let mut content = inner.read()?;
            if change(&mut content) {
                inner.write(&content)?;
            }
            drop(lock);
            Ok(())
        })
        .await
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FileStore").field(&self.0.path).finish()
    }
}

impl CredentialStore for FileStore {
    fn load<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Secret>, StoreError>> {
        Box::pin(async move {
            let inner = self.0.clone();
            let mut content = blocking(move || inner.read()).await?;
            Ok(content.remove(name))
        })
    }

    fn save<'a>(&'a self, name: &'a str, value: Secret) -> BoxFuture<'a, Result<(), StoreError>> {
        let name = name.to_owned();
        Box::pin(self.change(move |content| content.insert(name, value.clone()).as_ref() != Some(&value)))
    }

    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        let name = name.to_owned();
        Box::pin(self.change(move |content| content.remove(&name).is_some()))
    }
}

impl Inner {
    fn folder(&self) -> &Path {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// Held until dropped. Beside the file, because that one is replaced.
    fn lock(&self) -> io::Result<File> {
        fs::create_dir_all(self.folder())?;
        let mut name = self.path.clone().into_os_string();
        name.push(".lock");
        let lock = File::options().create(true).truncate(false).write(true).open(name)?;
        lock.lock()?;
        Ok(lock)
    }

    fn read(&self) -> Result<Content, StoreError> {
        let mut sealed = String::new();
        match File::open(&self.path) {
            Ok(file) => file.take(MAX_LEN).read_to_string(&mut sealed)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Content::new()),
            Err(error) => return Err(error.into()),
        };
        let (_, plain) = self.keys.open(PURPOSE, sealed.trim_end()).ok_or(StoreError::Sealed)?;
        serde_json::from_slice(&plain).map_err(|_| StoreError::Sealed)
    }

    fn write(&self, content: &Content) -> Result<(), StoreError> {
        let plain = serde_json::to_vec(content).map_err(|error| StoreError::Other(error.into()))?;
        // A temporary file of this crate's making is readable by its owner only, and so is what it becomes.
        let mut file = tempfile::Builder::new().prefix(".credentials").tempfile_in(self.folder())?;
        file.write_all(self.keys.seal(PURPOSE, &plain).as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| StoreError::Other(error.into()))?
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use futures_util::future::join_all;

    use super::*;
    use crate::Key;

    #[tokio::test]
    async fn the_file_shows_nothing_and_opens_with_its_key_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/credentials");
        let store = FileStore::new(&path, Key::random());
        store.save("tokens https://as", "a very secret token".into()).await.unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("secret") && !text.contains("https"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!format!("{store:?}").contains("secret"));

        let stranger = FileStore::new(&path, Key::random());
        assert!(matches!(stranger.load("x").await, Err(StoreError::Sealed)));
        assert!(matches!(stranger.save("x", "y".into()).await, Err(StoreError::Sealed)));
        fs::write(&path, text.replacen(|c: char| c.is_ascii_digit(), "x", 1)).unwrap();
        assert!(matches!(store.load("x").await, Err(StoreError::Sealed)));
    }

    #[tokio::test]
    async fn writers_do_not_lose_each_others_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (path, key) = (folder.path().join("credentials"), Key::random());
        let writers = (0..40).map(|i| {
            let store = FileStore::new(&path, key.clone());
            async move { store.save(&format!("name {i}"), format!("{i}").into()).await.unwrap() }
        });
        join_all(writers).await;
        let store = FileStore::new(&path, key.clone());
        for i in 0..40 {
            assert_eq!(store.load(&format!("name {i}")).await.unwrap().unwrap().expose(), i.to_string());
        }
    }
}
