//! `everything-client` uses whatever `everything-server` offers.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

#[test]
fn the_client_uses_everything_the_server_offers() {
    let mut server = Command::new(env!("CARGO_BIN_EXE_everything-server"))
        .args(["--address", "127.0.0.1:0"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(server.stderr.take().unwrap()).lines().map_while(Result::ok);
    let url = said.filter_map(|line| line.strip_prefix("listening on ").map(str::to_owned)).next();
    let client = Command::new(env!("CARGO_BIN_EXE_everything-client"))
        .arg(url.expect("the server says where it listens"))
        .args(["--scenario", "initialize"])
        .output()
        .unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(client.status.success(), "{}", String::from_utf8_lossy(&client.stderr));
}
