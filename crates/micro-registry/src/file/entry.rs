//! One file of the folder: its name, its content, and how it is written, read and removed.

use std::{
    fs::{self, File, Metadata, Permissions},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use super::place;
use crate::{Error, Instance, Result};

/// Larger files are not read and not written, in bytes.
const LARGEST: u64 = 4 << 20;

/// The longest name that common file systems take, in bytes.
const LONGEST_NAME: usize = 255;

/// Unfinished files begin and end like this, so they are hidden and no entry can be named so.
pub(super) const UNFINISHED: (&str, &str) = (".new-", ".tmp");

/// The content of a file.
#[derive(Serialize, Deserialize)]
struct Content<I> {
    ttl_ms: u64,
    service: I,
}

/// A file that was read.
pub(super) struct Entry {
    pub(super) instance: Instance,
    pub(super) ttl: Duration,
}

/// Tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    inode: u64,
    len: u64,
    pub(super) modified: SystemTime,
}

impl Stamp {
    pub(super) fn of(file: &Metadata) -> io::Result<Self> {
        Ok(Self { inode: file.ino(), len: file.len(), modified: file.modified()? })
    }

    /// How long ago the file was written or touched. A time in the future counts as now.
    pub(super) fn age(&self) -> Duration {
        SystemTime::now().duration_since(self.modified).unwrap_or_default()
    }
}

/// The file of a node id. Different ids have different names, and none leaves its folder. None when
/// the name would be too long.
pub(super) fn file_name(id: &str) -> Option<String> {
    let mut name = String::with_capacity(id.len() + 5);
    for (at, byte) in id.bytes().enumerate() {
        match byte {
            b'.' if at > 0 => name.push('.'),
            b'-' | b'_' => name.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => name.push(char::from(byte)),
            _ => name.push_str(&format!("%{byte:02X}")),
        }
    }
    name.push_str(".json");
    (name.len() <= LONGEST_NAME).then_some(name)
}

/// The content of an instance's file.
pub(super) fn encode(instance: &Instance, ttl: Duration) -> Result<Vec<u8>> {
    let invalid = |reason: String| Error::InvalidRecord { service: instance.name.clone(), reason };
    let ttl_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
    let content = serde_json::to_vec(&Content { ttl_ms, service: instance }).map_err(|e| invalid(e.to_string()))?;
    if content.len() as u64 > LARGEST {
        return Err(invalid(format!("it has {} bytes and {LARGEST} are allowed", content.len())));
    }
    Ok(content)
}

/// Reads a file. In error, what is wrong with it.
pub(super) fn read(path: &Path, name: &str) -> Result<Entry, String> {
    let content = content(path).map_err(|e| e.to_string())?;
    let content: Content<Instance> = serde_json::from_slice(&content).map_err(|e| e.to_string())?;
    let instance = content.service;
    instance.check().map_err(|e| e.to_string())?;
    if file_name(&instance.node.id).as_deref() != Some(name) {
        return Err(format!("it holds the node `{}`, which its name does not say", instance.node.id));
    }
    Ok(Entry { instance, ttl: Duration::from_millis(content.ttl_ms) })
}

fn content(path: &Path) -> io::Result<Vec<u8>> {
    // Asked before it is opened: opening a pipe would wait for its other end.
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a plain file"));
    }
    read_file(&File::open(path)?)
}

fn read_file(file: &File) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut content)?;
    if content.len() as u64 > LARGEST {
        return Err(io::Error::other(format!("it has more than {LARGEST} bytes")));
    }
    Ok(content)
}

/// Writes a file, or only touches it when it says the same already. Not synced to the disk: after a
/// power cut nobody in it is alive.
pub(super) fn put(folder: &Path, name: &str, new: &[u8]) -> io::Result<()> {
    let path = folder.join(name);
    // Held until the new file is in its place, so that `sweep` cannot take away what is fresh.
    let _old = match open_locked(&path)? {
        Some(old) if read_file(&old).is_ok_and(|content| content == new) => {
            // Whoever gave up on this file while we waited for its lock has removed it.
            if old.set_modified(SystemTime::now()).is_ok() && is_at(&old, &path) {
                return Ok(());
            }
            Some(old)
        }
        old => old,
    };
    place::make(folder)?; // somebody may have cleaned up
    let mut file = tempfile::Builder::new()
        .prefix(UNFINISHED.0)
        .suffix(UNFINISHED.1)
        // The folder says who may read; other users' containers may share it.
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(folder)?;
    file.write_all(new)?;
    file.persist(&path)?;
    Ok(())
}

/// Removes a file. One that is not there is no error.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes the file of somebody long dead, unless it is no longer what it was.
pub(super) fn sweep(path: &Path, dead: Stamp) -> io::Result<()> {
    let Ok(file) = File::open(path) else { return Ok(()) };
    if file.try_lock().is_err() || !is_at(&file, path) || Stamp::of(&file.metadata()?)? != dead {
        return Ok(()); // it is being refreshed, or was
    }
    remove(path)
}

/// The plain file at this path, locked against [`sweep`]; none when there is no such thing.
fn open_locked(path: &Path) -> io::Result<Option<File>> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Ok(found) if !found.is_file() => return Ok(None),
        other => other?,
    };
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(file) => {
            // The other side holds the lock for an instant. Where locks are not supported, only the
            // race with a sweeper of the long dead is open, and the next heartbeat repairs it.
            let _ = file.lock();
            Ok(Some(file))
        }
    }
}

/// Whether this open file is still the one at the path.
fn is_at(file: &File, path: &Path) -> bool {
    let same = |file: Metadata, there: Metadata| (file.dev(), file.ino()) == (there.dev(), there.ino());
    file.metadata().is_ok_and(|file| fs::symlink_metadata(path).is_ok_and(|there| same(file, there)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_stay_in_their_folder_and_apart() {
        let check = |id: &str, name: &str| assert_eq!(file_name(id).as_deref(), Some(name));
        check("users-0b1c_2.x", "users-0b1c_2.x.json");
        check("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd.json");
        check(".new-1.tmp", "%2Enew-1.tmp.json");
        check("a%2Fb", "a%252Fb.json");
        check("ü", "%C3%BC.json");
        assert_eq!(file_name(&"x".repeat(251)), None);
    }

    #[test]
    fn a_sweeper_leaves_what_was_touched_in_the_meantime() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        put(folder.path(), "a.json", b"1").unwrap();
        let stamp = || Stamp::of(&fs::metadata(&path).unwrap()).unwrap();
        let old = stamp();

        File::open(&path).unwrap().set_modified(SystemTime::now() + Duration::from_secs(9)).unwrap();
        sweep(&path, old).unwrap();
        assert!(path.exists(), "touched");

        let refreshing = File::open(&path).unwrap();
        refreshing.lock().unwrap();
        sweep(&path, stamp()).unwrap();
        assert!(path.exists(), "about to be touched");

        drop(refreshing);
        sweep(&path, stamp()).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_refresh_only_touches_and_repairs_what_somebody_broke() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let inode = || fs::metadata(&path).unwrap().ino();
        put(folder.path(), "a.json", b"1").unwrap();
        let first = File::open(&path).unwrap();
        first.set_modified(SystemTime::UNIX_EPOCH).unwrap();

        put(folder.path(), "a.json", b"1").unwrap();
        assert_eq!(inode(), first.metadata().unwrap().ino());
        assert!(Stamp::of(&fs::metadata(&path).unwrap()).unwrap().age() < Duration::from_secs(60));

        fs::write(&path, b"").unwrap();
        put(folder.path(), "a.json", b"1").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"1");
        fs::remove_dir_all(folder.path()).unwrap();
        put(folder.path(), "a.json", b"1").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"1");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing unfinished is left");
    }
}
