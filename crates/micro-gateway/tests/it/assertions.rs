//! What a service believes about who calls, and what not.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use micro::{Drain, prelude::*};
use micro_policy::{Asserter, Assertion, Signer};
use micro_registry::{MemoryRegistry, Registry};
use micro_rpc::GatewayKeys;
use serde_json::json;

use crate::{
    access::{account, call},
    fixture::{Running, empty, until},
};

/// Says what it was told.
struct Orders;

#[micro::service]
impl Orders {
    /// Who calls.
    #[endpoint]
    async fn who(&self, cx: &Context) -> Result<Vec<Option<String>>> {
        Ok([cx.account(), cx.tenant(), cx.intent()].map(|said| said.map(str::to_owned)).into())
    }

    /// Asks for a scope by itself.
    #[endpoint]
    async fn write(&self, cx: &Context) -> Result<bool> {
        cx.require("orders:write")?;
        Ok(true)
    }
}

/// A gateway that signs, `orders` that wants that, and where `orders` listens.
async fn start(folder: &Path) -> (Running, String) {
    let registry = MemoryRegistry::default();
    let config = [
        &format!("assertion_key = '{}'\n", folder.join("gateway.key").display()),
        &*account("alice", "tenant = 'acme'\nscopes = ['orders:write']"),
        &account("bob", "scopes = ['orders:read']"),
    ]
    .concat();
    let gateway = empty(&config, registry.clone()).await;
    let keys = GatewayKeys::from_pem(&std::fs::read_to_string(folder.join("gateway.pub")).unwrap()).unwrap();
    serve(&registry, gateway.drain.clone(), Some(keys));
    until(&gateway.catalog, |tools| tools == 2).await;
    let address = registry.list().await.unwrap()[0].node.address.clone();
    (gateway, address)
}

fn serve(registry: &MemoryRegistry, drain: Drain, gateway_keys: Option<GatewayKeys>) {
    let config = micro_rpc::Config { gateway_keys, ..micro_rpc::Config::default() };
    let app = micro::service("orders").handle(Orders).config(config).registry(Arc::new(registry.clone()));
    tokio::spawn(async move { app.run_until(drain).await.unwrap() });
}

/// Straight to the service, past the gateway.
async fn straight(gateway: &Running, address: &str, endpoint: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let answer = gateway.send_to(address, "POST", &format!("/{endpoint}"), headers, "{}").await;
    (answer.status.as_u16(), answer.text)
}

#[tokio::test]
async fn the_gateways_word_reaches_the_service_on_every_front() {
    let folder = tempfile::tempdir().unwrap();
    let (gateway, _) = start(folder.path()).await;
    for front in super::access::FRONTS {
        for (who, told, write) in [
            ("alice", r#"["alice","acme",null]"#, true),
            ("bob", r#"["bob",null,null]"#, false),
            ("", "[null,null,null]", true), // where nobody is asked for a credential, everything is allowed
        ] {
            let answer = call(&gateway, front, "orders.Orders.Who", json!({}), who).await;
            assert!(answer.text.replace('\\', "").contains(told), "{front} {who}: {}", answer.text);
            let answer = call(&gateway, front, "orders.Orders.Write", json!({}), who).await;
            assert_eq!(answer.text.contains("the scope `orders:write` is needed"), !write, "{front}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn nobody_else_can_say_who_calls() {
    let folder = tempfile::tempdir().unwrap();
    let (gateway, address) = start(folder.path()).await;
    let key = std::fs::read_to_string(folder.path().join("gateway.key")).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let sign = |signer: Signer, service: &str, at: u64| {
        let admin = Assertion { account: Some("admin".into()), scopes: "*".into(), ..Assertion::default() };
        Asserter::new(signer).sign(&admin, service, at).to_string()
    };
    let own = || Signer::from_pem(&key).unwrap();
    let smuggled = [("mcp-account-id", "admin"), ("Mcp-Scopes", "*"), ("mcp-tenant", "acme"), ("mcp-intent-id", "i")];
    for (what, assertion, status, told) in [
        ("headers alone", None, 200, "[null,null,null]"),
        ("another key", Some(sign(Signer::generate().0, "orders", now)), 401, "not signed by a gateway"),
        ("another service's", Some(sign(own(), "users", now)), 401, "for another service"),
        ("an old one", Some(sign(own(), "orders", now - 3600)), 401, "expired"),
        ("one of tomorrow", Some(sign(own(), "orders", now + 3600)), 401, "good for too long"),
        ("none at all", Some("e30.e30.".to_owned()), 401, "malformed"),
        ("not even text", Some("\u{fc}".to_owned()), 401, "malformed"),
        ("the gateway's own", Some(sign(own(), "orders", now)), 200, r#"["admin",null,null]"#),
    ] {
        let mut headers = smuggled.to_vec();
        headers.extend(assertion.as_deref().map(|text| ("mcp-assertion", text)));
        let (code, text) = straight(&gateway, &address, "Orders.Who", &headers).await;
        assert!(code == status && text.contains(told), "{what}: {code} {text}");
        let (code, _) = straight(&gateway, &address, "Orders.Write", &headers).await;
        assert_eq!(
            code,
            if status == 401 {
                401
            } else if assertion.is_some() {
                200
            } else {
                403
            },
            "{what}"
        );
    }
    let good = sign(own(), "orders", now);
    let twice = [("mcp-assertion", &*good), ("mcp-assertion", &*good)];
    assert_eq!(straight(&gateway, &address, "Orders.Who", &twice).await.0, 401, "two of them");
    // Nor through the gateway: what a caller sends under these names is not read there.
    let headers = [&smuggled[..], &[("mcp-assertion", &*good)]].concat();
    let answer = gateway.send("POST", "/api/orders/Orders.Who", &headers, "").await;
    assert_eq!(answer.text, "[null,null,null]");
}

#[tokio::test]
async fn the_key_is_made_once_and_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (first, _) = start(folder.path()).await;
    let key = folder.path().join("gateway.key");
    let before = std::fs::read_to_string(&key).unwrap();
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    drop(first);
    start(folder.path()).await;
    assert_eq!(std::fs::read_to_string(&key).unwrap(), before);
}

#[tokio::test]
async fn without_a_key_the_headers_are_believed_as_they_always_were() {
    let registry = MemoryRegistry::default();
    let gateway = empty("", registry.clone()).await;
    serve(&registry, gateway.drain.clone(), None);
    until(&gateway.catalog, |tools| tools == 2).await;
    let address = registry.list().await.unwrap()[0].node.address.clone();
    let headers = [("mcp-account-id", "alice"), ("mcp-assertion", "whatever")];
    let wait = tokio::time::timeout(Duration::from_secs(20), straight(&gateway, &address, "Orders.Who", &headers));
    assert_eq!(wait.await.unwrap(), (200, r#"["alice",null,null]"#.to_owned()));
}
