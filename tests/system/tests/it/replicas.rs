//! Replicas of one server that share a key and nothing else.

use std::{fs, process::Command, time::Duration};

use anyhow::Result;
use micro_test::{Balancer, Process, bins, http};
use serde_json::{Value, json};
use tempfile::TempDir;

struct Replicas {
    balancer: Balancer,
    servers: Vec<Process>,
    _folder: TempDir,
}

impl Replicas {
    fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let keys = folder.path().join("keys");
        fs::write(&keys, "5e".repeat(32))?;
        let program = bins::build(&["everything-server"])?;
        let start = |name| {
            let mut command = Command::new(program.path("everything-server"));
            command.args(["--address", "127.0.0.1:0", "--key-file"]).arg(&keys);
            Process::start(name, command)
        };
        let servers = vec![start("replica-one")?, start("replica-two")?];
        let urls = servers.iter().map(|server| server.wait_for_url(Duration::from_secs(20)));
        let urls = urls.collect::<Result<Vec<_>>>()?;
        let balancer = Balancer::start(&[&urls[0], &urls[1]])?;
        Ok(Self { balancer, servers, _folder: folder })
    }

    fn post(&self, headers: &[(&str, &str)], message: &Value) -> Result<http::Response> {
        http::post_json(&self.balancer.url("/mcp"), headers, message)
    }
}

/// The balancer's first request goes to the first replica, so that is where the session is made.
#[test]
fn a_legacy_session_survives_the_death_of_its_replica() -> Result<()> {
    let mut replicas = Replicas::start()?;
    let params = json!({
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" },
    });
    let initialize = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
    let answer = replicas.post(&[], &initialize)?;
    let session = answer.head.header("mcp-session-id").expect("a session").to_owned();
    let headers = [("Mcp-Session-Id", session.as_str()), ("MCP-Protocol-Version", "2025-11-25")];
    let params = json!({ "name": "test_simple_text" });
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let text = |answer: http::Response| anyhow::Ok(answer.json()?["result"]["content"][0]["text"].clone());
    for _ in 0..4 {
        assert_eq!(text(replicas.post(&headers, &call)?)?, "This is a simple text response for testing.");
    }

    replicas.servers[0].kill()?;
    for _ in 0..4 {
        assert_eq!(text(replicas.post(&headers, &call)?)?, "This is a simple text response for testing.");
    }
    // It is that session still, and not just any: made-up ones are unknown.
    let stranger = [("Mcp-Session-Id", "made-up")];
    assert_eq!(replicas.post(&stranger, &call)?.status(), 404);
    let url = replicas.balancer.url("/mcp");
    assert_eq!(http::request("DELETE", &url, &headers, b"")?.status(), 204);
    assert_eq!(replicas.post(&headers, &call)?.status(), 404);
    Ok(())
}
