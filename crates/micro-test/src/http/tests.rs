//! Responses in every framing, from a server that answers with the bytes it was given.

use std::{net::TcpListener, thread};

use super::*;

/// A server for one connection: reads one request, answers with these bytes, and hands the request back
/// with the connection, which is open until then.
fn answering(bytes: &'static str) -> (String, thread::JoinHandle<(String, TcpStream)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/a/b", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut seen = Vec::new();
        let mut piece = [0; 1024];
        while !seen.ends_with(b"\r\n\r\n") && !seen.ends_with(b"}") {
            let read = stream.read(&mut piece).unwrap();
            seen.extend_from_slice(&piece[..read]);
        }
        stream.write_all(bytes.as_bytes()).unwrap();
        (String::from_utf8(seen).unwrap(), stream)
    });
    (url, server)
}

#[track_caller]
fn body_of(bytes: &'static str, expect: &str) {
    let (url, _server) = answering(bytes);
    assert_eq!(get(&url).unwrap().text(), expect);
}

/// As a server that closes the connection behind its answer.
#[track_caller]
fn read_to_its_end(bytes: &'static str) -> Result<Response> {
    let (url, server) = answering(bytes);
    let closer = thread::spawn(move || drop(server.join()));
    let response = get(&url);
    closer.join().unwrap();
    response
}

#[test]
fn bodies_are_read_in_every_framing() {
    body_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more", "hello");
    body_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n", "hello");
    body_of("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "");
    body_of("HTTP/1.1 204 No Content\r\n\r\n", "");
    assert_eq!(read_to_its_end("HTTP/1.1 200 OK\r\n\r\nhello").unwrap().text(), "hello");
}

#[test]
fn a_body_that_breaks_off_is_an_error() {
    assert!(read_to_its_end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello").is_err());
}

#[test]
fn requests_are_well_formed_and_can_lie() {
    let (url, server) = answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    let host = url.trim_start_matches("http://").trim_end_matches("/a/b").to_owned();
    post_json(&url, &[("Origin", "http://evil.example")], &serde_json::json!({"a": 1})).unwrap();
    let (seen, _) = server.join().unwrap();
    assert!(seen.starts_with(&format!("POST /a/b HTTP/1.1\r\nHost: {host}\r\nContent-Length: 7\r\n")), "{seen}");
    assert!(seen.ends_with("Origin: http://evil.example\r\n\r\n{\"a\":1}"), "{seen}");

    let (url, server) = answering("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(request("GET", &url, &[("host", "evil.example")], b"").unwrap().status(), 400);
    assert_eq!(server.join().unwrap().0, "GET /a/b HTTP/1.1\r\nhost: evil.example\r\n\r\n");
}

#[test]
fn events_come_one_by_one() {
    let (url, server) = answering(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hello\n\nid: 7\nretry: 500\ndata:\n\nevent: message\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\n",
    );
    let mut events = events("GET", &url, &[], b"").unwrap();
    let first = Event { id: Some("7".into()), retry: Some(500), ..Event::default() };
    assert_eq!(events.next(PATIENCE).unwrap(), Some(first));
    let second = Event { event: Some("message".into()), data: "{\"a\":\n1}".into(), ..Event::default() };
    assert_eq!(events.next(PATIENCE).unwrap(), Some(second));
    drop(server.join());
    assert_eq!(events.next(PATIENCE).unwrap(), None);
}

#[test]
fn an_answer_inside_an_event_stream_is_json_too() {
    let response = read_to_its_end(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {\"progress\":1}\n\ndata: {\"result\":2}\n\n",
    );
    assert_eq!(response.unwrap().json().unwrap()["result"], 2);
}
