//! The file backend, in real time: what others do to the folder.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::{Duration, SystemTime},
};

use micro_registry::{Error, Event, Events, FileRegistry, Instance, Registry, suite};
use tempfile::TempDir;

const LONG: Duration = Duration::from_secs(300);

fn folder() -> (TempDir, FileRegistry) {
    let temp = tempfile::tempdir().unwrap();
    let registry = FileRegistry::open(temp.path().join("registry")).unwrap();
    (temp, registry)
}

/// Watches, and takes the first `Reset`.
async fn begin(registry: &FileRegistry) -> Events {
    let mut events = registry.watch();
    assert!(matches!(suite::next(&mut events).await, Event::Reset(_)));
    events
}

fn text(ttl: Duration, instance: &Instance) -> String {
    serde_json::json!({"ttl_ms": ttl.as_millis() as u64, "service": instance}).to_string()
}

/// Makes a file look as if its heartbeat was so long ago.
fn backdate(path: &Path, age: Duration) {
    File::open(path).unwrap().set_modified(SystemTime::now() - age).unwrap();
}

#[tokio::test]
async fn the_file_registry_passes_the_suite() {
    let temp = tempfile::tempdir().unwrap();
    let made = AtomicU32::new(0);
    suite::run(async || {
        let own = temp.path().join(made.fetch_add(1, SeqCst).to_string());
        Arc::new(FileRegistry::open(own).unwrap()) as Arc<dyn Registry>
    })
    .await;
}

#[tokio::test]
async fn the_folder_is_made_for_this_user_alone() {
    let (_temp, registry) = folder();
    assert_eq!(fs::metadata(registry.folder()).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn a_file_that_anybody_wrote_is_an_entry() {
    let (_temp, registry) = folder();
    let mut events = begin(&registry).await;
    let instance = suite::instance("users", "1");
    fs::write(registry.folder().join("users-1.json"), text(LONG, &instance)).unwrap();
    assert!(matches!(suite::next(&mut events).await, Event::Up(up) if *up == instance));
    fs::remove_file(registry.folder().join("users-1.json")).unwrap();
    assert!(matches!(suite::next(&mut events).await, Event::Down(id) if id == "users-1"));
}

#[tokio::test]
async fn a_rescan_sees_what_was_not_reported_and_a_report_needs_no_rescan() {
    // Touches are not reported, and this one brings an expired entry back.
    let (_temp, registry) = folder();
    let instance = suite::instance("users", "1");
    let path = registry.folder().join("users-1.json");
    fs::write(&path, text(LONG, &instance)).unwrap();
    backdate(&path, LONG * 2);
    let mut events = begin(&registry).await;
    backdate(&path, Duration::ZERO);
    assert!(matches!(suite::next(&mut events).await, Event::Up(up) if *up == instance));

    // With no rescan in sight, only the report can tell.
    let slow = registry.clone().with_rescan(LONG);
    let mut events = begin(&slow).await;
    slow.deregister(&instance).await.unwrap();
    assert!(matches!(suite::next(&mut events).await, Event::Down(id) if id == "users-1"));
}

#[tokio::test]
async fn a_broken_file_is_reported_once_and_harms_nobody() {
    let (_temp, registry) = folder();
    let good = suite::instance("good", "1");
    registry.register(&good, LONG).await.unwrap();
    let mut events = begin(&registry).await;
    let whole = text(LONG, &suite::instance("users", "1"));
    let outside = text(LONG, &Instance { name: "../evil".into(), ..suite::instance("users", "1") });
    let broken = [
        ("half.json", &whole[..whole.len() / 2]),
        ("empty.json", ""),
        ("deep.json", &"[".repeat(100_000)),
        ("huge.json", &" ".repeat((4 << 20) + 1)),
        ("other.json", whole.as_str()), // its name says another node
        ("users-1.json", outside.as_str()),
    ];
    for (name, content) in broken {
        fs::write(registry.folder().join(name), content).unwrap();
    }
    fs::create_dir(registry.folder().join("folder.json")).unwrap();
    let mut reported: Vec<String> = vec![];
    while reported.len() <= broken.len() {
        match suite::next(&mut events).await {
            Event::Ignored(reason) => reported.push(reason),
            other => panic!("{other:?}"),
        }
    }
    for (name, _) in broken {
        assert_eq!(reported.iter().filter(|r| r.contains(name)).count(), 1, "{name}: {reported:?}");
    }
    assert_eq!(registry.list().await.unwrap(), [Arc::new(good)]);

    // Whole at last: the next thing heard is that it is up.
    fs::write(registry.folder().join("users-1.json"), whole).unwrap();
    assert!(matches!(suite::next(&mut events).await, Event::Up(up) if up.name == "users"));
}

#[tokio::test]
async fn an_entry_that_somebody_broke_stays_until_it_expires() {
    let (_temp, registry) = folder();
    let instance = suite::instance("users", "1");
    registry.register(&instance, Duration::from_secs(2)).await.unwrap();
    let mut events = begin(&registry).await;
    fs::write(registry.folder().join("users-1.json"), "{").unwrap();
    assert!(matches!(suite::next(&mut events).await, Event::Ignored(_)));
    assert!(matches!(suite::next(&mut events).await, Event::Down(id) if id == "users-1"));
}

#[tokio::test]
async fn a_folder_out_of_reach_is_a_problem_and_forgets_nobody() {
    let (temp, registry) = folder();
    let instance = suite::instance("users", "1");
    registry.register(&instance, LONG).await.unwrap();
    let mut events = begin(&registry).await;
    let away = temp.path().join("away");
    fs::rename(registry.folder(), &away).unwrap();

    assert!(matches!(suite::next(&mut events).await, Event::Problem(_)));
    let refused = registry.list().await;
    assert!(matches!(refused, Err(Error::Unavailable { .. })), "{refused:?}");
    let mut late = registry.watch();
    assert!(matches!(suite::next(&mut late).await, Event::Problem(_)), "nobody may look like nobody is there");

    fs::rename(&away, registry.folder()).unwrap();
    for events in [&mut events, &mut late] {
        assert!(matches!(suite::next(events).await, Event::Reset(all) if all == [Arc::new(instance.clone())]));
    }
}

#[tokio::test]
async fn a_folder_that_was_cleaned_away_is_made_again_and_watched_again() {
    let (_temp, registry) = folder();
    let slow = registry.clone().with_rescan(Duration::from_millis(50));
    let mut events = begin(&slow).await;
    fs::remove_dir(registry.folder()).unwrap();
    assert!(matches!(suite::next(&mut events).await, Event::Problem(_)));
    let instance = suite::instance("users", "1");
    registry.register(&instance, LONG).await.unwrap();
    let mut all = vec![];
    while all.is_empty() {
        match suite::next(&mut events).await {
            Event::Reset(some) => all = some, // empty when the look came between folder and file
            Event::Up(up) => all.push(up),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(all, [Arc::new(instance)]);
}

#[tokio::test]
async fn files_of_the_long_dead_are_removed() {
    let (_temp, registry) = folder();
    let registry = registry.with_rescan(Duration::from_millis(20));
    let dead = suite::instance("users", "1");
    registry.register(&dead, Duration::from_millis(50)).await.unwrap();
    let unfinished = registry.folder().join(".new-1.tmp");
    fs::write(&unfinished, "{").unwrap();
    backdate(&unfinished, LONG);

    let mut events = begin(&registry).await;
    let gone = async {
        while fs::read_dir(registry.folder()).unwrap().count() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let watching = async { while let Event::Up(_) | Event::Down(_) = suite::next(&mut events).await {} };
    tokio::select! {
        () = gone => {}
        () = watching => panic!("a dead node is no problem"),
    }
}
