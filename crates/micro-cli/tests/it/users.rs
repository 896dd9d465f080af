//! A small real service in this process, for the command to find.

use std::{sync::Arc, thread::JoinHandle, time::Duration};

use futures_util::{StreamExt, stream};
use micro::{
    Drain, Router,
    prelude::*,
    registry::{Event, FileRegistry, Registry},
};
use micro_test::{
    Home, Process,
    home::{Output, Run},
};

/// A user's account.
#[derive(Serialize, JsonSchema)]
struct Profile {
    id: String,
    name: String,
}

#[derive(Serialize, JsonSchema)]
struct Door {
    #[schemars(range(min = 1))]
    number: u32,
}

/// User accounts.
///
/// People and what they are called.
struct Users;

#[micro::service]
impl Users {
    /// Retrieve a user.
    ///
    /// @example {"id": "ada"}
    #[endpoint(scopes = ["users:read"], read_only, idempotent)]
    async fn get(
        &self,
        /** Who is looked for. */
        id: String,
    ) -> Result<Profile> {
        match id.as_str() {
            "ada" => Ok(Profile { id, name: "Ada Lovelace".to_owned() }),
            "root" => Err(Error::forbidden("nobody may see that")),
            _ => Err(Error::not_found(format!("no user {id}"))),
        }
    }

    /// Rename a user.
    #[endpoint(scopes = ["users:write", "users:admin"], destructive)]
    async fn rename(&self, id: String, name: String, notify: Option<bool>) -> Result<Profile> {
        let _ = notify;
        Ok(Profile { id, name })
    }

    /// Say for which tenant the call is.
    #[endpoint(read_only)]
    fn tenant(&self, cx: &Context) -> Option<String> {
        cx.metadata.get("tenant").map(str::to_owned)
    }

    /// Tell the number of the door, which is never the one that was promised.
    #[endpoint(read_only)]
    fn door(&self) -> Door {
        Door { number: 0 }
    }

    /// Count.
    #[endpoint(read_only)]
    async fn count(&self, to: u32) -> impl Stream<Item = Result<u32>> {
        stream::iter(1..=to).map(Ok)
    }

    /// Never answer.
    #[endpoint]
    async fn wait(&self) {
        std::future::pending::<()>().await;
    }
}

/// The service `users`, registered in the home's registry until dropped.
pub(crate) struct Running {
    drain: Drain,
    thread: Option<JoinHandle<()>>,
    pub(crate) address: String,
}

impl Running {
    /// Returns when the registry has it.
    pub(crate) fn start(home: &Home) -> Self {
        let registry: Arc<dyn Registry> = Arc::new(FileRegistry::open(home.registry_dir()).unwrap());
        let drain = Drain::new();
        let (asked, (up, is_up)) = (drain.clone(), std::sync::mpsc::channel());
        let serve = async move {
            let mut events = registry.watch();
            // On a machine that is busy with other tests a heartbeat may be late.
            let ttl = Duration::from_secs(60);
            let config = micro_rpc::Config { linger: Duration::ZERO, ttl, ..Default::default() };
            let server = config.build(Router::new("users", "1.2").handle(Users), registry).await.unwrap();
            let address = server.address().to_string();
            let serving = tokio::spawn(server.run(asked));
            let there =
                |event: &Event| matches!(event, Event::Up(_)) || matches!(event, Event::Reset(all) if !all.is_empty());
            while !there(&events.next().await.expect("the registry goes on")) {}
            up.send(address).unwrap();
            serving.await.unwrap().unwrap();
        };
        let thread = std::thread::spawn(move || tokio::runtime::Runtime::new().unwrap().block_on(serve));
        Self { drain, thread: Some(thread), address: is_up.recv_timeout(Duration::from_secs(30)).unwrap() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.drain.begin();
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || ended.is_some_and(|ended| ended.is_ok()), "the service failed");
    }
}

/// `micro` with these arguments, not yet started.
pub(crate) fn command(home: &Home, args: &[&str]) -> Run {
    let mut command = home.command(env!("CARGO_BIN_EXE_micro"));
    command.args(args);
    Run::new("micro", command)
}

/// Asserts that the command failed with this exit code and said all of this on stderr.
#[track_caller]
pub(crate) fn check_failure(output: &Output, code: i32, said: &[&str]) {
    assert_eq!(output.failure(), code, "{}", output.stderr);
    for part in said {
        assert!(output.stderr.contains(part), "{part:?} is missing:\n{}", output.stderr);
    }
}

/// Asks a process to end and expects that it ends well.
#[track_caller]
pub(crate) fn check_ends_well(process: &mut Process) {
    let status = process.terminate(Duration::from_secs(30)).unwrap();
    assert!(status.success(), "{status}\n{}", process.stderr());
}
