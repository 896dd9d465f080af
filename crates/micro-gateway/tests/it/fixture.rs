//! Services, a gateway in front of them, and an HTTP client.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use micro::{Drain, prelude::*};
use micro_gateway::{AuditLocation, AuditReader, AuditText, AuditTo, Catalog, Config, Handle};
use micro_registry::{MemoryRegistry, Registry};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

/// Keeps notes.
pub(crate) struct Notes;

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Note {
    /// At most 20 characters.
    #[schemars(length(max = 20))]
    text: String,
    stars: Option<u8>,
}

#[micro::service]
impl Notes {
    /// Keep a note.
    ///
    /// @example {"text": "buy milk"}
    #[endpoint(scopes = ["notes:write"], idempotent)]
    async fn keep(&self, req: Note) -> Result<Note> {
        Ok(req)
    }

    /// How many notes there are.
    #[endpoint(scopes = ["notes:read"], read_only)]
    async fn count(&self) -> Result<u32> {
        Ok(7)
    }

    /// What the gateway asserted about the call.
    #[endpoint]
    async fn whoami(&self, cx: &Context) -> Result<Vec<(String, String)>> {
        Ok(cx.metadata.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
    }

    /// Every note, one by one.
    #[endpoint(read_only)]
    async fn all(&self) -> impl Stream<Item = Result<Note>> {
        let note = |n: usize| Ok(Note { text: format!("note {n}"), stars: None });
        futures_util::stream::iter((1..=3).map(note))
    }

    /// Always fails.
    #[endpoint]
    async fn fail(&self) -> Result<()> {
        Err(std::io::Error::other("the password is hunter2"))?
    }
}

/// A running gateway. Ends with the test.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) catalog: Catalog,
    pub(crate) drain: Drain,
    pub(crate) handle: Handle,
    /// The token that was made because none was configured.
    pub(crate) token: Option<String>,
    /// Its audit log, when the config names no other.
    pub(crate) audit: tempfile::TempDir,
    serving: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

/// The service `notes` behind a gateway with this `[gateway]` table.
pub(crate) async fn start(toml: &str) -> Running {
    let registry = MemoryRegistry::default();
    let running = empty(toml, registry.clone()).await;
    serve(&registry, "notes", running.drain.clone());
    until(&running.catalog, |tools| tools > 0).await;
    running
}

/// A gateway without services.
pub(crate) async fn empty(toml: &str, registry: MemoryRegistry) -> Running {
    launch(toml::from_str(toml).unwrap(), registry, None).await
}

/// The same, whose records go there.
pub(crate) async fn launch(mut config: Config, registry: MemoryRegistry, to: Option<AuditTo>) -> Running {
    let audit = tempfile::tempdir().unwrap();
    config.address = ([127, 0, 0, 1], 0).into();
    config.audit.to.get_or_insert_with(|| AuditLocation::Folder(audit.path().to_owned()));
    let to = to.map_or_else(|| config.audit.open(), Ok).unwrap();
    let gateway = config.build_with(Arc::new(registry), to).await.unwrap();
    let (address, catalog, drain) = (gateway.address(), gateway.catalog(), Drain::new());
    let handle = gateway.handle();
    let token = gateway.generated_token().map(|secret| secret.reveal().to_owned());
    let serving = Mutex::new(Some(tokio::spawn(gateway.run(drain.clone()))));
    Running { address, catalog, drain, handle, token, audit, serving }
}

/// Runs `Notes` as a service of this name.
pub(crate) fn serve(registry: &MemoryRegistry, name: &str, drain: Drain) {
    let app = micro::service(name).handle(Notes).registry(Arc::new(registry.clone()));
    tokio::spawn(async move { app.run_until(drain).await.unwrap() });
}

pub(crate) async fn until(catalog: &Catalog, condition: impl Fn(usize) -> bool) {
    let mut state = catalog.state();
    let wait = async {
        while !condition(catalog.load().tools().len()) {
            state.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("the catalog changes in time");
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    /// The JSON of each SSE event.
    pub(crate) fn events(&self) -> Vec<Value> {
        let data = self.text.lines().filter_map(|l| l.strip_prefix("data:"));
        data.filter(|d| !d.trim().is_empty()).map(|d| serde_json::from_str(d).unwrap()).collect()
    }
}

impl Running {
    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.send_to(&self.address.to_string(), method, path, headers, body).await
    }

    /// The same, to somebody else.
    pub(crate) async fn send_to(
        &self,
        address: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("http://{address}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let response = client.request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(body.to_vec()).unwrap() }
    }

    /// A 2026-07-28 request.
    pub(crate) async fn modern(&self, method: &str, mut params: Value, token: Option<&str>) -> Answer {
        let name = params["name"].as_str().unwrap_or_default().to_owned();
        let meta = params.as_object_mut().unwrap().entry("_meta").or_insert_with(|| json!({}));
        meta["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
        meta["io.modelcontextprotocol/clientCapabilities"] = json!({});
        let bearer = format!("Bearer {}", token.unwrap_or_default());
        let mut headers = vec![
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", method),
        ];
        if !name.is_empty() {
            headers.push(("mcp-name", &name));
        }
        if token.is_some() {
            headers.push(("authorization", &bearer));
        }
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        self.send("POST", "/mcp", &headers, &body).await
    }

    /// A 2025-11-25 request in a session of its own, or how beginning one was refused.
    pub(crate) async fn legacy(&self, method: &str, params: Value, token: Option<&str>) -> Answer {
        let begun = self.begin(token).await;
        if begun.status == 200 { self.legacy_in(&begun, method, params, token).await } else { begun }
    }

    /// Begins a session.
    pub(crate) async fn begin(&self, token: Option<&str>) -> Answer {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"}});
        self.send_legacy("initialize", params, token, None).await
    }

    /// A request in the session that was begun with this answer.
    pub(crate) async fn legacy_in(&self, begun: &Answer, method: &str, params: Value, token: Option<&str>) -> Answer {
        let session = begun.headers["mcp-session-id"].to_str().unwrap();
        self.send_legacy(method, params, token, Some(session)).await
    }

    async fn send_legacy(&self, method: &str, params: Value, token: Option<&str>, session: Option<&str>) -> Answer {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", "2025-11-25"),
        ];
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        headers.extend(session.map(|session| ("mcp-session-id", session)));
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        self.send("POST", "/mcp", &headers, &body).await
    }

    /// Stops the gateway and reads the calls that were recorded.
    pub(crate) async fn stop(self) -> Vec<Value> {
        self.stop_for("call").await
    }

    /// The same for records of another kind; all of them when it is empty.
    pub(crate) async fn stop_for(self, kind: &str) -> Vec<Value> {
        self.drain.begin();
        let serving = self.serving.lock().unwrap().take().unwrap();
        serving.await.unwrap();
        records(&AuditLocation::Folder(self.audit.path().to_owned()), kind)
    }
}

/// The calls in an audit log.
pub(crate) fn calls(log: &AuditLocation) -> Vec<Value> {
    records(log, "call")
}

fn records(log: &AuditLocation, kind: &str) -> Vec<Value> {
    let mut reader = AuditReader::open(log).unwrap();
    let texts = std::iter::from_fn(|| reader.read().unwrap());
    let lines = texts.filter_map(|text| match text {
        AuditText::Line(line) => Some(serde_json::from_slice::<Value>(&line).unwrap()),
        AuditText::Segment(_) => None,
    });
    lines.filter(|line| kind.is_empty() || line["kind"] == kind).collect()
}

/// Registers a node that nobody runs, with these endpoints, none of which will be called.
pub(crate) async fn register(registry: &MemoryRegistry, service: &str, endpoints: &[&str]) -> micro_registry::Instance {
    let endpoints: Vec<Value> = endpoints
        .iter()
        .map(|name| json!({"name": name, "metadata": {"description": format!("Does {name}."), "input_schema": "{\"type\":\"object\"}"}}))
        .collect();
    let record = json!({"name": service, "version": "1", "metadata": {}, "endpoints": endpoints,
        "nodes": [{"metadata": {}, "id": format!("{service}-1"), "address": "127.0.0.1:9"}]});
    let instance = serde_json::from_value(record).unwrap();
    registry.register(&instance, Duration::from_secs(60)).await.unwrap();
    instance
}

/// Reads an endless event stream as it comes.
pub(crate) async fn listen(gateway: &Running) -> impl futures_core::Stream<Item = Value> + Unpin {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let body = json!({"jsonrpc": "2.0", "id": 5, "method": "subscriptions/listen",
        "params": {"notifications": {"toolsListChanged": true}, "_meta": meta}});
    let request = Request::post(format!("http://{}/mcp", gateway.address))
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "subscriptions/listen")
        .body(Full::new(Bytes::from(body.to_string())))
        .unwrap();
    let response = Client::builder(TokioExecutor::new()).build_http().request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let frames = response.into_body().into_data_stream().filter_map(|chunk| async move {
        let text = String::from_utf8(chunk.ok()?.to_vec()).ok()?;
        text.lines().find_map(|l| serde_json::from_str(l.strip_prefix("data:")?).ok())
    });
    Box::pin(frames)
}

/// Answers every request with this, and tells which paths were asked for.
pub(crate) async fn site(answer: impl Fn(&str) -> String + Send + 'static) -> (String, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (asked, paths) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 8192];
            let read = stream.read(&mut head).await.unwrap_or_default();
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let response = answer(&head);
            let _ = asked.send(path);
            let _ = stream.write_all(response.as_bytes()).await;
        }
    });
    (address, paths)
}

/// An answer with this document.
pub(crate) fn ok(body: &Value) -> String {
    let body = body.to_string();
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\netag: \"1\"\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// An answer that sends elsewhere.
pub(crate) fn moved(target: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nconnection: close\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n")
}

/// Whom a request's head asks.
pub(crate) fn host(head: &str) -> &str {
    head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap()
}
