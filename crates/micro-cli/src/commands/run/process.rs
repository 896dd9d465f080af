//! One running process of a service, with its own group and its output on the screen.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    process::{Child, Command},
    task::JoinSet,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::logs::{Prefix, Screen, Stream, follow};

/// Time a process has to leave after it was asked to.
const GRACE: Duration = Duration::from_secs(10);
/// Time its last output has to arrive once it has left. A child of its own may hold the pipe for ever.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What to execute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Launch {
    pub(super) program: PathBuf,
    pub(super) args: Vec<String>,
    pub(super) dir: PathBuf,
    pub(super) env: BTreeMap<String, String>,
}

/// A running process. Dropped without [`Process::stop`], its whole group is killed.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// The leader of the group; none once it has been collected, when the number is no longer ours.
    group: Option<Pid>,
    /// What makes its node id unique.
    pub(super) id: String,
    pub(super) started: Instant,
    output: JoinSet<()>,
}

impl Process {
    /// Starts it.
    ///
    /// # Errors
    /// When the program cannot be executed.
    pub(super) fn start(launch: &Launch, prefix: &Prefix, screen: &Arc<Screen>) -> io::Result<Self> {
        let id = uuid::Uuid::new_v4().to_string();
        // Through `micro leash`, so that a service does not outlive us even when we are killed.
        let mut child = Command::new(ourselves()?)
            .args(["leash", "--", &std::process::id().to_string()])
            .arg(&launch.program)
            .args(&launch.args)
            .current_dir(&launch.dir)
            .envs(&launch.env)
            .env("MICRO_NODE_ID", &id)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0) // a Ctrl-C is for us; we end services in their order
            .spawn()?;
        let mut output = JoinSet::new();
        if let Some(out) = child.stdout.take() {
            output.spawn(follow(out, Stream::Out, prefix.clone(), screen.clone()));
        }
        if let Some(err) = child.stderr.take() {
            output.spawn(follow(err, Stream::Err, prefix.clone(), screen.clone()));
        }
        let group = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        Ok(Self { child, group, id, started: Instant::now(), output })
    }

    /// Waits for its end, and for what it said last. May be dropped and called again.
    pub(super) async fn exited(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        // What the leader left behind belongs to nobody now.
        self.signal(Signal::KILL);
        self.group = None;
        let _ = tokio::time::timeout(LAST_WORDS, async { while self.output.join_next().await.is_some() {} }).await;
        Ok(status)
    }

    /// Asks it to leave, and makes it when it does not in time or `force` says so.
    pub(super) async fn stop(mut self, force: CancellationToken) {
        self.signal(Signal::TERM);
        tokio::select! {
            _ = self.exited() => return,
            () = tokio::time::sleep(GRACE) => {}
            () = force.cancelled() => {}
        }
        self.signal(Signal::KILL);
        let _ = self.exited().await;
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // The only error left is that nobody is there any more.
            let _ = kill_process_group(group, signal);
        }
    }
}

/// This very program, also after the file it came from was replaced.
fn ourselves() -> io::Result<PathBuf> {
    match PathBuf::from("/proc/self/exe") {
        linux if linux.exists() => Ok(linux),
        _ => std::env::current_exe(),
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}
