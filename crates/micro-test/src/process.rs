//! Child processes: started in a group of their own, heard line by line, and never left behind.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    os::unix::process::CommandExt,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid},
};

use crate::workspace;

/// How many lines are kept; the log file has all of them.
const KEPT: usize = 10_000;

/// A running child process. Dropping it kills its whole group.
///
/// Its output is kept for questions like [`Process::wait_for_line`], and written to a log file under
/// `target/test-logs/<test>/<name>.log`. A test that panics shows the last lines.
#[derive(Debug)]
pub struct Process {
    name: String,
    pid: Pid,
    child: Child,
    stdin: Option<ChildStdin>,
    status: Option<ExitStatus>,
    heard: Arc<Heard>,
}

/// One line of output.
#[derive(Debug, Clone)]
pub struct Line {
    /// Where it was written.
    pub stream: Stream,
    /// The text, without its end.
    pub text: String,
}

/// An output of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Data.
    Stdout,
    /// Everything said to people.
    Stderr,
}

/// A place in the output: what came before it is past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark(u64);

/// What the listening threads know.
#[derive(Debug, Default)]
struct Heard {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<Line>,
    /// How many lines were forgotten at the front.
    forgotten: u64,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    open_streams: u8,
    exited: bool,
    log: Option<File>,
}

impl Process {
    /// Starts a command with its three streams piped.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &str, mut command: Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child =
            command.spawn().with_context(|| format!("cannot start {name}: {}", command.get_program().display()))?;
        let pid = Pid::from_child(&child);

        let heard = Arc::new(Heard::default());
        heard.lock().open_streams = 2;
        heard.lock().log = log_file(name);
        let stdin = child.stdin.take();
        listen(&heard, Stream::Stdout, child.stdout.take().expect("stdout is piped"));
        listen(&heard, Stream::Stderr, child.stderr.take().expect("stderr is piped"));
        // Sees the end without collecting it: until `reap` the process number stays ours, and no signal can
        // go astray.
        let ended = Arc::clone(&heard);
        thread::spawn(move || {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(waitid(WaitId::Pid(pid), options), Err(Errno::INTR)) {}
            ended.change(|state| state.exited = true);
        });
        Ok(Self { name: name.to_owned(), pid, child, stdin, status: None, heard })
    }

    /// The process number, which is also the number of its group.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where the output stands now.
    pub fn mark(&self) -> Mark {
        let state = self.heard.lock();
        Mark(state.forgotten + state.lines.len() as u64)
    }

    /// Waits for a line, old or new, that contains `part`, and returns it.
    ///
    /// # Errors
    /// When the process ends or the time is up before such a line; with the last lines.
    pub fn wait_for_line(&self, part: &str, patience: Duration) -> Result<String> {
        self.wait_for_line_after(Mark::default(), part, patience)
    }

    /// Waits for the first `http://` URL it prints: where a server that was given port 0 listens.
    ///
    /// # Errors
    /// As [`Process::wait_for_line`].
    pub fn wait_for_url(&self, patience: Duration) -> Result<String> {
        let line = self.wait_for_line("http://", patience)?;
        let url = line.find("http://").map(|at| &line[at..]).unwrap_or_default();
        Ok(url.split([' ', '\t', '"', '\'', ',', ')', '>']).next().unwrap_or_default().to_owned())
    }

    /// Like [`Process::wait_for_line`], without the lines before `mark`.
    ///
    /// # Errors
    /// As [`Process::wait_for_line`].
    pub fn wait_for_line_after(&self, mark: Mark, part: &str, patience: Duration) -> Result<String> {
        let found = self.find(mark, patience, |line| line.text.contains(part));
        Ok(found.with_context(|| format!("no line with {part:?}"))?.1)
    }

    /// Waits for the first line from `mark` on that passes `test`; with the mark behind it.
    ///
    /// # Errors
    /// As [`Process::wait_for_line`].
    pub fn find(&self, mark: Mark, patience: Duration, test: impl Fn(&Line) -> bool) -> Result<(Mark, String)> {
        let mut next = mark.0;
        let found = self.heard.wait(patience, |state| {
            let skip = usize::try_from(next.saturating_sub(state.forgotten)).unwrap_or(usize::MAX);
            for line in state.lines.iter().skip(skip) {
                next += 1;
                if test(line) {
                    return Some(Some(line.text.clone()));
                }
            }
            next = next.max(state.forgotten + state.lines.len() as u64);
            (state.exited && state.open_streams == 0).then_some(None)
        });
        match found {
            Some(Some(text)) => Ok((Mark(next), text)),
            Some(None) => bail!("{} ended without saying it\n{}", self.name, self.last_lines(40)),
            None => bail!("{} did not say it within {patience:?}\n{}", self.name, self.last_lines(40)),
        }
    }

    /// Sends a line to the process.
    ///
    /// # Errors
    /// When its stdin is closed.
    pub fn write_line(&mut self, text: &str) -> Result<()> {
        let stdin = self.stdin.as_mut().with_context(|| format!("stdin of {} was closed", self.name))?;
        stdin
            .write_all(text.as_bytes())
            .and_then(|()| stdin.write_all(b"\n"))
            .and_then(|()| stdin.flush())
            .with_context(|| format!("{} does not listen\n{}", self.name, self.last_lines(40)))
    }

    /// Tells the process that no more input comes.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Whether it still runs.
    pub fn is_running(&self) -> bool {
        !self.heard.lock().exited
    }

    /// Everything it wrote to stdout so far.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().stdout).into_owned()
    }

    /// Everything it wrote to stderr so far.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().stderr).into_owned()
    }

    /// The last lines it wrote, each with its stream.
    pub fn last_lines(&self, count: usize) -> String {
        let state = self.heard.lock();
        let skip = state.lines.len().saturating_sub(count);
        let shown = |line: &Line| {
            let stream = if line.stream == Stream::Stdout { "out" } else { "err" };
            format!("  {} {stream}| {}\n", self.name, line.text)
        };
        state.lines.iter().skip(skip).map(shown).collect()
    }

    /// Sends a signal to the process, not to its group. One that has ended gets none.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        if self.status.is_some() {
            return Ok(());
        }
        kill_process(self.pid, signal).with_context(|| format!("cannot signal {}", self.name))
    }

    /// Ends the whole group at once, as a crash would (SIGKILL).
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> Result<ExitStatus> {
        self.reap()
    }

    /// Asks the process to finish (SIGTERM) and waits for it.
    ///
    /// # Errors
    /// When it is still there when the time is up; it goes on running.
    pub fn terminate(&mut self, patience: Duration) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.wait(patience)
    }

    /// Waits for its end. What it left behind in its group is killed then.
    ///
    /// # Errors
    /// When it is still there when the time is up; it goes on running.
    pub fn wait(&mut self, patience: Duration) -> Result<ExitStatus> {
        if self.heard.wait(patience, |state| state.exited.then_some(())).is_none() {
            bail!("{} is still running after {patience:?}\n{}", self.name, self.last_lines(40));
        }
        self.reap()
    }

    /// Kills what is left of the group, collects the exit status and the rest of the output.
    fn reap(&mut self) -> Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        self.stdin = None;
        match kill_process_group(self.pid, Signal::KILL) {
            // None there (SRCH), or only ones that have ended (PERM on some systems).
            Ok(()) | Err(Errno::SRCH | Errno::PERM) => {}
            Err(error) => return Err(error).with_context(|| format!("cannot kill {}", self.name)),
        }
        let status = self.child.wait().with_context(|| format!("cannot wait for {}", self.name))?;
        self.status = Some(status);
        // A grandchild that left the group may hold the streams open for good: no reason to wait for it.
        self.heard.wait(Duration::from_secs(2), |state| (state.open_streams == 0).then_some(()));
        Ok(status)
    }
}

impl Drop for Process {
    #[expect(clippy::print_stderr, reason = "the harness shows it with the failed test")]
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("last words of {}:\n{}", self.name, self.last_lines(40));
        }
        if let Err(error) = self.reap() {
            eprintln!("{error:#}");
        }
    }
}

impl Heard {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Asks after every change until there is an answer or the time is up.
    fn wait<T>(&self, patience: Duration, mut ask: impl FnMut(&State) -> Option<T>) -> Option<T> {
        let end = Instant::now() + patience;
        let mut state = self.lock();
        loop {
            if let Some(answer) = ask(&state) {
                return Some(answer);
            }
            let left = end.checked_duration_since(Instant::now())?;
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Reads a stream to its end on a thread of its own, so that the process never waits for us.
fn listen(heard: &Arc<Heard>, stream: Stream, from: impl Read + Send + 'static) {
    let heard = Arc::clone(heard);
    thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut bytes = Vec::new();
        while from.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
            heard.change(|state| {
                // The log is for people who look later; a full disk must not fail the test.
                let _ = state.log.as_mut().map(|log| log.write_all(&bytes));
                match stream {
                    Stream::Stdout => state.stdout.extend_from_slice(&bytes),
                    Stream::Stderr => state.stderr.extend_from_slice(&bytes),
                }
                let text = String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned();
                state.lines.push_back(Line { stream, text });
                if state.lines.len() > KEPT {
                    state.lines.pop_front();
                    state.forgotten += 1;
                }
            });
            bytes.clear();
        }
        heard.change(|state| state.open_streams -= 1);
    });
}

/// `target/test-logs/<test>/<name>.log`, or none when it cannot be made.
fn log_file(name: &str) -> Option<File> {
    let test = thread::current().name().unwrap_or("main").replace("::", "/");
    let folder = workspace::target_dir().ok()?.join("test-logs").join(test);
    fs::create_dir_all(&folder).ok()?;
    File::create(folder.join(format!("{name}.log"))).ok()
}

#[cfg(test)]
mod tests;
