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
            let (signer, text) = Signer::generate();
            OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?.write_all(text.as_bytes())?;
            signer
        }
        Err(error) => return Err(error),
    };
    let public = public(path);
    if !public.exists() {
        fs::write(public, signer.public().to_pem())?;
    }
    Ok(signer)
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
