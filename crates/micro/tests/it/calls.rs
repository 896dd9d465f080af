//! Calls without a transport.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use micro::{Metadata, Router, prelude::*};
use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Profile {
    id: String,
    name: String,
}

#[derive(Deserialize, JsonSchema)]
struct GetRequest {
    id: String,
}

#[derive(Serialize, JsonSchema)]
struct Address {
    #[schemars(email)]
    email: &'static str,
}

#[derive(Debug)]
struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the table /secret is full")
    }
}

impl std::error::Error for Full {}

#[derive(Default)]
struct Users(Mutex<HashMap<String, Profile>>);

#[micro::service]
impl Users {
    /// Retrieve a user profile by ID. Returns the full profile.
    ///
    /// @example {"id": "user-123"}
    #[endpoint(scopes = ["users:read"], read_only, idempotent)]
    async fn get(&self, req: GetRequest) -> Result<Profile> {
        self.find(&req.id).ok_or_else(|| Error::not_found(format!("no user {}", req.id)))
    }

    /// Create a user.
    #[endpoint(scopes = ["users:write"])]
    async fn create(
        &self,
        /** Full name, as printed on invoices. */
        name: String,
        mut id: Option<String>,
    ) -> Result<Profile> {
        let profile = Profile { id: id.take().unwrap_or_else(|| name.to_lowercase()), name };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(profile.id.clone(), profile.clone());
        Ok(profile)
    }

    /// Say who calls.
    #[endpoint]
    fn whoami(&self, cx: &Context) -> Option<String> {
        cx.account().map(str::to_owned)
    }

    /// Say who calls, and keep the context.
    #[endpoint]
    async fn greet(&self, greeting: String, cx: Context, r#type: u8) -> String {
        format!("{greeting} {} {}", cx.account().unwrap_or("nobody"), r#type)
    }

    /// Fail with an error of the user's own.
    #[endpoint]
    async fn fill(&self) -> Result<(), Full> {
        Err(Full)
    }

    /// Forget everyone.
    #[endpoint(destructive)]
    fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Say where to write to.
    #[endpoint]
    fn address(&self, fine: bool) -> Address {
        Address { email: if fine { "ada@example.org" } else { "nowhere" } }
    }

    /// Do what nobody expected.
    #[endpoint]
    async fn panic(&self) -> Result<()> {
        panic!("on purpose")
    }

    fn find(&self, id: &str) -> Option<Profile> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

fn users() -> Router {
    Router::new("users", "1").handle(Users::default())
}

async fn failure(endpoint: &str, arguments: Value) -> Error {
    users().call::<Value>(endpoint, arguments).await.unwrap_err()
}

#[tokio::test]
async fn what_one_call_writes_another_reads() {
    let users = users();
    let created: Profile = users.call("Users.Create", json!({"name": "Ada"})).await.unwrap();
    let read: Profile = users.call("Users.Get", json!({"id": "ada"})).await.unwrap();
    assert_eq!(created, read);
    let none: Value = users.call("Users.Clear", json!({})).await.unwrap();
    assert_eq!(none, Value::Null);
    assert_eq!(users.call::<Profile>("Users.Get", json!({"id": "ada"})).await.unwrap_err().code, 404);
}

#[tokio::test]
async fn the_context_is_filled_from_the_call_wherever_it_stands() {
    let mut metadata = Metadata::default();
    metadata.set("Mcp-Account-Id", "acme");
    let cx = Context { metadata, deadline: None };
    for (endpoint, arguments, expected) in
        [("Users.Whoami", "", r#""acme""#), ("Users.Greet", r#"{"greeting":"hi","type":7}"#, r#""hi acme 7""#)]
    {
        let reply = users().dispatch(endpoint, cx.clone(), arguments.into()).await.unwrap();
        let micro::Reply::Value(json) = reply else { panic!("{reply:?}") };
        assert_eq!(json, expected);
    }
}

#[tokio::test]
async fn errors_carry_code_and_service_and_hide_foreign_text() {
    let missing = failure("Users.Get", json!({"id": "7"})).await;
    assert_eq!((missing.code, &*missing.detail, &*missing.id), (404, "no user 7", "users"));
    let foreign = failure("Users.Fill", json!({})).await;
    assert_eq!((foreign.code, &*foreign.detail), (500, "internal error"));
    assert!(foreign.source().unwrap().to_string().contains("/secret"));
    let panicked = failure("Users.Panic", json!({})).await;
    assert_eq!(panicked.code, 500);
    assert!(!panicked.detail.contains("on purpose"));
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_the_callers_mistake() {
    for (endpoint, arguments, reason) in [
        ("Users.Get", json!({}), "missing field `id`"),
        ("Users.Get", json!({"id": 7}), "invalid type: integer `7`"),
        ("Users.Create", json!({"id": "x"}), "missing field `name`"),
        ("Users.Get", json!(["7"]), "not a JSON object"),
        ("Users.Clear", json!("all"), "not a JSON object"),
    ] {
        let error = failure(endpoint, arguments).await;
        assert_eq!(error.code, 400, "{endpoint}: {error}");
        assert!(error.detail.contains(reason), "{endpoint}: {error}");
    }
    assert_eq!(failure("Users.Nope", json!({})).await.code, 404);
}

#[tokio::test]
async fn a_unit_test_hears_of_an_answer_that_breaks_its_schema() {
    let address: Value = users().call("Users.Address", json!({"fine": true})).await.unwrap();
    assert_eq!(address["email"], "ada@example.org");
    let broken = failure("Users.Address", json!({"fine": false})).await;
    assert_eq!(broken.code, 500);
    assert!(broken.detail.contains("Users.Address") && broken.detail.contains("/email: "), "{broken}");
}

#[tokio::test]
async fn a_number_that_no_endpoint_has_is_an_error() {
    let users = std::sync::Arc::new(Users::default());
    let reply = micro::Service::dispatch(users, 99, Context::default(), Default::default()).await;
    assert_eq!(reply.unwrap_err().code, 500);
}
