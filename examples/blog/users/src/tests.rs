//! The service as its callers see it, without a transport.

use blog_store::Store;
use blog_users::{Role, User, UserPage, UsersServer};
use micro::Router;
use serde_json::{Value, json};

use crate::{SCHEMA, accounts::Accounts};

fn users() -> Router {
    Router::new("users", "1").handle(UsersServer::new(Accounts::new(Store::in_memory(SCHEMA).unwrap())))
}

fn barbara() -> Value {
    json!({"handle": "barbara", "name": "Barbara Liskov", "email": "barbara@example.org"})
}

async fn page(users: &Router, arguments: Value) -> UserPage {
    users.call("Users.List", arguments).await.unwrap()
}

fn ids(page: &UserPage) -> Vec<u32> {
    page.users.iter().map(|user| user.id).collect()
}

#[tokio::test]
async fn a_new_user_can_be_read_and_listed() {
    let users = users();
    let mut arguments = barbara();
    arguments["profile"] = json!({"website": "https://example.org/barbara"});
    let created: User = users.call("Users.Create", arguments).await.unwrap();
    assert_eq!((created.id, created.role), (6, Role::Reader));
    assert_eq!(created.profile.website.as_deref(), Some("https://example.org/barbara"));
    let read: User = users.call("Users.Get", json!({"id": 6})).await.unwrap();
    assert_eq!(created, read);
    assert_eq!(page(&users, json!({"after": 5})).await.users, [created]);
}

#[tokio::test]
async fn a_handle_or_an_email_address_that_is_taken_is_a_conflict_that_says_so() {
    let users = users();
    for (key, value, says) in
        [("handle", "ada", "the handle `ada` belongs to user 1"), ("email", "GRACE@example.org", "belongs to user 2")]
    {
        let mut arguments = barbara();
        arguments[key] = json!(value);
        let error = users.call::<User>("Users.Create", arguments).await.unwrap_err();
        assert_eq!(error.code, 409, "{error}");
        assert!(error.detail.contains(says), "{error}");
    }
    assert_eq!(page(&users, json!({})).await.users.len(), 5);
}

#[tokio::test]
async fn pages_follow_one_another_and_end() {
    let users = users();
    let first = page(&users, json!({"limit": 3})).await;
    assert_eq!((ids(&first), first.next), (vec![1, 2, 3], Some(3)));
    let last = page(&users, json!({"limit": 3, "after": first.next})).await;
    assert_eq!((ids(&last), last.next), (vec![4, 5], None));
    let all = page(&users, json!({"limit": 5})).await;
    assert_eq!((all.users.len(), all.next), (5, None));
}

#[tokio::test]
async fn a_page_of_nothing_or_of_everything_is_brought_within_bounds() {
    assert_eq!(ids(&page(&users(), json!({"limit": 0})).await), [1]);
    assert_eq!(page(&users(), json!({"limit": u32::MAX})).await.users.len(), 5);
}

#[tokio::test]
async fn a_role_narrows_the_list() {
    assert_eq!(ids(&page(&users(), json!({"role": "author"})).await), [2, 3, 4]);
    assert_eq!(ids(&page(&users(), json!({"role": "editor"})).await), [1]);
}

#[tokio::test]
async fn a_deleted_user_is_shown_once_more_and_its_id_is_not_given_again() {
    let users = users();
    let deleted: User = users.call("Users.Delete", json!({"id": 5})).await.unwrap();
    assert_eq!(deleted.handle, "lin");
    for endpoint in ["Users.Get", "Users.Delete"] {
        let error = users.call::<User>(endpoint, json!({"id": 5})).await.unwrap_err();
        assert_eq!((error.code, &*error.detail), (404, "there is no user 5; Users.List shows everyone"));
    }
    let next: User = users.call("Users.Create", barbara()).await.unwrap();
    assert_eq!(next.id, 6);
}

#[test]
fn the_service_can_be_offered_and_says_what_each_endpoint_needs() {
    let users = users();
    users.check().unwrap();
    let needs: Vec<_> =
        users.descriptor().endpoints.iter().map(|endpoint| (&*endpoint.name, endpoint.scopes.join(" "))).collect();
    let expected = [
        ("Users.Get", "blog:read"),
        ("Users.List", "blog:read"),
        ("Users.Create", "blog:write"),
        ("Users.Delete", "blog:admin"),
    ];
    assert_eq!(needs, expected.map(|(name, scope)| (name, scope.to_owned())));
}
