//! A gateway on a socket and one on a pipe, with the same settings, store and service, and what they wrote down.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use jiff::Timestamp;
use micro::prelude::*;
use micro_gateway::{ApiKeys, AuditTo, Config, Core, NewApiKey};
use micro_registry::MemoryRegistry;
use micro_store::Location;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex, split};

use super::{
    GOOD, NOTE, Shows,
    fronts::{Front, Told},
};
use crate::{
    fixture::{Answer, Running, launch, until},
    identity::Signer,
};

const ISSUER: &str = "https://issuer.example";
const RESOURCE: &str = "https://gateway.example/mcp";
const POLICIES: &str = r#"
@id("everyone")
permit(principal, action, resource);

@id("few-stars")
forbid(principal, action == Action::"notes.Notes.Keep", resource)
when { context.arguments has stars && context.arguments.stars > 3 };
"#;

/// Keeps notes, and counts how often it is asked to.
struct Notes(Arc<AtomicU64>);

#[derive(Serialize, Deserialize, JsonSchema)]
struct Note {
    text: String,
    stars: Option<u8>,
}

#[micro::service]
impl Notes {
    /// Keep a note.
    #[endpoint(scopes = ["notes:write"], idempotent)]
    async fn keep(&self, req: Note) -> Result<Note> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(req)
    }
}

pub(super) struct Site {
    gateway: Running,
    pipe: Core,
    /// Whether who comes through it has to show something.
    needed: bool,
    records: Arc<Mutex<Vec<Value>>>,
    reached: Arc<AtomicU64>,
    issuer: Signer,
    /// An API key that was revoked, an intent without calls left, one for another tool.
    revoked: String,
    spent: String,
    other: String,
    _folder: tempfile::TempDir,
}

impl Site {
    pub(super) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let issuer = Signer::new();
        std::fs::write(at("keys.json"), json!({"keys": [issuer.published()]}).to_string()).unwrap();
        std::fs::write(at("notes.cedar"), POLICIES).unwrap();
        let config: Config = toml::from_str(&format!(
            r#"
            store = "sqlite:{}"
            policies = ["{}"]
            [auth]
            mode = "embedded"
            [[auth.issuers]]
            issuer = "{ISSUER}"
            audience = ["{RESOURCE}"]
            jwks_file = "{}"
            claims.tenant = "org"
            claims.tenants = ["acme", "umbrella"]
            [roles.reader]
            scopes = ["notes:read"]
            [tenants.acme]
            tools = ["notes.*"]
            [tenants.umbrella]
            tools = ["umbrella.*"]
            "#,
            at("micro.db"),
            at("notes.cedar"),
            at("keys.json"),
        ))
        .unwrap();

        let records = Arc::new(Mutex::new(Vec::new()));
        let kept = records.clone();
        let sink = AuditTo::Function(Arc::new(move |record| kept.lock().unwrap().push(shown(record))));
        let (registry, reached) = (MemoryRegistry::default(), Arc::new(AtomicU64::new(0)));
        let gateway = launch(config.clone(), registry.clone(), Some(sink.clone())).await;
        let service = micro::service("notes").handle(Notes(reached.clone())).registry(Arc::new(registry.clone()));
        let drain = gateway.drain.clone();
        tokio::spawn(async move { service.run_until(drain).await.unwrap() });
        let here = Config { address: gateway.address, ..config };
        let pipe = here.core_with(Arc::new(registry), false, sink).unwrap();
        until(&gateway.catalog, |tools| tools > 0).await;
        until(pipe.catalog(), |tools| tools > 0).await;

        let revoked = revoked_key(&here.store).await;
        let mut site = Self {
            gateway,
            pipe,
            needed: here.auth.needed_on_a_pipe(),
            records,
            reached,
            issuer,
            revoked,
            spent: String::new(),
            other: String::new(),
            _folder: folder,
        };
        site.spent = site.intent("notes.Notes.Keep").await;
        site.other = site.intent("notes.Notes.Count").await;
        let spent = site.call(Front::Rest, Some(&site.spent), NOTE).await;
        assert_eq!(spent.status, Some(200), "{spent:?}");
        site.records();
        site.reached();
        site
    }

    /// Where the gateway is.
    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.gateway.address)
    }

    pub(super) fn credential(&self, shows: Shows) -> Option<String> {
        match shows {
            Shows::Nothing => None,
            Shows::Text(text) => Some(text.to_owned()),
            Shows::Token(changes) => Some(self.token(changes)),
            Shows::RevokedKey => Some(self.revoked.clone()),
            Shows::SpentIntent => Some(self.spent.clone()),
            Shows::OtherIntent => Some(self.other.clone()),
        }
    }

    /// A token of the issuer.
    fn token(&self, changes: &str) -> String {
        let mut claims = json!({
            "iss": ISSUER, "aud": RESOURCE, "sub": "agent", "org": "acme", "scope": "notes:write", "exp": 4_100_000_000u32,
        });
        let changes: serde_json::Map<String, Value> = serde_json::from_str(changes).unwrap();
        claims.as_object_mut().unwrap().extend(changes);
        self.issuer.sign(&json!({"alg": "ES256", "kid": "k"}), &claims)
    }

    /// A token for one call of a tool.
    async fn intent(&self, tool: &str) -> String {
        let token = self.token(GOOD);
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")
            .append_pair("subject_token_type", "urn:ietf:params:oauth:token-type:access_token")
            .append_pair("subject_token", &token)
            .append_pair("intent_message", "Keep a note")
            .append_pair("intent_tools", tool)
            .append_pair("intent_calls", "1")
            .finish();
        let answer = self.gateway.send("POST", "/oauth/token", &[], &form).await;
        answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
    }

    /// What was recorded since the last look.
    pub(super) fn records(&self) -> Vec<Value> {
        std::mem::take(&mut *self.records.lock().unwrap())
    }

    /// How often the service was called since the last look.
    pub(super) fn reached(&self) -> u64 {
        self.reached.swap(0, Ordering::Relaxed)
    }

    pub(super) async fn stop(self) {
        self.gateway.stop().await;
        self.pipe.close().await;
        assert_eq!(self.records.lock().unwrap().len(), 0, "nothing is written down later");
    }

    pub(super) async fn call(&self, front: Front, token: Option<&str>, arguments: &str) -> Told {
        let bearer = format!("Bearer {}", token.unwrap_or_default());
        let headers: &[(&str, &str)] = if token.is_some() { &[("authorization", &bearer)] } else { &[] };
        let arguments: Value = serde_json::from_str(arguments).unwrap();
        let params = json!({"name": front.asked(), "arguments": arguments});
        match front {
            Front::Modern => over_http(&self.gateway.modern("tools/call", params, token).await, mcp),
            Front::Legacy => {
                let begun = self.gateway.begin(token).await;
                // Whom no session is begun for tries the one of somebody else.
                let begun = if begun.status == 200 { begun } else { self.gateway.begin(Some(&self.token(GOOD))).await };
                over_http(&self.gateway.legacy_in(&begun, "tools/call", params, token).await, mcp)
            }
            Front::Stdio | Front::LegacyStdio => {
                let body = mcp(&self.on_the_pipe(front == Front::LegacyStdio, token, params).await);
                Told { status: None, challenge: None, body }
            }
            Front::Rest => {
                let answer = self.gateway.send("POST", "/api/notes/Notes.Keep", headers, &arguments.to_string()).await;
                over_http(&answer, Value::clone)
            }
            Front::Compat => {
                let body = json!({"tool": front.asked(), "input": arguments}).to_string();
                let answer = self.gateway.send("POST", "/mcp/call", headers, &body).await;
                over_http(&answer, |body| match &body["result"] {
                    Value::Null => body.clone(),
                    result => json!({ "result": result }),
                })
            }
        }
    }

    /// A client on a pipe of its own, which says everything at once, as one does that does not look at answers.
    async fn on_the_pipe(&self, legacy: bool, token: Option<&str>, mut params: Value) -> Value {
        let handler = match token {
            Some(token) => self.pipe.handler_for(token, self.needed).await,
            None => self.pipe.handler(self.needed),
        };
        let (mut ours, theirs) = duplex(64 << 10);
        let (input, output) = split(theirs);
        let serving = tokio::spawn(micro_mcp::stdio::serve(handler, input, output, micro::Drain::new()));
        let mut text = String::new();
        if legacy {
            let who = json!({"name": "test", "version": "1"});
            let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": who});
            let first = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
            text += &format!("{first}\n{}\n", json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        } else {
            params["_meta"] = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {}});
        }
        text += &format!("{}\n", json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}));
        ours.write_all(text.as_bytes()).await.unwrap();
        ours.shutdown().await.unwrap();
        let mut answers = String::new();
        ours.read_to_string(&mut answers).await.unwrap();
        serving.await.unwrap().unwrap();
        let mut answers = answers.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        answers.find(|answer| answer["id"] == 1).expect("an answer to the call")
    }
}

async fn revoked_key(store: &Location) -> String {
    let keys = ApiKeys::new(store.open().unwrap(), None);
    let (scopes, tenant) = (["notes:write"].into_iter().collect(), Some("acme".to_owned()));
    let new = NewApiKey { account: "agent".into(), scopes, tenant, ..NewApiKey::default() };
    let (key, record) = keys.create(new, Timestamp::now()).await.unwrap();
    keys.revoke(&record.id, Timestamp::now()).await.unwrap().unwrap();
    key.reveal().to_owned()
}

/// What the table says of a record. The names of intents are made up as they come.
fn shown(record: &micro_gateway::AuditRecord<'_>) -> Value {
    let record = serde_json::to_value(record).unwrap();
    let mut shown = json!({});
    for member in ["front", "tool", "account_id", "intent", "rule", "allowed", "denied_reason"] {
        shown[member] = record[member].clone();
    }
    if let Some(intent) = record["intent"].as_str() {
        shown["rule"] = record["rule"].as_str().map(|rule| rule.replace(intent, "ID")).into();
        shown["intent"] = "ID".into();
    }
    shown
}

fn over_http(answer: &Answer, read: impl Fn(&Value) -> Value) -> Told {
    let body = serde_json::from_str(&answer.text).unwrap_or_else(|_| Value::from(answer.text.as_str()));
    let challenge = answer.headers.get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
    Told { status: Some(answer.status.as_u16()), challenge, body: read(&body) }
}

/// The error of an answer, or the result in its text form.
fn mcp(answer: &Value) -> Value {
    match (&answer["error"], &answer["result"]) {
        (Value::Null, result) => {
            let failed = result["isError"].as_bool().unwrap_or_default();
            json!({"isError": failed, "text": result["content"][0]["text"]})
        }
        (error, _) => json!({"code": error["code"], "message": error["message"]}),
    }
}
