//! A server as a child process, spoken to on its standard input and output (`basic/transports/stdio`).
//!
//! Each child leads a process group of its own, and the whole group ends with the pipe: first its standard
//! input is closed, then it is asked to end (SIGTERM), then it is killed. Nothing is left behind, and
//! nothing waits for a parent that forgot it.

use std::{io, process::Stdio, sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt, stream};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, ChildStderr, Command},
    sync::oneshot,
    time::timeout,
};

use super::Pipe;

/// How long a child may take to end by itself, and again after it was asked to.
const GRACE: Duration = Duration::from_secs(2);
/// Of a line of standard error, this much is shown, in bytes.
const STDERR_LINE: u64 = 8 << 10;

/// Is told each line that a server writes to its standard error.
pub type OnStderr = Arc<dyn Fn(&str) + Send + Sync>;

/// Starts a server. Its standard error goes, line by line, to the function; without one, to the log at
/// debug level. Dropping the pipe ends the server and everything that it started.
///
/// ```no_run
/// # use micro_mcp::{client::{Client, Error}, transport::child};
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let pipe = child::spawn(tokio::process::Command::new("greeter"), None)?;
/// let client = Client::builder().pipe(pipe).await?; // for once; `Builder::spawn` starts it anew when it ends
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When it cannot be started.
pub fn spawn(mut command: Command, stderr: Option<OnStderr>) -> io::Result<Pipe> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.process_group(0).kill_on_drop(true).spawn()?;
    let (Some(stdin), Some(stdout), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(io::Error::other("a child without pipes"));
    };
    tokio::spawn(show(errors, stderr));
    let Pipe { sink, stream } = Pipe::lines(stdout, stdin);
    let (held, dropped) = oneshot::channel::<()>();
    tokio::spawn(Group::of(child).end(dropped));
    // Both ends hold the child: whichever goes last lets it go.
    let held = Arc::new(held);
    let with = held.clone();
    let sink = sink.with(move |message| {
        let _held = &with;
        std::future::ready(Ok::<_, io::Error>(message))
    });
    let stream = stream::unfold((stream, held), |(mut stream, held)| async move {
        let message = stream.next().await?;
        Some((message, (stream, held)))
    });
    Ok(Pipe::new(sink, stream))
}

/// A child and everything it started. The group is killed when this is dropped, the runtime's end included.
struct Group {
    child: Child,
    /// The group's number, which stays its own while anyone is left in it.
    id: Option<Pid>,
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

impl Group {
    fn of(child: Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Self { child, id }
    }

    fn signal(&self, signal: Signal) {
        if let Some(id) = self.id {
            let _ = kill_process_group(id, signal); // nobody left is what is wanted
        }
    }

    /// Waits until nobody holds the pipe any more, or the child has ended, and sees to it that nobody is left.
    async fn end(mut self, dropped: oneshot::Receiver<()>) {
        let ended = tokio::select! {
            _ = self.child.wait() => true,
            _ = dropped => timeout(GRACE, self.child.wait()).await.is_ok(), // its standard input is closed now
        };
        if !ended {
            self.signal(Signal::TERM);
            let _ = timeout(GRACE, self.child.wait()).await;
        }
        self.signal(Signal::KILL);
        let _ = self.child.wait().await;
        self.id = None;
    }
}

async fn show(errors: ChildStderr, told: Option<OnStderr>) {
    let mut reader = BufReader::new(errors);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut reader).take(STDERR_LINE).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\n', '\r']);
        match &told {
            Some(told) => told(text),
            None => tracing::debug!(line = text, "a server's standard error"),
        }
    }
}
