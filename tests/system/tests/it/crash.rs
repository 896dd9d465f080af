//! Audit under fire: a gateway is killed at random moments under load, and its disk is full. Each time its log is
//! verified and compared with what clients saw: nothing missing, nothing false.

use std::{
    collections::HashMap,
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail, ensure};
use micro_gateway::{AuditLocation, AuditReader, AuditText};
use micro_policy::{Digest, audit::Entry};
use micro_test::{Home, Process, bins, http::Connection};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};

/// How many kills; `cargo xtask crash --kills N` says more.
const KILLS: &str = "MICRO_CRASH_KILLS";
const CLIENTS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(60);

/// A service that stays, and a gateway in front of it that does not.
struct Site {
    home: Home,
    _service: Process,
}

/// A call as its client knows it.
struct Sent {
    arguments: Vec<u8>,
    /// Whether the arguments are good.
    good: bool,
    /// Status and body; none when the connection broke off.
    answer: Option<(u16, Vec<u8>)>,
}

/// Every call of every client, by its trace.
type Ledger = Mutex<HashMap<String, Sent>>;

/// Clients that call without pause, whoever is there.
struct Load {
    ledger: Arc<Ledger>,
    target: Arc<RwLock<Option<String>>>,
    answered: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Site {
    fn start(config: &str) -> Result<Self> {
        let home = Home::new()?;
        std::fs::write(home.path().join("micro.toml"), format!("[gateway.audit]\nto = \"audit\"\n{config}"))?;
        let mut service = home.command(bins::build(&["hello"])?.path("hello"));
        service.env("HELLO_MCP", "127.0.0.1:0");
        let service = Process::start("hello", service)?;
        let there = || Ok(home.micro(&["services", "--json"])?.run()?.stdout.contains("hello"));
        until("the service is there", there)?;
        Ok(Self { home, _service: service })
    }

    /// The command of a gateway.
    fn gateway(&self) -> Result<Command> {
        let mut command = self.home.command(bins::build(&["micro"])?.path("micro"));
        command.args(["server", "--address", "127.0.0.1:0", "--config", "micro.toml"]);
        Ok(command)
    }

    fn log(&self) -> PathBuf {
        self.home.path().join("audit")
    }

    /// `micro audit verify`, which must find nothing.
    fn verify(&self) -> Result<Value> {
        let output = self.home.micro(&["audit", "verify", "--json"])?.run()?;
        let report: Value = serde_json::from_str(&output.stdout).context(output.stderr)?;
        ensure!(report["good"] == true, "{report:#}");
        Ok(report["report"].clone())
    }
}

/// Where a gateway listens, once it knows the service.
fn ready(gateway: &Process) -> Result<String> {
    let url = gateway.wait_for_url(PATIENCE)?;
    Ok(url.trim_start_matches("http://").trim_end_matches('/').to_owned())
}

fn until(what: &str, holds: impl Fn() -> Result<bool>) -> Result<()> {
    let began = Instant::now();
    while !holds()? {
        ensure!(began.elapsed() < PATIENCE, "not in time: {what}");
        thread::yield_now();
    }
    Ok(())
}

impl Load {
    fn start() -> Self {
        let (ledger, target) = (Arc::<Ledger>::default(), Arc::<RwLock<Option<String>>>::default());
        let (answered, stop) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let client = |n: usize| {
            let (ledger, target) = (ledger.clone(), target.clone());
            let (answered, stop) = (answered.clone(), stop.clone());
            thread::spawn(move || {
                let (mut connection, mut count) = (None, 0_u64);
                while !stop.load(SeqCst) {
                    // Held for the whole call: who aims elsewhere knows that nobody is in the middle of one.
                    let target = target.read().unwrap();
                    let Some(host) = &*target else {
                        thread::yield_now();
                        continue;
                    };
                    count += 1;
                    let trace = format!("{:016x}{count:016x}", n + 1);
                    call(&mut connection, host, &ledger, &trace, count);
                    answered.fetch_add(u64::from(connection.is_some()), SeqCst);
                }
            })
        };
        let clients = (0..CLIENTS).map(client).collect();
        Self { ledger, target, answered, stop, clients }
    }

    /// Calls go here from now on, or nowhere. Those before have ended.
    fn aim(&self, target: Option<String>) {
        *self.target.write().unwrap() = target;
    }

    /// Returns when there were so many more answers.
    fn wait_for(&self, more: u64) -> Result<()> {
        let goal = self.answered.load(SeqCst) + more;
        until("clients are answered", || Ok(self.answered.load(SeqCst) >= goal))
    }

    fn stop(&mut self) {
        self.stop.store(true, SeqCst);
        self.clients.drain(..).for_each(|client| client.join().expect("a client does not panic"));
    }
}

/// Makes a call and writes down what is known of it. Every seventh has arguments that do not fit.
fn call(connection: &mut Option<Connection>, host: &str, ledger: &Ledger, trace: &str, count: u64) {
    let good = !count.is_multiple_of(7);
    let name = if good { json!(trace) } else { json!(count) };
    let arguments = json!({ "name": name }).to_string().into_bytes();
    // Before it is sent: a record may speak of it from then on.
    ledger.lock().unwrap().insert(trace.to_owned(), Sent { arguments: arguments.clone(), good, answer: None });
    let mut attempt = || -> Result<(u16, Vec<u8>)> {
        let open = match connection.take() {
            Some(open) => open,
            None => Connection::open(host)?,
        };
        let open = connection.insert(open);
        let traceparent = format!("00-{trace}-00f067aa0ba902b7-01");
        let headers = [("traceparent", traceparent.as_str()), ("content-type", "application/json")];
        open.send("POST", "/api/hello/Hello.Hello", &headers, &arguments)?;
        let response = open.response()?;
        Ok((response.status(), response.body))
    };
    match attempt() {
        Ok(answer) => ledger.lock().unwrap().get_mut(trace).expect("it was sent").answer = Some(answer),
        Err(_) => *connection = None,
    }
}

/// What the log says, read on from where it was left.
struct Records {
    reader: AuditReader,
    calls: HashMap<String, Value>,
    lost: u64,
}

impl Records {
    fn open(folder: &Path) -> Result<Self> {
        let reader = AuditReader::open(&AuditLocation::Folder(folder.to_owned()))?;
        Ok(Self { reader, calls: HashMap::new(), lost: 0 })
    }

    fn read_on(&mut self) -> Result<()> {
        while let Some(text) = self.reader.read()? {
            let AuditText::Line(line) = text else { continue };
            match Entry::parse(&line).context("a line that cannot be read")? {
                Entry::Call(call) => {
                    let before = self.calls.insert(call.trace_id.clone(), serde_json::to_value(&*call)?);
                    ensure!(before.is_none(), "two records of {}", call.trace_id);
                }
                Entry::Lost { lost, .. } => self.lost += lost,
                _ => {}
            }
        }
        Ok(())
    }

    /// Nothing missing: who was answered has a record that says what was asked, decided and answered. Nothing false: there
    /// is no record of what nobody sent, and none with another result than the service's.
    fn compare(&self, ledger: &Ledger) -> Result<u64> {
        let ledger = ledger.lock().unwrap();
        let mut answered = 0;
        for (trace, sent) in ledger.iter() {
            let Some((status, body)) = &sent.answer else { continue };
            if *status == 500 {
                continue; // `The call could not be recorded`
            }
            answered += 1;
            let record = self.calls.get(trace).with_context(|| format!("{trace} was answered and has no record"))?;
            ensure!(record["allowed"] == (*status == 200), "{status}: {record}");
            if *status == 200 {
                ensure!(record["result_digest"] == Digest::of(body).to_string(), "another result: {record}");
            }
        }
        for (trace, record) in &self.calls {
            let sent = ledger.get(trace).with_context(|| format!("nobody sent what is recorded: {record}"))?;
            ensure!(record["tool"] == "hello.Hello.Hello", "{record}");
            ensure!(record["arguments_digest"] == Digest::of(&sent.arguments).to_string(), "{record}");
            let expected = serde_json::to_vec(&format!("Hello, {trace}!"))?;
            match record["result_digest"].as_str() {
                Some(digest) => ensure!(sent.good && digest == Digest::of(&expected).to_string(), "{record}"),
                None => ensure!(record["allowed"] == false || record["error"].is_string(), "{record}"),
            }
        }
        Ok(answered)
    }
}

#[test]
fn a_gateway_that_is_killed_under_load_leaves_a_log_of_all_that_it_answered() -> Result<()> {
    let kills: u64 = env::var(KILLS).ok().map_or(Ok(10), |kills| kills.parse())?;
    let site = Site::start("segment_size = 200000\n")?;
    let mut load = Load::start();
    let mut records = None;
    for kill in 1..=kills {
        let mut gateway = Process::start("gateway", site.gateway()?)?;
        load.aim(Some(ready(&gateway)?));
        // Of no use to anybody before the first answers; then at any moment.
        load.wait_for(1 + some_number_below(300))?;
        gateway.kill()?;
        load.aim(None);
        let report = site.verify().with_context(|| format!("after kill {kill}"))?;
        let records = match &mut records {
            Some(records) => records,
            None => records.insert(Records::open(&site.log())?),
        };
        records.read_on()?;
        let answered = records.compare(&load.ledger).with_context(|| format!("after kill {kill}"))?;
        if kill % 10 == 0 || kill == kills {
            let (lines, segments) = (&report["lines"], &report["segments"]);
            let sent = load.ledger.lock().unwrap().len();
            tell(&format!(
                "{kill} kills: {sent} calls sent, {answered} answered, {} recorded; {lines} lines in {segments} segments verified",
                records.calls.len()
            ));
        }
    }
    load.stop();
    Ok(())
}

#[test]
fn a_full_disk_is_said_to_callers_and_the_log_is_whole_when_there_is_room_again() -> Result<()> {
    for fail in ["closed", "open"] {
        let site = Site::start(&format!("fail = \"{fail}\"\n"))?;
        // The limit on files is the disk's end; what would kill the process for it is passed over, so that writing fails.
        let inner = site.gateway()?;
        let mut command = site.home.command("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]).arg(inner.get_program()).args(inner.get_args());
        let mut gateway = Process::start("gateway", command)?;
        let host = ready(&gateway)?;
        let ledger = Ledger::default();
        let (mut connection, mut count) = (None, 0);
        let mut status = |ledger: &Ledger| {
            count += 1;
            let trace = format!("{:016x}{count:016x}", 1);
            call(&mut connection, &host, ledger, &trace, count);
            ledger.lock().unwrap()[&trace].answer.as_ref().map(|(status, _)| *status)
        };
        ensure!(status(&ledger) == Some(200));
        let size = |bytes| Rlimit { current: bytes, maximum: None };
        let pid = Pid::from_raw(i32::try_from(gateway.id())?);
        prlimit(pid, Resource::Fsize, size(Some(8_000)))?;
        let mut refused = 0;
        for _ in 0..40 {
            match status(&ledger) {
                Some(500) => refused += 1,
                Some(_) => {}
                None => bail!("{fail}: not answered at all"),
            }
        }
        ensure!((refused > 0) == (fail == "closed"), "{fail}: {refused} of 40 refused");
        site.verify().context("while the disk is full")?;
        prlimit(pid, Resource::Fsize, size(None))?;
        ensure!(matches!(status(&ledger), Some(200 | 400)), "{fail}: there is room again");
        gateway.terminate(PATIENCE)?;
        let report = site.verify()?;
        let mut records = Records::open(&site.log())?;
        records.read_on()?;
        ensure!(report["lost"] == records.lost && records.lost > 0, "{fail}: {report}");
        let calls = ledger.lock().unwrap().len() as u64;
        let recorded = records.calls.len() as u64;
        // A checkpoint that could not be written is no record that is lost.
        ensure!(recorded + records.lost == calls, "{fail}: {recorded} recorded and {} lost of {calls}", records.lost);
        if fail == "closed" {
            records.compare(&ledger)?;
        }
    }
    Ok(())
}

/// The clock is random enough for when to kill.
fn some_number_below(most: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(now.subsec_nanos()) / 1000 % most
}

/// What `cargo xtask crash` shows.
#[expect(clippy::print_stderr, reason = "the numbers are what the long form is run for")]
fn tell(text: &str) {
    eprintln!("{text}");
}
