//! API keys, and credentials that are taken back.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use micro::Drain;
use micro_gateway::{ApiKeys, AuditTo, Config, Core, NewApiKey, NewUser, Scopes, Users};
use micro_registry::MemoryRegistry;
use micro_store::{Location, Store};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, duplex, split};

use super::issuers::{FRONTS, keep};
use crate::fixture::{Running, serve, start, until};

/// A store that gateways share, as long as the folder is there.
fn shared() -> (tempfile::TempDir, String, Store) {
    let folder = tempfile::tempdir().unwrap();
    let place = format!("sqlite:{}", folder.path().join("micro.db").display());
    let store = place.parse::<Location>().unwrap().open().unwrap();
    (folder, place, store)
}

async fn gateway(place: &str) -> Running {
    start(&format!(
        "store = \"{place}\"\nauth.mode = \"on\"\n[[auth.tokens]]\naccount = \"a\"\ntoken = \"0123456789abcdef\""
    ))
    .await
}

fn writer() -> NewApiKey {
    NewApiKey { account: "agent".into(), scopes: ["notes:write"].into_iter().collect(), ..NewApiKey::default() }
}

/// Waits until a key gets this status.
async fn becomes(gateway: &Running, key: &str, status: u16) -> String {
    let wait = async {
        loop {
            let (given, text) = keep(gateway, "rest", key).await;
            if given == status {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(20)).await; // between two looks
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.expect("it becomes so")
}

#[tokio::test]
async fn a_key_opens_every_front_until_it_is_revoked_at_every_gateway() {
    let (_folder, place, store) = shared();
    let (one, other) = (gateway(&place).await, gateway(&place).await);
    let keys = ApiKeys::new(store, None);
    let (key, record) = keys.create(writer(), Timestamp::now()).await.unwrap();
    for gateway in [&one, &other] {
        for front in FRONTS {
            let (status, text) = keep(gateway, front, key.reveal()).await;
            assert_eq!(status, 200, "{front}: {text}");
        }
    }
    keys.revoke(&record.id, Timestamp::now()).await.unwrap().unwrap();
    for gateway in [&one, &other] {
        assert!(becomes(gateway, key.reveal(), 401).await.contains("revoked credential"));
    }
    let records = one.stop().await;
    assert_eq!((&records[0]["account_id"], &records[0]["allowed"]), (&json!("agent"), &json!(true)));
    assert!(!records.iter().any(|record| record.to_string().contains(key.reveal())));
}

#[tokio::test]
async fn keys_that_are_not_good_are_refused() {
    let (_folder, place, store) = shared();
    let gateway = gateway(&place).await;
    let keys = ApiKeys::new(store, None);
    let now = Timestamp::now();
    let (key, _) = keys.create(writer(), now).await.unwrap();
    let (expired, _) = keys.create(NewApiKey { expires: Some(now), ..writer() }, now).await.unwrap();
    let (powerless, _) = keys.create(NewApiKey { scopes: ["a"].into_iter().collect(), ..writer() }, now).await.unwrap();
    // The same form, and of no store: the checksum is no secret.
    let (_other, _, elsewhere) = shared();
    let (stranger, _) = ApiKeys::new(elsewhere, None).create(writer(), now).await.unwrap();
    let mistyped = key.reveal().replacen(|c: char| c.is_ascii_digit(), "_", 1);
    for (text, status, told) in [
        (key.reveal(), 200, "a"),
        (expired.reveal(), 401, "expired token"),
        (powerless.reveal(), 403, "insufficient scopes"),
        (stranger.reveal(), 401, "invalid token"),
        (&mistyped, 401, "invalid token"),
        (&key.reveal()[..64], 401, "invalid token"),
    ] {
        for front in FRONTS {
            let (given, said) = keep(&gateway, front, text).await;
            assert_eq!((given, said.contains(told)), (status, true), "{front}: {said}");
        }
    }
}

#[tokio::test]
async fn no_key_and_no_user_has_a_name_that_could_be_more_than_one_line() {
    let (_folder, _, store) = shared();
    let (keys, users) = (ApiKeys::new(store.clone(), None), Users::new(store));
    for bad in ["", "a\nb", "\u{1b}[2J", &"x".repeat(257)] {
        for new in [
            NewApiKey { account: bad.into(), ..writer() },
            NewApiKey { roles: vec!["reader".into(), bad.into()], ..writer() },
            NewApiKey { tenant: Some(bad.into()), ..writer() },
        ] {
            let error = keys.create(new, Timestamp::now()).await.unwrap_err().to_string();
            assert!(error.contains("is no name") && !error.contains(['\n', '\u{1b}']), "{error}");
        }
        let user = |name: &str| NewUser {
            name: name.into(),
            password: "correct horse battery".into(),
            scopes: Scopes::default(),
            roles: Vec::new(),
            tenant: None,
        };
        for new in [
            user(bad),
            NewUser { roles: vec![bad.into()], ..user("alice") },
            NewUser { tenant: Some(bad.into()), ..user("alice") },
        ] {
            assert!(users.add(new).await.is_err(), "{bad:?}");
        }
    }
    assert!(keys.list().await.unwrap().is_empty() && users.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_rotated_key_goes_on_for_its_grace_and_ends() {
    let (_folder, place, store) = shared();
    let gateway = gateway(&place).await;
    let keys = ApiKeys::new(store, None);
    let (old, record) = keys.create(writer(), Timestamp::now()).await.unwrap();
    assert_eq!(keep(&gateway, "rest", old.reveal()).await.0, 200);
    let now = Timestamp::now();
    let (new, made) = keys.rotate(&record.id, Duration::from_secs(5), now).await.unwrap().unwrap();
    assert_eq!((made.account.as_str(), &made.scopes), ("agent", &record.scopes));
    for key in [&old, &new] {
        assert_eq!(keep(&gateway, "rest", key.reveal()).await.0, 200);
    }
    becomes(&gateway, old.reveal(), 401).await;
    assert!(Timestamp::now().duration_since(now) >= SignedDuration::from_secs(5), "the grace was not given");
    assert_eq!(keep(&gateway, "rest", new.reveal()).await.0, 200);
    assert!(keys.rotate(&record.id, Duration::ZERO, Timestamp::now()).await.unwrap().is_none(), "it has ended");
    let listed = keys.list().await.unwrap();
    let old = listed.iter().find(|key| key.id == record.id).unwrap();
    assert_eq!(old.replaced_by.as_ref(), Some(&made.id));
}

#[tokio::test]
async fn a_key_that_is_revoked_while_a_body_comes_is_of_no_use_for_it() {
    let (_folder, place, store) = shared();
    let gateway = gateway(&place).await;
    let keys = ApiKeys::new(store, None);
    let (key, record) = keys.create(writer(), Timestamp::now()).await.unwrap();
    assert_eq!(keep(&gateway, "rest", key.reveal()).await.0, 200);
    let mut slow = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
    let head = format!(
        "POST /api/notes/Notes.Keep HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\nconnection: close\r\n\
         content-length: 12\r\n\r\n{{\"text\"",
        key.reveal()
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    keys.revoke(&record.id, Timestamp::now()).await.unwrap().unwrap();
    becomes(&gateway, key.reveal(), 401).await;
    slow.write_all(br#":"a"}"#).await.unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("revoked credential"), "{answer}");
}

#[tokio::test]
async fn of_many_who_end_a_key_at_once_the_strictest_wins() {
    let (_folder, _, store) = shared();
    let keys = ApiKeys::new(store, None);
    let now = Timestamp::now();
    let hour = Duration::from_secs(3600);

    let (_, record) = keys.create(writer(), now).await.unwrap();
    let (one, other) = tokio::join!(keys.rotate(&record.id, hour, now), keys.rotate(&record.id, hour, now));
    assert_eq!([one, other].into_iter().filter(|made| made.as_ref().unwrap().is_some()).count(), 1);
    assert_eq!(keys.list().await.unwrap().len(), 2, "the old one and one that takes its place");

    let (_, record) = keys.create(writer(), now).await.unwrap();
    let (rotated, revoked) = tokio::join!(keys.rotate(&record.id, hour, now), keys.revoke(&record.id, now));
    let (made, _) = (rotated.unwrap(), revoked.unwrap().unwrap());
    let listed = keys.list().await.unwrap();
    let old = listed.iter().find(|key| key.id == record.id).unwrap();
    assert_eq!(old.revoked, Some(now), "it was given an hour after it was revoked");
    assert_eq!(listed.len(), if made.is_some() { 4 } else { 3 });
}

#[tokio::test]
async fn of_many_who_make_keys_at_once_all_keys_are_good() {
    let (_folder, place, _store) = shared();
    let gateway = gateway(&place).await;
    let create = async |n: usize| {
        let keys = ApiKeys::new(place.parse::<Location>().unwrap().open().unwrap(), None);
        keys.create(NewApiKey { account: format!("agent-{n}"), ..writer() }, Timestamp::now()).await.unwrap().0
    };
    // Each has a store of its own on the file; the first also makes what all are hashed with.
    let made = futures_util::future::join_all((0..8).map(create)).await;
    for key in made {
        assert_eq!(keep(&gateway, "rest", key.reveal()).await.0, 200);
    }
}

/// One client at the other end of a pipe.
struct Client {
    reader: BufReader<tokio::io::ReadHalf<tokio::io::DuplexStream>>,
    writer: tokio::io::WriteHalf<tokio::io::DuplexStream>,
}

impl Client {
    async fn of(core: &Core, token: &str) -> Self {
        let (ours, theirs) = duplex(64 << 10);
        let (input, output) = split(theirs);
        let handler = core.handler_for(token, true).await;
        tokio::spawn(micro_mcp::stdio::serve(handler, input, output, Drain::new()));
        let (reader, writer) = split(ours);
        Self { reader: BufReader::new(reader), writer }
    }

    async fn keep(&mut self) -> Value {
        let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
        let params = json!({"name": "notes_Keep", "arguments": {"text": "a"}, "_meta": meta});
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        self.writer.write_all(format!("{call}\n").as_bytes()).await.unwrap();
        let mut line = String::new();
        self.reader.read_line(&mut line).await.unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

#[tokio::test]
async fn what_is_taken_back_ends_on_connections_that_are_open() {
    let config: Config =
        toml::from_str("[[auth.tokens]]\naccount = \"a\"\nscopes = [\"notes:write\"]\ntoken = \"0123456789abcdef\"")
            .unwrap();
    let (registry, drain) = (MemoryRegistry::default(), Drain::new());
    serve(&registry, "notes", drain.clone());
    let core = config.core_with(Arc::new(registry), false, AuditTo::Nowhere).unwrap();
    until(core.catalog(), |tools| tools > 0).await;
    let token = "0123456789abcdef";
    let digest = "9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f";
    let (mut one, mut other) = (Client::of(&core, token).await, Client::of(&core, token).await);
    for client in [&mut one, &mut other] {
        assert_eq!(client.keep().await["result"]["structuredContent"]["text"], "a");
    }
    assert!(!core.handle().revoke("token/nobody's").await.unwrap());
    assert!(core.handle().revoke(&format!("token/{digest:.16}")).await.unwrap());
    for client in [&mut one, &mut other] {
        let ended = async {
            while client.keep().await["error"]["message"] != "Unauthorized: revoked credential" {
                tokio::time::sleep(Duration::from_millis(20)).await; // between two looks
            }
        };
        tokio::time::timeout(Duration::from_secs(10), ended).await.expect("it ends");
    }
    drain.begin();
    core.close().await;
}
