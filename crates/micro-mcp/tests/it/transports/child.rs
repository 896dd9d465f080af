//! Child processes and everything they start end with their pipe.

use std::{sync::Arc, time::Duration};

use micro_mcp::transport::{Pipe, child};
use parking_lot::Mutex;
use tokio::{process::Command, time::interval};

type Lines = Arc<Mutex<Vec<String>>>;

/// Runs a script as a server; what it writes to its standard error, and its pipe.
fn start(script: &str) -> (Pipe, Lines) {
    let lines = Lines::default();
    let told = lines.clone();
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    let pipe = child::spawn(command, Some(Arc::new(move |line: &str| told.lock().push(line.to_owned()))));
    (pipe.unwrap(), lines)
}

/// Waits until it is so.
async fn until(so: impl Fn() -> bool) {
    let look = async {
        let mut often = interval(Duration::from_millis(10));
        while !so() {
            often.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), look).await.expect("it comes to that");
}

/// Whether a process is there and no zombie.
fn lives(pid: &str) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}

#[tokio::test]
async fn a_child_that_ends_with_its_input_is_not_asked_to() {
    let (pipe, lines) = start("trap 'echo asked >&2' TERM; cat; echo bye >&2");
    drop(pipe);
    until(|| !lines.lock().is_empty()).await;
    assert_eq!(*lines.lock(), ["bye"]);
}

#[tokio::test]
async fn a_child_that_stays_is_asked_and_then_killed_with_all_it_started() {
    // One that listens when it is asked, and one that does not; each with a child of its own that does not.
    let deaf = "sh -c 'trap \"\" TERM; while :; do sleep 1; done' & echo $! >&2";
    let willing = start(&format!("trap 'echo asked >&2; exit' TERM; {deaf}; while :; do sleep 0.1; done"));
    let stubborn = start(&format!("trap 'echo asked >&2' TERM; {deaf}; while :; do sleep 0.1; done"));
    for (_, lines) in [&willing, &stubborn] {
        until(|| !lines.lock().is_empty()).await;
        assert!(lives(&lines.lock()[0]));
    }
    let told = [willing.1, stubborn.1];
    drop((willing.0, stubborn.0));
    for lines in told {
        let pid = lines.lock()[0].clone();
        until(|| !lives(&pid)).await;
        assert!(lines.lock().iter().any(|line| line == "asked"), "{:?}", lines.lock());
    }
}

#[tokio::test]
async fn a_child_that_dies_takes_its_group_with_it() {
    let (_pipe, lines) = start("sleep 1000 & echo $! >&2; exit 3");
    until(|| !lines.lock().is_empty()).await;
    let pid = lines.lock()[0].clone();
    until(|| !lives(&pid)).await;
}
