//! Against replicas of three lines.

use std::{
    io::{Read, Write},
    net::TcpListener as Listener,
    thread,
};

use super::*;

/// Answers one request with its name, and is gone.
fn replica(name: &'static str) -> Result<String> {
    let listener = Listener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/", listener.local_addr()?);
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let _ = stream.read(&mut [0; 1000]);
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len()).expect("it reads");
    });
    Ok(url)
}

#[test]
fn requests_go_in_turn_and_the_dead_are_passed_over() -> Result<()> {
    let gone = format!("http://{}/", Listener::bind("127.0.0.1:0")?.local_addr()?);
    let (one, two) = (replica("one")?, replica("two")?);
    let balancer = Balancer::start(&[&one, &gone, &two])?;
    for name in ["one", "two"] {
        assert_eq!(http::get(&balancer.url("/"))?.body, name.as_bytes());
    }
    assert!(http::get(&balancer.url("/")).is_err(), "all are gone");
    Ok(())
}
