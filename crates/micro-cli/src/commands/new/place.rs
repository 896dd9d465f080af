//! Where a new package goes, and what lies around it.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use crate::error::{CommandError, Kind};

/// Refuses a folder that holds something already: nothing of anyone's is ever overwritten.
pub(super) fn check_empty(folder: &Path) -> Result<(), CommandError> {
    match fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(CommandError::new(Kind::Invalid, format!("cannot use {}", folder.display())).because(error)),
        Ok(true) => Ok(()),
        Ok(false) => Err(CommandError::invalid(format!("the folder {} is not empty", folder.display()))
            .hint("choose another name, or another folder with --path")),
    }
}

/// Where `micro-rs` comes from: the framework this command was built from, as long as its source is
/// there, else the published one of the same version.
pub(super) fn dependency() -> String {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../micro");
    match source.canonicalize() {
        Ok(source) if source.join("Cargo.toml").is_file() => {
            // A basic TOML string: only these two need an escape in a path people use.
            let path = source.display().to_string().replace('\\', "\\\\").replace('"', "\\\"");
            format!("path = \"{path}\"")
        }
        _ => format!("version = \"{}\"", env!("CARGO_PKG_VERSION")),
    }
}

/// The versions that the framework beside this command was tested with, for a package that uses it: its
/// first build then chooses none and, where they are on the machine already, needs no network. Cargo drops
/// what the package does not use. The published framework has none to give.
pub(super) fn lock() -> Option<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(source.join("Cargo.lock")).ok()
}

/// What cargo takes a package in some folder for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// No workspace around it, or one that excludes it.
    Alone,
    /// A member of the workspace around it.
    Member,
    /// A lost member: the nearest workspace above neither lists nor excludes it.
    Stranger,
}

pub(super) fn standing(folder: &Path) -> Standing {
    for above in folder.ancestors().skip(1) {
        let Ok(text) = fs::read_to_string(above.join("Cargo.toml")) else { continue };
        let Ok(manifest) = text.parse::<toml::Table>() else { continue };
        let Some(workspace) = manifest.get("workspace") else { continue };
        let Ok(inside) = folder.strip_prefix(above) else { return Standing::Alone };
        let lists = |key: &str| {
            let patterns = workspace.get(key).and_then(toml::Value::as_array).into_iter().flatten();
            patterns.filter_map(toml::Value::as_str).any(|pattern| matches(Path::new(pattern), inside))
        };
        return match (lists("exclude"), lists("members")) {
            (true, _) => Standing::Alone,
            (false, true) => Standing::Member,
            (false, false) => Standing::Stranger,
        };
    }
    Standing::Alone
}

/// A pattern of workspace members, as far as people use it: `*` within one part of a path.
fn matches(pattern: &Path, path: &Path) -> bool {
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.components().collect(), path.components().collect());
    pattern.len() == path.len()
        && pattern.iter().zip(&path).all(|(pattern, part)| {
            let (pattern, part) = (pattern.as_os_str().to_string_lossy(), part.as_os_str().to_string_lossy());
            match pattern.split_once('*') {
                None => pattern == part,
                Some((head, tail)) => {
                    part.len() >= head.len() + tail.len() && part.starts_with(head) && part.ends_with(tail)
                }
            }
        })
}

/// A folder as people would type it from here.
pub(super) fn shown(folder: &Path) -> String {
    let here = env::current_dir().and_then(|here| here.canonicalize());
    let near = here.ok().and_then(|here| folder.strip_prefix(here).ok().map(PathBuf::from));
    match near {
        Some(near) if near.as_os_str().is_empty() => ".".to_owned(),
        Some(near) => near.display().to_string(),
        None => folder.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(workspace: &str, package: &str, expected: Standing) {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("Cargo.toml"), workspace).unwrap();
        let folder = root.path().join(package);
        fs::create_dir_all(&folder).unwrap();
        assert_eq!(standing(&folder), expected);
    }

    #[test]
    fn a_package_in_a_foreign_workspace_stands_alone() {
        check("[workspace]\nmembers = [\"crates/*\"]\n", "hello", Standing::Stranger);
        check("[workspace]\nmembers = [\"crates/*\"]\n", "crates/deep/hello", Standing::Stranger);
        check("[package]\nname = \"x\"\n[workspace]\n", "hello", Standing::Stranger);
    }

    #[test]
    fn a_package_that_its_workspace_takes_in_or_leaves_out_needs_nothing() {
        check("[workspace]\nmembers = [\"crates/*\"]\n", "crates/hello", Standing::Member);
        check("[workspace]\nmembers = [\"hello\"]\n", "hello", Standing::Member);
        check("[workspace]\nexclude = [\"scratch-*\"]\n", "scratch-hello", Standing::Alone);
        check("[package]\nname = \"no-workspace\"\n", "hello", Standing::Alone);
    }

    #[test]
    fn only_an_empty_folder_is_used() {
        let root = tempfile::tempdir().unwrap();
        check_empty(&root.path().join("new")).unwrap();
        check_empty(root.path()).unwrap();
        fs::write(root.path().join("mine"), "").unwrap();
        assert_eq!(check_empty(root.path()).unwrap_err().kind, Kind::Invalid);
    }
}
