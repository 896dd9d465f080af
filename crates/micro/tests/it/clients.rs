//! Contracts: a trait, its server, its client.

use std::sync::{Arc, Mutex};

use futures_util::{FutureExt, TryStreamExt, future::BoxFuture, stream};
use micro::{Caller, Metadata, Reply, Router, prelude::*};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Profile {
    id: u64,
    name: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub(crate) struct FindRequest {
    prefix: String,
}

/// User accounts.
#[micro::service(name = "accounts")]
pub(crate) trait Users {
    /// Retrieve a user.
    #[endpoint(read_only, idempotent, timeout = "500ms")]
    async fn get(&self, cx: &Context, id: u64) -> Result<Profile>;

    /// Search for users.
    async fn find(&self, req: FindRequest) -> Result<Vec<Profile>>;

    /// Follow users.
    async fn follow(
        &self,
        /** Where to begin. */
        from: Option<u64>,
    ) -> impl Stream<Item = Result<Profile>>;

    /// Follow the numbers of users.
    fn numbers(&self) -> impl Stream<Item = Result<u64>>;

    /// Follow a group, if it is there.
    async fn group(&self, name: String) -> Result<impl Stream<Item = Result<Profile>>>;

    /// Forget a user.
    #[endpoint(destructive)]
    async fn forget(&self, id: u64) -> Result<()>;

    /// No endpoint: it has a body.
    async fn exists(&self, cx: &Context, id: u64) -> bool {
        self.get(cx, id).await.is_ok()
    }
}

#[derive(Debug)]
pub(crate) struct Refused(String);

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::conflict(refused.0)
    }
}

/// A contract with errors of its own and a sync method.
#[micro::service]
pub(crate) trait StockRoom {
    /// Take from the shelf.
    async fn take(&self, count: u32) -> Result<u32, Refused>;

    /// Count what is left.
    fn left(&self) -> u32;

    /// Nothing for callers.
    #[endpoint(skip)]
    async fn sweep(&self) -> u8;
}

struct Table(Vec<Profile>);

impl Users for Table {
    async fn get(&self, _cx: &Context, id: u64) -> Result<Profile> {
        self.0.iter().find(|user| user.id == id).cloned().ok_or_else(|| Error::not_found(format!("no user {id}")))
    }

    async fn find(&self, req: FindRequest) -> Result<Vec<Profile>> {
        Ok(self.0.iter().filter(|user| user.name.starts_with(&req.prefix)).cloned().collect())
    }

    async fn follow(&self, from: Option<u64>) -> impl Stream<Item = Result<Profile>> {
        stream::iter(self.0.iter().filter(move |user| from.is_none_or(|from| user.id >= from)).cloned().map(Ok))
    }

    fn numbers(&self) -> impl Stream<Item = Result<u64>> {
        stream::iter(self.0.iter().map(|user| Ok(user.id)))
    }

    async fn group(&self, name: String) -> Result<impl Stream<Item = Result<Profile>>> {
        if name == "all" { Ok(self.follow(None).await) } else { Err(Error::not_found(format!("no group {name}"))) }
    }

    async fn forget(&self, id: u64) -> Result<()> {
        Err(Error::forbidden(format!("{id} stays")))
    }
}

struct Shelf(u32);

impl StockRoom for Shelf {
    async fn take(&self, count: u32) -> Result<u32, Refused> {
        self.0.checked_sub(count).ok_or_else(|| Refused(format!("only {} left", self.0)))
    }

    fn left(&self) -> u32 {
        self.0
    }

    async fn sweep(&self) -> u8 {
        0
    }
}

fn ada() -> Profile {
    Profile { id: 1, name: "Ada".into() }
}

fn bob() -> Profile {
    Profile { id: 2, name: "Bob".into() }
}

fn router() -> Router {
    Router::new("accounts", "1").handle(UsersServer::new(Table(vec![ada(), bob()])))
}

/// Written against the contract, so it runs on the implementation and on a client alike.
async fn greeting(users: &impl Users, id: u64) -> Result<String> {
    Ok(format!("Hello, {}!", users.get(&Context::default(), id).await?.name))
}

#[tokio::test]
async fn a_client_has_the_methods_of_the_contract() {
    let users = UsersClient::new(router());
    let cx = Context::default();
    assert_eq!(users.get(&cx, 1).await.unwrap(), ada());
    assert_eq!(users.find(FindRequest { prefix: "B".into() }).await.unwrap(), [bob()]);
    let missing = users.get(&cx, 7).await.unwrap_err();
    assert_eq!((missing.code, &*missing.detail, &*missing.id), (404, "no user 7", "accounts"));
    assert_eq!(users.forget(1).await.unwrap_err().code, 403);
}

#[tokio::test]
async fn a_clients_streams_are_those_of_the_service() {
    let users = UsersClient::new(router());
    let followed: Vec<_> = users.follow(Some(2)).await.try_collect().await.unwrap();
    assert_eq!(followed, [bob()]);
    let numbers: Vec<_> = users.numbers().try_collect().await.unwrap();
    assert_eq!(numbers, [1, 2]);
    let all: Vec<_> = users.group("all".into()).await.unwrap().try_collect().await.unwrap();
    assert_eq!(all, [ada(), bob()]);
    assert_eq!(users.group("none".into()).await.err().map(|e| e.code), Some(404), "the call's own error");
}

#[tokio::test]
async fn code_against_the_contract_runs_on_both_sides() {
    let users = UsersClient::new(router());
    assert_eq!(greeting(&Table(vec![ada()]), 1).await.unwrap(), "Hello, Ada!");
    assert_eq!(greeting(&users, 2).await.unwrap(), "Hello, Bob!");
    assert!(users.exists(&Context::default(), 1).await);
}

#[tokio::test]
async fn own_errors_reach_a_client_as_what_they_convert_into() {
    let router = Router::new("stock-room", "1").handle(StockRoomServer::new(Shelf(3)));
    let stock = StockRoomClient::new(router);
    assert_eq!(stock.take(2).await.unwrap(), 1);
    assert_eq!(stock.left().await.unwrap(), 3);
    let refused = stock.take(4).await.unwrap_err();
    assert_eq!((refused.code, &*refused.detail), (409, "only 3 left"));
    assert_eq!(Shelf(1).sweep().await, 0);
}

#[test]
fn a_contract_describes_itself_without_an_implementation() {
    let users = UsersClient::descriptor();
    assert_eq!((&*users.name, &*users.description), ("Users", "User accounts."));
    let names: Vec<_> = users.endpoints.iter().map(|endpoint| &*endpoint.name).collect();
    assert_eq!(names, ["Users.Get", "Users.Find", "Users.Follow", "Users.Numbers", "Users.Group", "Users.Forget"]);
    assert_eq!(router().descriptor().endpoints, users.endpoints);
    assert_eq!(StockRoomClient::descriptor().endpoints.len(), 2);
}

#[test]
fn futures_of_contracts_and_clients_may_move_between_threads() {
    fn sends<T: Send>(value: T) -> T {
        value
    }
    let (table, cx) = (Table(Vec::new()), Context::default());
    let users = UsersClient::new(router());
    drop(sends(table.get(&cx, 1)));
    drop(sends(table.follow(None)));
    drop(sends(users.get(&cx, 1)));
    drop(sends(users.follow(None)));
    drop(sends(users.numbers()));
}

/// Notes what it was asked, and answers nothing.
#[derive(Clone, Default)]
struct Notebook(Arc<Mutex<Vec<micro::Outgoing>>>);

impl Caller for Notebook {
    fn call(&self, call: micro::Outgoing) -> BoxFuture<'_, Result<Reply>> {
        self.0.lock().unwrap().push(call);
        async { Err(Error::unavailable("only a notebook")) }.boxed()
    }
}

#[tokio::test]
async fn a_call_carries_name_metadata_idempotence_and_timeout() {
    let notebook = Notebook::default();
    let mut metadata = Metadata::default();
    metadata.set("Mcp-Trace-Id", "t");
    let cx = Context { metadata, deadline: None };
    let _ = UsersClient::new(notebook.clone()).get(&cx, 7).await.unwrap_err();
    let _ = UsersClient::with_name(notebook.clone(), "eu.accounts").forget(7).await.unwrap_err();
    let _ = StockRoomClient::new(notebook.clone()).left().await.unwrap_err();
    let calls = notebook.0.lock().unwrap();
    let shown = calls.iter().map(|c| format!("{} {} {:?} {}", c.service, c.endpoint, c.body, c.idempotent));
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            r#"accounts Users.Get b"{\"id\":7}" true"#,
            r#"eu.accounts Users.Forget b"{\"id\":7}" false"#,
            r#"stock-room StockRoom.Left b"{}" false"#,
        ]
    );
    assert_eq!(calls[0].timeout, Some(std::time::Duration::from_millis(500)));
    assert_eq!(calls[0].cx.metadata.get("mcp-trace-id"), Some("t"));
}
