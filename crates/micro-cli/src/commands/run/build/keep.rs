//! Our own copies of programs: cargo replaces its files while the version before still runs, and that
//! version may have to be started again.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    hash::{DefaultHasher, Hasher},
    io::{self, Read},
    path::{Path, PathBuf},
};

use rustix::process::{Pid, test_kill_process};

use super::Version;
use crate::error::CommandError;

/// The folder below a target folder.
const FOLDER: &str = "micro-run";

/// Copies of this process. They are removed with it.
#[derive(Debug, Default)]
pub(in super::super) struct Keep {
    /// Target folders in which there are some.
    used: std::sync::Mutex<BTreeSet<PathBuf>>,
}

impl Keep {
    /// Keeps a program that cargo has just built.
    pub(super) async fn version(&self, target_dir: &Path, program: &Path) -> Result<Version, CommandError> {
        let folder = target_dir.join(FOLDER);
        if self.lock().insert(folder.clone()) {
            sweep(&folder);
        }
        let (mine, source) = (folder.join(std::process::id().to_string()), program.to_owned());
        let kept = tokio::task::spawn_blocking(move || keep(&mine, &source)).await;
        kept.map_err(io::Error::other)
            .flatten()
            .map_err(|e| CommandError::internal(format!("cannot keep a copy of {}", program.display())).because(e))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<PathBuf>> {
        self.used.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Keep {
    fn drop(&mut self) {
        for folder in self.lock().iter() {
            let _ = fs::remove_dir_all(folder.join(std::process::id().to_string())); // swept by the next one
        }
    }
}

/// `<folder>/<digest>/<name>`: processes keep the name that people look for.
fn keep(folder: &Path, program: &Path) -> io::Result<Version> {
    let digest = digest(program)?;
    let name = program.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let kept = folder.join(format!("{digest:016x}")).join(name);
    if !kept.exists() {
        fs::create_dir_all(kept.parent().unwrap_or(folder))?;
        // The linker makes a new file each time, so the old one stays what it was.
        fs::hard_link(program, &kept).or_else(|_| fs::copy(program, &kept).map(drop))?;
    }
    let inputs = fs::read_to_string(program.with_extension("d")).map(|text| inputs(&text)).unwrap_or_default();
    Ok(Version { program: kept, digest, inputs })
}

fn digest(program: &Path) -> io::Result<u64> {
    let (mut file, mut hasher, mut buffer) = (File::open(program)?, DefaultHasher::new(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            read => hasher.write(&buffer[..read]),
        }
    }
}

/// Removes what processes left behind that were killed.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let owner = entry.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        if owner.is_some_and(|owner| test_kill_process(owner) == Err(rustix::io::Errno::SRCH)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The files named in cargo's note beside a program, a line of make: `program: file file\ with\ space`.
fn inputs(note: &str) -> BTreeSet<PathBuf> {
    let line = note.lines().next().unwrap_or_default();
    let files = line.split_once(": ").map_or("", |(_, files)| files);
    let (mut found, mut file) = (BTreeSet::new(), String::new());
    let mut letters = files.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.peek() == Some(&' ') => file.extend(letters.next()),
            ' ' => {
                found.insert(PathBuf::from(std::mem::take(&mut file)));
            }
            other => file.push(other),
        }
    }
    found.insert(PathBuf::from(file));
    found.remove(Path::new(""));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_beside_a_program_names_its_files() {
        let check = |note: &str, files: &[&str]| assert_eq!(inputs(note), files.iter().map(PathBuf::from).collect());
        check("/t/debug/users: /w/a.rs /w/with\\ space/b.rs\n", &["/w/a.rs", "/w/with space/b.rs"]);
        check("/t/debug/users:\n", &[]);
        check("", &[]);
    }

    #[test]
    fn a_kept_program_outlives_the_next_build() {
        let root = tempfile::tempdir().unwrap();
        let program = root.path().join("users");
        let built = |text: &str| {
            let _ = fs::remove_file(&program); // as linkers do
            fs::write(&program, text).unwrap();
            keep(&root.path().join("kept"), &program).unwrap()
        };
        let (first, second, third) = (built("1"), built("2"), built("1"));
        assert_eq!(first, third);
        assert_ne!(first.digest, second.digest);
        assert_eq!(fs::read_to_string(&first.program).unwrap(), "1");
        assert_eq!(first.program.file_name(), program.file_name());
    }

    #[test]
    fn what_the_dead_left_is_swept() {
        let root = tempfile::tempdir().unwrap();
        let living = root.path().join(std::process::id().to_string());
        let dead = root.path().join(i32::MAX.to_string());
        for folder in [&living, &dead] {
            fs::create_dir(folder).unwrap();
        }
        sweep(root.path());
        assert!(living.exists() && !dead.exists());
    }
}
