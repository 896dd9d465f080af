//! The gateway with some of its policies, and a credential that it takes.

use std::{io::Write, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use clap::ValueEnum;
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use jiff::Timestamp;
use micro_gateway::{ApiKeys, Config, NewApiKey};
use micro_registry::{Instance, MemoryRegistry, Registry};
use micro_rpc::Router;
use micro_runtime::Drain;
use micro_store::Location;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::servers::Bench;

/// Something that a call has to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Policy {
    /// A static bearer token, with the scopes that the tool asks for.
    Token,
    /// An API key, with the same.
    Key,
    /// A token of the gateway's own authorization server (JWT), with the same.
    Jwt,
    /// A token for what a user asked; each call is counted, in a database that other gateways may share.
    Intent,
    /// The scopes come with a role that inherits another.
    Roles,
    /// The caller belongs to a tenant, one of fifty.
    Tenants,
    /// Cedar policies that look at the role, the arguments and the time.
    Cedar,
    /// The service is told who calls with a signature.
    Assertions,
    /// Records go to a stream.
    AuditStream,
    /// Records go to a folder of signed segments.
    AuditFolder,
    /// Records go to a database.
    AuditSqlite,
}

/// Rows of the comparison: a gateway with nothing, each policy alone (or with a static token, where it needs to know who
/// calls), and several together.
pub(crate) const ROWS: &[(&str, &[Policy])] = &[
    ("gateway, nothing", &[]),
    ("static token, scopes", &[Policy::Token]),
    ("API key, scopes", &[Policy::Key]),
    ("JWT, scopes", &[Policy::Jwt]),
    ("intent", &[Policy::Intent]),
    ("roles", &[Policy::Token, Policy::Roles]),
    ("tenants", &[Policy::Token, Policy::Tenants]),
    ("Cedar", &[Policy::Token, Policy::Cedar]),
    ("signed assertions", &[Policy::Token, Policy::Assertions]),
    ("audit, stream", &[Policy::AuditStream]),
    ("audit, folder", &[Policy::AuditFolder]),
    ("audit, SQLite", &[Policy::AuditSqlite]),
    USUAL,
    ("and Cedar, signed", &[Policy::Jwt, Policy::Cedar, Policy::Assertions, Policy::AuditFolder]),
    ("all, and an intent", ALL),
];

const ALL: &[Policy] =
    &[Policy::Intent, Policy::Roles, Policy::Tenants, Policy::Cedar, Policy::Assertions, Policy::AuditFolder];

/// What the budget is for.
pub(crate) const USUAL: (&str, &[Policy]) = ("JWT, scopes, audit", &[Policy::Jwt, Policy::AuditFolder]);

/// The scope of the one tool.
const SCOPE: &str = "bench:read";
/// The one account, whatever it shows.
const ACCOUNT: &str = "bench";
const SECRET: &str = "bench-0123456789abcdef";
/// Calls of one intent: the most there can be.
const CALLS: u32 = 1_000_000;

/// Policies as one has them: for roles, for scopes, by the day, by the arguments. The second permits what is measured.
const CEDAR: &str = r#"
permit(principal in Role::"auditor", action, resource);
permit(principal, action, resource) when { principal.scopes.contains("bench:read") };
forbid(principal in Role::"weekdays", action, resource) when { ["saturday", "sunday"].contains(context.weekday) };
forbid(principal, action, resource == Tool::"bench.Bench.Bytes") when { context.arguments.size > 1000000 };
"#;

/// Serves the gateway in front of a service until killed; prints where it is, and the credential it takes.
pub(crate) async fn serve(service: &str, policies: &[Policy]) -> Result<()> {
    let registry = MemoryRegistry::default();
    let descriptor = Router::new("bench", "1").handle(Bench).descriptor().clone();
    registry.register(&Instance::new(&descriptor, "1", service), Duration::from_secs(3600)).await?;
    let folder = tempfile::tempdir()?;
    let config: Config = serde_json::from_value(config(policies, &folder)?)?;
    let key = match policies.contains(&Policy::Key) {
        true => Some(key(&config.store).await?),
        false => None,
    };
    let gateway = config.build(Arc::new(registry)).await.map_err(micro_core::Error::into_std)?;
    gateway.catalog().settled().await;
    println!("http://{}", gateway.address());
    let address = gateway.address().to_string();
    let running = tokio::spawn(gateway.run(Drain::new()));
    let credential = match key {
        Some(key) => key,
        None => credential(&address, policies).await?,
    };
    println!("credential {credential}");
    running.await?;
    Ok(())
}

fn config(policies: &[Policy], folder: &TempDir) -> Result<Value> {
    let path = |name: &str| folder.path().join(name).display().to_string();
    let has = |policy| policies.contains(&policy);
    let mut config = json!({"address": "127.0.0.1:0", "auth": {"mode": "off"}});
    if has(Policy::Token) {
        config["auth"]["mode"] = "on".into();
    }
    if has(Policy::Key) {
        config["auth"]["mode"] = "on".into();
    }
    if has(Policy::Jwt) || has(Policy::Intent) {
        config["auth"]["mode"] = "embedded".into();
    }
    if has(Policy::Key) || has(Policy::Jwt) || has(Policy::Intent) {
        config["store"] = format!("sqlite:{}", path("store.db")).into();
    }
    let mut account = json!({"account": ACCOUNT, "scopes": [SCOPE], "token": SECRET});
    if has(Policy::Roles) {
        account["scopes"] = json!([]);
        account["roles"] = json!(["clerk"]);
        config["roles"] = json!({"clerk": {"inherits": ["reader"]}, "reader": {"scopes": [SCOPE]}});
    }
    if has(Policy::Tenants) {
        account["tenant"] = "tenant7".into();
        let tenants = (0..50).map(|n| (format!("tenant{n}"), json!({"tools": ["bench.*", format!("other{n}.*")]})));
        config["tenants"] = Value::Object(tenants.collect());
    }
    config["auth"]["tokens"] = json!([account]);
    if has(Policy::Jwt) {
        let client = json!({"id": "machine", "secret": SECRET, "grants": ["client_credentials"], "scopes": [SCOPE]});
        config["auth"]["embedded"] = json!({"clients": [client], "access_lifetime": 86_400});
    }
    if has(Policy::Cedar) {
        std::fs::File::create(path("bench.cedar"))?.write_all(CEDAR.as_bytes())?;
        config["policies"] = json!([path("bench.cedar")]);
    }
    if has(Policy::Assertions) {
        config["assertion_key"] = path("assertion.pem").into();
    }
    for (policy, to) in [
        (Policy::AuditStream, "/dev/null".to_owned()),
        (Policy::AuditFolder, path("audit")),
        (Policy::AuditSqlite, format!("sqlite:{}", path("audit.db"))),
    ] {
        if has(policy) {
            config["audit"] = json!({"to": to});
        }
    }
    Ok(config)
}

/// An API key, made as `micro auth key` makes it.
async fn key(store: &Location) -> Result<String> {
    let new = NewApiKey {
        account: ACCOUNT.to_owned(),
        scopes: [SCOPE].into_iter().collect(),
        roles: Vec::new(),
        tenant: None,
        expires: None,
    };
    let (key, _) =
        ApiKeys::new(store.open()?, None).create(new, Timestamp::now()).await.map_err(micro_core::Error::into_std)?;
    Ok(key.reveal().to_owned())
}

/// What a caller shows, got from the gateway where that gives it.
async fn credential(address: &str, policies: &[Policy]) -> Result<String> {
    if policies.contains(&Policy::Intent) {
        let grant = "urn:ietf:params:oauth:grant-type:token-exchange";
        let kind = "urn:ietf:params:oauth:token-type:access_token";
        let form = format!(
            "grant_type={grant}&subject_token={SECRET}&subject_token_type={kind}&intent_message=Measure&intent_tools=bench.*&intent_calls={CALLS}&intent_lifetime=3600"
        );
        token(address, form).await
    } else if policies.contains(&Policy::Jwt) {
        let form = format!("grant_type=client_credentials&client_id=machine&client_secret={SECRET}");
        token(address, form).await
    } else {
        Ok(SECRET.to_owned())
    }
}

async fn token(address: &str, form: String) -> Result<String> {
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::post(format!("http://{address}/oauth/token"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(form.into()))?;
    let (parts, body) = client.request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    ensure!(parts.status == 200, "no token: {}", String::from_utf8_lossy(&body));
    let answer: Value = serde_json::from_slice(&body)?;
    Ok(answer["access_token"].as_str().context("an answer has a token")?.to_owned())
}
