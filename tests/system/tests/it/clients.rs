//! Clients nobody here wrote.

use std::net::TcpListener;

use anyhow::Result;
use micro_test::Client;

/// The negative control of every other test here: no client makes up an answer.
#[test]
fn every_client_says_when_nobody_is_there() -> Result<()> {
    let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    for client in Client::every() {
        let tools = client.http(&format!("http://{free}/mcp")).and_then(|mut session| session.list_tools());
        assert!(tools.is_err(), "{client} found {tools:?}");
    }
    Ok(())
}
