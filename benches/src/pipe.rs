//! Requests over the streams of a child, so many in flight at once.

use std::{
    process::Stdio,
    sync::Mutex,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use micro_mcp::proto::Era;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::Semaphore,
};

use crate::{contestant::Program, message};

/// A child that speaks on its streams; killed when dropped.
pub(crate) struct Pipe {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// A request up to its id, and what follows.
    around: [String; 2],
}

impl Pipe {
    /// Starts a program; shakes hands when its era wants it.
    pub(crate) async fn start(program: &Program, era: Era, size: usize) -> Result<Self> {
        let mut command = Command::from(program.on_streams()?);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn()?;
        let stdin = child.stdin.take().context("stdin is a pipe")?;
        let stdout = BufReader::with_capacity(1 << 20, child.stdout.take().context("stdout is a pipe")?);
        let call = message::request(era, 4242, "tools/call", message::echo(size)).to_string();
        let (before, after) = call.split_once("4242").context("the id stands in the request")?;
        let mut pipe = Self { child, stdin, stdout, around: [before.to_owned(), format!("{after}\n")] };
        if era == Era::Legacy {
            pipe.stdin.write_all(format!("{}\n", message::initialize("2025-11-25")).as_bytes()).await?;
            line(&mut pipe.stdout).await?;
            pipe.stdin.write_all(format!("{}\n", message::initialized()).as_bytes()).await?;
        }
        Ok(pipe)
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> Result<u32> {
        self.child.id().context("the server has ended")
    }

    /// Sends so many requests, a new one for each answer once `in_flight` are on their way. Latencies are
    /// those of answers in the order of requests.
    pub(crate) async fn run(&mut self, requests: usize, in_flight: usize) -> Result<Vec<Duration>> {
        let room = Semaphore::new(in_flight);
        let sent = Mutex::new(Vec::with_capacity(requests));
        let (stdin, [before, after]) = (&mut self.stdin, &self.around);
        let write = async {
            let mut next = 0;
            while next < requests {
                room.acquire().await?.forget();
                let more = room.available_permits().min(requests - next - 1);
                room.forget_permits(more);
                let mut lines = Vec::new();
                for id in next..=next + more {
                    lines.extend_from_slice(format!("{before}{id}{after}").as_bytes());
                    sent.lock().expect("nobody panics with it").push(Instant::now());
                }
                next += more + 1;
                stdin.write_all(&lines).await?;
            }
            anyhow::Ok(())
        };
        let read = async {
            let mut latencies = Vec::with_capacity(requests);
            while latencies.len() < requests {
                check(&line(&mut self.stdout).await?)?;
                let began = sent.lock().expect("nobody panics with it")[latencies.len()];
                latencies.push(began.elapsed());
                room.add_permits(1);
            }
            anyhow::Ok(latencies)
        };
        // Side by side: a server that cannot write its answers does not read on.
        let ((), latencies) = tokio::try_join!(write, read)?;
        Ok(latencies)
    }
}

async fn line(stdout: &mut BufReader<ChildStdout>) -> Result<Vec<u8>> {
    let mut line = Vec::new();
    ensure!(stdout.read_until(b'\n', &mut line).await? > 0, "the server ended");
    Ok(line)
}

fn check(answer: &[u8]) -> Result<()> {
    let start = String::from_utf8_lossy(&answer[..answer.len().min(500)]);
    ensure!(answer.windows(11).any(|w| w == br#""text":"xxx"#), "not an answer: {start}");
    Ok(())
}
