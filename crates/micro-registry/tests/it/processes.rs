//! Two processes on one folder: the second is this test program, started again.

use std::{
    env,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use micro_registry::{Announcement, Event, FileRegistry, Registry, suite};
use tokio::time::Instant;

const FOLDER: &str = "MICRO_TEST_FOLDER";
const TTL: Duration = Duration::from_secs(2);

/// Also the second process of the test below: with a folder in the environment it stays announced
/// until it is killed.
#[tokio::test]
async fn an_announcement_that_is_stopped_leaves_no_entry() {
    let temp = tempfile::tempdir().unwrap();
    let folder = env::var_os(FOLDER);
    let registry = Arc::new(FileRegistry::open(folder.as_deref().unwrap_or(temp.path().as_os_str())).unwrap());
    let announcement = Announcement::start(registry.clone(), suite::instance("users", "2"), TTL).await.unwrap();
    if folder.is_some() {
        std::future::pending::<()>().await;
    }
    announcement.stop().await.unwrap();
    assert_eq!(registry.list().await.unwrap(), []);
}

/// A child that does not outlive its test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_process_is_seen_while_it_lives_and_gone_after_it_was_killed() {
    let temp = tempfile::tempdir().unwrap();
    let registry = FileRegistry::open(temp.path()).unwrap();
    let mut events = registry.watch();
    assert!(matches!(suite::next(&mut events).await, Event::Reset(all) if all.is_empty()));

    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "processes::an_announcement_that_is_stopped_leaves_no_entry"])
        .env(FOLDER, temp.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut child = Killed(child);
    assert!(matches!(suite::next(&mut events).await, Event::Up(up) if up.node.id == "users-2"));
    // The file's time says when the other process wrote it, however long it took to start.
    let written = temp.path().join("users-2.json").metadata().unwrap().modified().unwrap();
    assert!(written.elapsed().unwrap_or_default() < Duration::from_secs(1));

    // It lives for longer than its entry would without a heartbeat.
    tokio::select! {
        event = suite::next(&mut events) => panic!("{event:?}"),
        () = tokio::time::sleep(TTL + Duration::from_secs(1)) => {}
    }

    child.0.kill().unwrap(); // SIGKILL
    let killed = Instant::now();
    assert!(matches!(suite::next(&mut events).await, Event::Down(id) if id == "users-2"));
    assert!(killed.elapsed() < TTL + Duration::from_secs(1), "{:?}", killed.elapsed());
}
