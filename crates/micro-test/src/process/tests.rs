//! Processes are heard, and none is left behind.

use std::path::Path;

use super::*;

const SOON: Duration = Duration::from_secs(20);

fn shell(script: &str) -> Process {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    Process::start("shell", command).expect("sh starts")
}

#[test]
fn a_line_is_found_whenever_it_comes() {
    let mut process = shell("echo one; read word; echo got $word; echo two >&2; read rest");
    assert_eq!(process.wait_for_line("on", SOON).unwrap(), "one");
    let mark = process.mark();
    process.write_line("hello").unwrap();
    assert_eq!(process.wait_for_line_after(mark, "got", SOON).unwrap(), "got hello");
    process.wait_for_line("two", SOON).unwrap();
    process.wait_for_line("one", SOON).unwrap();
    assert_eq!(process.stdout(), "one\ngot hello\n");
    assert_eq!(process.stderr(), "two\n");
}

#[test]
fn a_server_says_where_it_listens() {
    let process = shell("echo building >&2; echo 'ready (http://127.0.0.1:4000/mcp) in 3 ms' >&2; read word");
    assert_eq!(process.wait_for_url(SOON).unwrap(), "http://127.0.0.1:4000/mcp");
}

#[test]
fn waiting_for_a_line_ends_with_the_process() {
    let process = shell("echo last words; exit 3");
    let error = process.wait_for_line("never said", Duration::from_secs(600)).unwrap_err();
    assert!(format!("{error:#}").contains("last words"), "{error:#}");
}

#[test]
fn a_mark_hides_what_was_said_before_it() {
    let mut process = shell("echo again; read word; echo again; read word");
    process.wait_for_line("again", SOON).unwrap();
    let mark = process.mark();
    assert!(process.wait_for_line_after(mark, "again", Duration::from_millis(1)).is_err());
    process.write_line("go").unwrap();
    process.wait_for_line_after(mark, "again", SOON).unwrap();
}

#[test]
fn exit_statuses_are_told() {
    assert_eq!(shell("exit 7").wait(SOON).unwrap().code(), Some(7));
    assert_eq!(shell("trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done").terminated(), Some(5));
}

#[test]
fn a_kill_reaches_the_whole_group() {
    let mut process = shell("sleep 600 & echo child $!; wait");
    let line = process.wait_for_line("child", SOON).unwrap();
    let child = line.trim_start_matches("child ").to_owned();
    assert!(lives(&child));
    process.kill().unwrap();
    // Killed with its parent; a system process collects it in its own time.
    let end = Instant::now() + SOON;
    while lives(&child) {
        assert!(Instant::now() < end, "the grandchild {child} survived");
        thread::yield_now();
    }
}

impl Process {
    fn terminated(mut self) -> Option<i32> {
        self.wait_for_line("ready", SOON).unwrap();
        self.terminate(SOON).unwrap().code()
    }
}

/// Whether a process is there and no zombie.
fn lives(pid: &str) -> bool {
    fs::read_to_string(Path::new("/proc").join(pid).join("stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')))
}
