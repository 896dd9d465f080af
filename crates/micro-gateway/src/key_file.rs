//! Files of keys to sign with.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use micro_policy::{PublicKey, Signer};

/// Reads the key, or makes one, for this user alone. What it is checked with stands beside it in a `.pub` file, which
/// anybody may read.
pub(crate) fn read_or_make(path: &Path) -> io::Result<Signer> {
    let invalid = |error| io::Error::new(ErrorKind::InvalidData, format!("{}: {error}", path.display()));
    let signer = match fs::read_to_string(path) {
        Ok(text) => Signer::from_pem(&text).map_err(invalid)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make(path)?;
            Signer::from_pem(&fs::read_to_string(path)?).map_err(invalid)?
        }
        Err(error) => return Err(error),
    };
    let public = public(path);
    if !public.exists() {
        fs::write(public, signer.public().to_pem())?;
    }
    Ok(signer)
}

/// Makes a key where there is none. It is there whole or not at all, and of several who make one, one does.
fn make(path: &Path) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(format!(".{:x}", fastrand::u64(..)));
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&new)?;
    file.write_all(Signer::generate().1.as_bytes())?;
    let linked = fs::hard_link(&new, path);
    fs::remove_file(new)?;
    match linked {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
}

/// Where the public key of a key stands.
pub(crate) fn public(path: &Path) -> PathBuf {
    path.with_extension("pub")
}

/// Reads a public key, or that of a private one.
pub(crate) fn read_public(path: &Path) -> io::Result<PublicKey> {
    let text = fs::read_to_string(path)?;
    let key = PublicKey::from_pem(&text).or_else(|_| Signer::from_pem(&text).map(|signer| signer.public()));
    key.map_err(|error| io::Error::new(ErrorKind::InvalidData, format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_who_make_a_key_at_once_all_have_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        let made = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| read_or_make(&path).unwrap().public().to_pem())).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(made.iter().all(|key| *key == made[0]), "{made:?}");
        assert_eq!(read_public(&public(&path)).unwrap().to_pem(), made[0]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "the key and its public half");
    }
}
