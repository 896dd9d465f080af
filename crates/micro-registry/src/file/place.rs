//! Where the folder is when nobody says, and how it is made.

use std::{
    env, fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

/// Makes a folder and those above it for this user only, unless it is there already.
pub(super) fn make(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// The folder for registries of this user. In error, also the path that is wrong.
pub(super) fn default() -> Result<PathBuf, (PathBuf, io::Error)> {
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    choose(runtime, &env::temp_dir(), rustix::process::getuid().as_raw())
}

fn choose(runtime: Option<PathBuf>, temp: &Path, uid: u32) -> Result<PathBuf, (PathBuf, io::Error)> {
    // The XDG base directory specification: relative paths are invalid.
    if let Some(runtime) = runtime.filter(|path| path.is_absolute() && path.is_dir()) {
        return Ok(runtime.join("micro/registry"));
    }
    let own = temp.join(format!("micro-{uid}"));
    match make(&own).and_then(|()| check_owner(&own, uid)) {
        Ok(()) => Ok(own.join("registry")),
        Err(error) => Err((own, error)),
    }
}

/// Everybody may write to the temporary folder: what somebody else put there first would decide
/// which services we call.
fn check_owner(folder: &Path, uid: u32) -> io::Result<()> {
    let found = fs::symlink_metadata(folder)?;
    if !found.is_dir() || found.uid() != uid || found.mode() & 0o022 != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is not a folder of this user alone"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn the_runtime_folder_comes_first_and_the_temporary_one_is_for_this_user_alone() {
        let temp = tempfile::tempdir().unwrap();
        let uid = rustix::process::getuid().as_raw();
        let here = temp.path().to_owned();
        assert_eq!(choose(Some(here.clone()), &here, uid).unwrap(), here.join("micro/registry"));
        for unusable in [None, Some(PathBuf::from("relative")), Some(here.join("missing"))] {
            let chosen = choose(unusable, &here, uid).unwrap();
            assert_eq!(chosen, here.join(format!("micro-{uid}/registry")));
            let mode = fs::metadata(chosen.parent().unwrap()).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
    }

    #[test]
    fn a_folder_that_others_prepared_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let uid = rustix::process::getuid().as_raw();
        let own = temp.path().join(format!("micro-{uid}"));
        let refused = || choose(None, temp.path(), uid).unwrap_err().1.kind() == io::ErrorKind::PermissionDenied;

        symlink(temp.path(), &own).unwrap();
        assert!(refused(), "a link");
        fs::remove_file(&own).unwrap();
        fs::create_dir(&own).unwrap();
        fs::set_permissions(&own, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(refused(), "writable by everybody");
        fs::set_permissions(&own, fs::Permissions::from_mode(0o700)).unwrap();
        assert!(check_owner(&own, uid + 1).is_err(), "another user's");
        assert!(choose(None, temp.path(), uid).is_ok());
    }
}
