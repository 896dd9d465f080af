//! The wire, spoken by hand.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use micro_registry::MemoryRegistry;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::fixture::{Probe, start};

/// Sends raw requests over one connection and reads until the server closes it.
async fn raw(address: SocketAddr, requests: &[&str]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    for request in requests {
        stream.write_all(request.as_bytes()).await.unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn post(address: SocketAddr, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    raw(
        address,
        &[&format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        )],
    )
    .await
}

#[tokio::test]
async fn go_micros_headers_and_the_curl_twin_both_work() {
    let node = start(&MemoryRegistry::default(), Probe::default()).await;
    let go = post(node.address, "/", "Micro-Service: probe\r\nMicro-Endpoint: Probe.Echo\r\n", "{}").await;
    assert!(go.starts_with("HTTP/1.1 200") && go.ends_with("\r\n\r\n{}"), "{go}");
    let curl = post(node.address, "/Probe.Echo", "", "{}").await;
    assert!(curl.starts_with("HTTP/1.1 200") && curl.ends_with("\r\n\r\n{}"), "{curl}");
}

#[tokio::test]
async fn an_error_is_a_header_for_go_micro_and_a_status_for_curl() {
    let node = start(&MemoryRegistry::default(), Probe::default()).await;
    let go = post(node.address, "/", "Micro-Endpoint: Probe.Fail\r\n", "{}").await;
    assert!(go.starts_with("HTTP/1.1 200") && go.contains(r#"micro-error: {"id":"probe","code":409,"#), "{go}");
    let curl = post(node.address, "/Probe.Fail", "", "{}").await;
    assert!(curl.starts_with("HTTP/1.1 409") && curl.contains(r#""detail":"the name is taken""#), "{curl}");
}

#[tokio::test]
async fn what_is_no_call_is_refused() {
    let node = start(&MemoryRegistry::default(), Probe::default()).await;
    let large = "x".repeat(2000);
    for (answer, status) in [
        (post(node.address, "/Probe.Echo", "", &large).await, "413"),
        (post(node.address, "/", "", "{}").await, "404"),
        (post(node.address, "/Probe.Nothing", "", "{}").await, "404"),
        (post(node.address, "/Probe.Echo", "Origin: https://evil.example\r\n", "{}").await, "403"),
        (raw(node.address, &["PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"]).await, "405"),
        (raw(node.address, &["nonsense\r\n\r\n"]).await, "400"),
        (raw(node.address, &["GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"]).await, "200"),
    ] {
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "wanted {status}: {answer}");
    }
}

#[tokio::test]
async fn a_body_for_nobody_is_not_read() {
    let node = start(&MemoryRegistry::default(), Probe::default()).await;
    // Announced and never sent.
    let head = "POST /Probe.Nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n";
    let answer = raw(node.address, &[head]).await;
    assert!(answer.starts_with("HTTP/1.1 404") && answer.contains("no endpoint `Probe.Nothing`"), "{answer}");
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_call() {
    let node = start(&MemoryRegistry::default(), Probe::default()).await;
    let call = |last: bool| {
        let close = if last { "Connection: close\r\n" } else { "" };
        format!("POST /Probe.Echo HTTP/1.1\r\nHost: x\r\n{close}Content-Length: 2\r\n\r\n{{}}")
    };
    let answers = raw(node.address, &[&call(false), &call(false), &call(true)]).await;
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 3, "{answers}");
}

#[tokio::test]
async fn http2_without_tls_is_spoken_on_the_same_port() {
    let node = start(&MemoryRegistry::default(), Probe::default()).await;
    let io = TokioIo::new(TcpStream::connect(node.address).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let request =
        Request::post(format!("http://{}/Probe.Echo", node.address)).body(Full::new(Bytes::from("[2]"))).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "[2]");
}
