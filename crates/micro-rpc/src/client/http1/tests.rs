//! What a node may answer, cut wherever a network may cut it.

use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;

/// What the caller makes of an answer sent in pieces of so many bytes: status, body, and whether the
/// connection may be used again.
async fn ask(answer: &[u8], piece: usize) -> io::Result<(u16, Option<Bytes>, bool)> {
    let (near, mut far) = duplex(64);
    let answer = answer.to_vec();
    let node = tokio::spawn(async move {
        let mut request = [0; 7];
        far.read_exact(&mut request).await.unwrap();
        assert_eq!(&request, b"request");
        for piece in answer.chunks(piece) {
            if far.write_all(piece).await.is_err() {
                return; // the caller has heard enough
            }
            tokio::task::yield_now().await;
        }
    });
    let mut connection = Connection::new(near);
    let head = connection.request(b"req", b"uest").await.map_err(|(error, _)| error)?;
    let body = connection.whole(&head, 1000).await?;
    node.await.unwrap();
    Ok((head.status.as_u16(), body, connection.is_reusable()))
}

#[tokio::test]
async fn an_answer_is_the_same_however_it_is_cut() {
    let cases: &[(&str, u16, &str, bool)] = &[
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true),
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello", 200, "hello", true),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200, "", true),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, "", true),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", 200, "ok", true),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n",
            200,
            "hello",
            true,
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\na: b\r\n\r\n", 200, "hello", true),
        ("HTTP/1.1 503 Busy\r\nconnection: x, Close\r\ncontent-length: 2\r\n\r\nno", 503, "no", false),
        ("HTTP/1.1 200 OK\r\n\r\nto the end", 200, "to the end", false),
        ("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", 200, "ok", false),
        // Smuggling: read as chunks, and never used again.
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
            200,
            "x",
            false,
        ),
    ];
    for (answer, status, body, reusable) in cases {
        for piece in 1..=answer.len() {
            let (got, text, again) = ask(answer.as_bytes(), piece).await.unwrap();
            let got = (got, String::from_utf8(text.unwrap().to_vec()).unwrap(), again);
            assert_eq!(got, (*status, (*body).to_owned(), *reusable), "{answer:?} in pieces of {piece}");
        }
    }
}

#[tokio::test]
async fn what_is_no_answer_is_an_error_and_never_a_short_body() {
    for answer in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "hello\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 4\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n11111111111111111\r\n",
    ] {
        for piece in [1, 7, 1000] {
            assert!(ask(answer.as_bytes(), piece).await.is_err(), "{answer:?}");
        }
    }
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(100_000));
    assert!(ask(endless.as_bytes(), 1000).await.is_err());
    let line = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;{}", "y".repeat(100_000));
    assert!(ask(line.as_bytes(), 1000).await.is_err());
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_kept() {
    let long = "x".repeat(1001);
    let length = format!("HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n{long}");
    let chunked = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n{long}\r\n0\r\n\r\n");
    for answer in [length, chunked] {
        let (near, mut far) = duplex(4096);
        far.write_all(answer.as_bytes()).await.unwrap();
        let mut connection = Connection::new(near);
        let head = connection.request(b"x", b"").await.unwrap();
        assert_eq!(connection.whole(&head, 1000).await.unwrap(), None);
        assert!(!connection.is_reusable());
    }
}

#[tokio::test]
async fn an_answer_before_the_request_was_read_is_heard() {
    let (near, mut far) = duplex(64);
    far.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    let mut connection = Connection::new(near);
    let head = connection.request(b"head", &[b'x'; 1000]).await.unwrap();
    assert_eq!((head.status.as_u16(), connection.is_reusable()), (413, false));
}

#[tokio::test]
async fn a_stream_comes_piece_by_piece() {
    let (near, mut far) = duplex(64);
    let mut connection = Connection::new(near);
    far.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n").await.unwrap();
    let head = connection.request(b"x", b"").await.unwrap();
    let mut pieces = connection.pieces(&head);
    assert_eq!(pieces.next().await.unwrap().unwrap(), "a");
    far.write_all(b"1\r\nb\r\n").await.unwrap();
    assert_eq!(pieces.next().await.unwrap().unwrap(), "b");
    drop(far);
    assert!(pieces.next().await.unwrap().is_err());
}
