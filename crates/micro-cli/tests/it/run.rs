//! `micro run` with services that are shell scripts: the command has to care for any program that joins the
//! registry. Services in Rust are tried by the whole-system tests.

use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    time::{Duration, Instant},
};

use micro_test::{Home, Process};
use rustix::process::{Pid, Signal, kill_process};

use crate::vocabulary::micro;

const PATIENCE: Duration = Duration::from_secs(30);

/// Joins the registry as `$1`, says so, and leaves when it is told to. What stands in its file `mood` is
/// done first.
const SCRIPT: &str = r#"
[ -f mood ] && . ./mood
folder=${MICRO_REGISTRY#file://} id=$1-$MICRO_NODE_ID
endpoint='{"name":"Say.Hello","metadata":{"description":"Say hello","example":"{}","read_only":"true"}}'
node="{\"id\":\"$id\",\"address\":\"127.0.0.1:9\"}"
echo "{\"ttl_ms\":600000,\"service\":{\"name\":\"$1\",\"version\":\"1\",\"endpoints\":[$endpoint],\"nodes\":[$node]}}" > "$folder/.new-$id.tmp"
leave='kill $!; rm -f "$folder/$id.json"; echo "bye from $$"; exit 0'
trap "${LEAVE-$leave}" TERM
echo "$1 is ready as $$"
mv "$folder/.new-$id.tmp" "$folder/$id.json"
while :; do sleep 600 & wait; done
"#;

/// A home with script services: their names and what their entries in micro.toml say besides.
fn home(services: &[(&str, &str)]) -> Home {
    let home = Home::new().unwrap();
    let mut manifest = String::new();
    for (name, more) in services {
        fs::create_dir(home.path().join(name)).unwrap();
        fs::write(home.path().join(name).join("service.sh"), SCRIPT).unwrap();
        manifest +=
            &format!("[services.{name}]\npath = \"{name}\"\ncommand = [\"sh\", \"service.sh\", \"{name}\"]\n{more}\n");
    }
    fs::write(home.path().join("micro.toml"), manifest).unwrap();
    home
}

/// Starts `micro run` in a home, on a free port, and waits for the banner.
fn run(home: &Home, args: &[&str]) -> Process {
    let mut command = home.command(env!("CARGO_BIN_EXE_micro"));
    command.args(["run", "--address", "127.0.0.1:0"]).args(args);
    let process = Process::start("micro-run", command).unwrap();
    process.wait_for_line("Ctrl-C stops everything", PATIENCE).unwrap();
    process
}

/// The entries of a service in the home's registry.
fn entries(home: &Home, service: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(home.registry_dir()).unwrap().map(|entry| entry.unwrap().path());
    let is_of =
        |path: &PathBuf| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(&format!("{service}-")));
    files.filter(is_of).collect()
}

/// The process number in the newest line of a service.
fn pid_in(line: &str) -> Pid {
    Pid::from_raw(line.rsplit(' ').next().unwrap().parse().unwrap()).unwrap()
}

#[test]
fn services_start_in_order_and_stop_in_reverse() {
    let home = home(&[("a", "depends = [\"b\"]"), ("b", "")]);
    let mut process = run(&home, &[]);
    let ready = |name: &str| process.wait_for_line(&format!("{name} is ready as"), PATIENCE).unwrap();
    let (a, b) = (pid_in(&ready("a")), pid_in(&ready("b")));
    let out = process.stdout();
    assert!(out.find("b is ready") < out.find("a is ready"), "{out}");
    assert!(out.contains("a     │ a is ready as "), "lines carry the name: {out}");

    let banner = process.stderr();
    for part in ["/mcp\n", "/api/{service}/{Type.Method}", "● a  1 tool", "● b  1 tool", "micro mcp test ", "-d '{}'"]
    {
        assert!(banner.contains(part), "{part} is not in {banner}");
    }

    assert!(process.terminate(PATIENCE).unwrap().success());
    let out = process.stdout();
    let bye = |pid: Pid| out.find(&format!("bye from {}", pid.as_raw_nonzero())).expect("each says good-bye");
    assert!(bye(a) < bye(b), "{out}");
    assert!(entries(&home, "").is_empty());
}

#[test]
fn a_service_that_is_killed_leaves_the_registry_and_comes_back() {
    let home = home(&[("a", "")]);
    let process = run(&home, &["--no-watch"]);
    let before = entries(&home, "a");
    let (mark, line) = (process.mark(), process.wait_for_line("a is ready as", PATIENCE).unwrap());
    kill_process(pid_in(&line), Signal::KILL).unwrap();
    process
        .wait_for_line_after(mark, "a has ended (signal: 9 (SIGKILL)); starting it again in 100ms", PATIENCE)
        .unwrap();
    process.wait_for_line_after(mark, "a is up at", PATIENCE).unwrap();
    // Its entry would have lived ten minutes more.
    let after = entries(&home, "a");
    assert!(after.len() == 1 && after != before, "{before:?} {after:?}");
}

#[test]
fn a_change_brings_a_new_version_before_the_old_one_leaves() {
    let home = home(&[("a", ""), ("b", "")]);
    let process = run(&home, &[]);
    let mark = process.mark();
    fs::write(home.path().join("a/mood"), "echo another mood\n").unwrap();
    process.wait_for_line_after(mark, "a has a new version", PATIENCE).unwrap();
    process.wait_for_line_after(mark, "bye from", PATIENCE).unwrap();
    let out = process.stdout();
    let mood = out.find("another mood").expect("the new version has run");
    assert!(out[mood..].find("a is ready").unwrap() < out[mood..].find("bye from").unwrap(), "{out}");
    assert_eq!(out.matches("b is ready").count(), 1, "what did not change stays: {out}");
}

#[test]
fn what_is_edited_during_the_first_build_is_built_next() {
    let home = Home::new().unwrap();
    let package = home.path().join("slow");
    fs::create_dir_all(package.join("src")).unwrap();
    fs::write(package.join("Cargo.toml"), "[package]\nname = \"slow\"\nedition = \"2024\"\n[workspace]\n").unwrap();
    fs::write(package.join("micro.toml"), "[services.slow]\n").unwrap();
    fs::write(package.join("src/main.rs"), "fn main() { std::process::exit(7) }").unwrap();
    // The build holds until the edit was made.
    let build = "fn main() { std::fs::write(\"building\", \"\").unwrap(); while !std::path::Path::new(\"edited\").exists() { std::thread::yield_now(); } }";
    fs::write(package.join("build.rs"), build).unwrap();

    let mut command = home.command(env!("CARGO_BIN_EXE_micro"));
    command.args(["run", "slow", "--address", "127.0.0.1:0"]);
    let process = Process::start("micro-run", command).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while !package.join("building").exists() {
        assert!(Instant::now() < deadline, "{}", process.last_lines(20));
        std::thread::yield_now();
    }
    fs::write(package.join("src/extra.rs"), "").unwrap();
    fs::write(package.join("edited"), "").unwrap();
    process.wait_for_line("exit status: 7", PATIENCE).unwrap();
    process.wait_for_line("nothing has changed in the programs", PATIENCE).unwrap();
}

#[test]
fn a_new_version_that_fails_leaves_the_old_one_running() {
    let home = home(&[("a", "")]);
    let process = run(&home, &[]);
    let (mark, before) = (process.mark(), entries(&home, "a"));
    fs::write(home.path().join("a/mood"), "exit 3\n").unwrap();
    let kept = "the new version of a has ended (exit status: 3), keeping previous version running";
    process.wait_for_line_after(mark, kept, PATIENCE).unwrap();
    assert_eq!(entries(&home, "a"), before);
    assert!(!process.stdout().contains("bye"));
}

#[test]
fn a_second_signal_does_not_wait_for_a_service_that_will_not_leave() {
    let home = home(&[("a", "")]);
    fs::write(home.path().join("a/mood"), "LEAVE=''\n").unwrap();
    let mut process = run(&home, &[]);
    let line = process.wait_for_line("a is ready as", PATIENCE).unwrap();
    process.signal(Signal::INT).unwrap();
    process.wait_for_line("Ctrl-C again", PATIENCE).unwrap();
    process.signal(Signal::INT).unwrap();
    // Alone it would be waited for ten seconds.
    assert!(process.wait(Duration::from_secs(5)).unwrap().success());
    assert!(rustix::process::test_kill_process(pid_in(&line)).is_err());
}

#[test]
fn services_do_not_outlive_a_run_that_was_killed() {
    let home = home(&[("a", "")]);
    let process = run(&home, &["--no-watch"]);
    process.wait_for_line("a is ready as", PATIENCE).unwrap();
    assert_eq!(entries(&home, "a").len(), 1);
    let deadline = Instant::now() + PATIENCE;
    // The command alone, not its group, as the system does when memory runs out.
    kill_process(Pid::from_raw(process.id().try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
    while !entries(&home, "a").is_empty() {
        assert!(Instant::now() < deadline, "the service has not left the registry");
        std::thread::yield_now();
    }
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let home = Home::new().unwrap();
    fs::write(home.path().join("micro.toml"), "[services.a]\ncommand = [\"no-such-program\"]\n").unwrap();
    let mut command = home.command(env!("CARGO_BIN_EXE_micro"));
    command.args(["run", "--address", "127.0.0.1:0"]);
    let process = Process::start("micro-run", command).unwrap();
    process.wait_for_line("cannot start no-such-program", PATIENCE).unwrap();
    process.wait_for_line("○ a  not up yet", PATIENCE).unwrap();
}

#[test]
fn variables_reach_services() {
    let home = home(&[("a", "env = { LEFT = \"file\", RIGHT = \"file\" }")]);
    fs::write(home.path().join("a/mood"), "echo \"$LEFT $RIGHT $MICRO_ADDRESS\"\n").unwrap();
    let process = run(&home, &["--env", "RIGHT=flag"]);
    process.wait_for_line("file flag 127.0.0.1:0", PATIENCE).unwrap();
}

#[test]
fn what_cannot_run_is_told_by_kind() {
    let home = home(&[("a", "")]);
    #[track_caller]
    fn check(home: &Home, args: &[&str], code: i32, parts: &[&str]) {
        let output = micro(home, args);
        assert_eq!(output.failure(), code, "{}", output.stderr);
        for part in parts {
            assert!(output.stderr.contains(part), "{part} is not in {}", output.stderr);
        }
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    check(&home, &["run", "--address", &address], 4, &[&address, "--address 127.0.0.1:0"]);
    check(&home, &["run", "--registry", "memory"], 2, &["cannot be shared", "hint: "]);
    check(&home, &["run", "--env", "novalue"], 2, &["KEY=VALUE"]);
    check(&home, &["run", "nowhere"], 3, &["no folder nowhere"]);
    check(&home, &["run", "a"], 3, &["no service in", "micro new hello"]);

    let broken = home.path().join("broken");
    fs::create_dir_all(broken.join("src")).unwrap();
    fs::write(broken.join("Cargo.toml"), "[package]\nname = \"broken\"\nedition = \"2024\"\n[workspace]\n").unwrap();
    fs::write(broken.join("src/main.rs"), "fn main() { no_such_thing }").unwrap();
    fs::write(broken.join("micro.toml"), "[services.broken]\n[gateway]\naddress = \"127.0.0.1:0\"\n").unwrap();
    check(&home, &["run", "broken"], 6, &["error[E0425]", "no_such_thing", "broken cannot be built"]);
}
