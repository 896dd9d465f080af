//! HTTP/1.1 by hand: tests send exactly the bytes they mean, right or wrong, and see what comes back.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// How long an answer may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection on which requests go out and responses come in.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
}

/// Status line and headers of a response.
#[derive(Debug, Clone)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// The headers in their order, names in lower case.
    pub headers: Vec<(String, String)>,
}

/// A whole response.
#[derive(Debug, Clone)]
pub struct Response {
    /// What stood before the body.
    pub head: Head,
    /// The body without its framing.
    pub body: Vec<u8>,
}

/// One server-sent event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// `event:`, or nothing.
    pub event: Option<String>,
    /// `id:`, or nothing.
    pub id: Option<String>,
    /// `retry:` in milliseconds, or nothing.
    pub retry: Option<u64>,
    /// The `data:` lines.
    pub data: String,
}

/// A response whose body is still coming: server-sent events.
#[derive(Debug)]
pub struct Events {
    /// What stood before the body.
    pub head: Head,
    body: BufReader<Body>,
}

/// Sends one request to `http://host:port/path` on a fresh connection and reads the answer.
///
/// # Errors
/// When there is no connection or no whole response in time.
pub fn request(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Response> {
    let (host, path) = split(url)?;
    let mut connection = Connection::open(host)?;
    connection.send(method, path, headers, body)?;
    connection.response()
}

/// Gets a page.
///
/// # Errors
/// As [`request`].
pub fn get(url: &str) -> Result<Response> {
    request("GET", url, &[], b"")
}

/// Posts JSON, and accepts what an MCP server may answer with.
///
/// # Errors
/// As [`request`].
pub fn post_json(url: &str, headers: &[(&str, &str)], body: &Value) -> Result<Response> {
    let mut all = vec![("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")];
    all.extend_from_slice(headers);
    request("POST", url, &all, body.to_string().as_bytes())
}

/// Sends a request and reads the answer as a stream of events.
///
/// # Errors
/// As [`request`].
pub fn events(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Events> {
    let (host, path) = split(url)?;
    let mut connection = Connection::open(host)?;
    let mut all = vec![("Accept", "application/json, text/event-stream")];
    all.extend_from_slice(headers);
    connection.send(method, path, &all, body)?;
    connection.events()
}

// === impl Connection ===

impl Connection {
    /// Connects to the host of a URL.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn to(url: &str) -> Result<Self> {
        Self::open(split(url)?.0)
    }

    /// Connects to `host:port`.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn open(host: &str) -> Result<Self> {
        let address: SocketAddr = host
            .to_socket_addrs()
            .ok()
            .and_then(|mut all| all.next())
            .with_context(|| format!("no address: {host}"))?;
        let stream = TcpStream::connect_timeout(&address, PATIENCE).with_context(|| format!("nobody at {host}"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), host: host.to_owned() })
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// When the other side does not take them.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Sends a well-formed request. `Host` and `Content-Length` are added unless given.
    ///
    /// # Errors
    /// When the other side does not take it.
    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<()> {
        let given = |name: &str| headers.iter().any(|(header, _)| header.eq_ignore_ascii_case(name));
        let mut text = format!("{method} {path} HTTP/1.1\r\n");
        if !given("host") {
            text += &format!("Host: {}\r\n", self.host);
        }
        if !given("content-length") && (method != "GET" || !body.is_empty()) {
            text += &format!("Content-Length: {}\r\n", body.len());
        }
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += "\r\n";
        self.write(&[text.as_bytes(), body].concat())
    }

    /// Reads a whole response; the connection can be used again.
    ///
    /// # Errors
    /// When none comes, or none that is HTTP.
    pub fn response(&mut self) -> Result<Response> {
        let head = Head::read(&mut self.stream)?;
        let mut framing = Framing::of(&head)?;
        let mut body = Vec::new();
        let mut piece = [0; 8192];
        loop {
            match framing.read(&mut self.stream, &mut piece).context("the body breaks off")? {
                0 => return Ok(Response { head, body }),
                read => body.extend_from_slice(&piece[..read]),
            }
        }
    }

    /// Reads the head of a response and leaves the events to come.
    ///
    /// # Errors
    /// When the answer is no event stream.
    pub fn events(mut self) -> Result<Events> {
        let head = Head::read(&mut self.stream)?;
        let framing = Framing::of(&head)?;
        let mut body = BufReader::new(Body { stream: self.stream, framing });
        if !head.header("content-type").is_some_and(|value| value.starts_with("text/event-stream")) {
            let mut text = String::new();
            body.read_to_string(&mut text).context("the body breaks off")?;
            bail!("no event stream but {}: {text}", head.status);
        }
        Ok(Events { head, body })
    }

    /// Whether the other side closes the connection, as it must after some errors.
    ///
    /// # Errors
    /// When it sends more bytes instead, or nothing at all in time.
    pub fn closed(&mut self) -> Result<()> {
        match self.stream.read(&mut [0; 1]) {
            Ok(0) => Ok(()),
            Ok(_) => bail!("more bytes came"),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(()),
            Err(error) => Err(error).context("it stays open"),
        }
    }
}

// === impl Head, Response, Events ===

impl Head {
    /// The first header of a name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn read(stream: &mut impl BufRead) -> Result<Self> {
        let status = read_line(stream).context("no response")?;
        let status = status
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3)?.parse().ok())
            .with_context(|| format!("not HTTP/1.1: {status:?}"))?;
        let mut headers = Vec::new();
        loop {
            let line = read_line(stream).context("the headers break off")?;
            if line.is_empty() {
                return Ok(Self { status, headers });
            }
            let (name, value) = line.split_once(':').with_context(|| format!("no header: {line:?}"))?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
}

impl Response {
    /// The status code.
    pub fn status(&self) -> u16 {
        self.head.status
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, or the data of its last event when it is an event stream.
    ///
    /// # Errors
    /// When it is neither.
    pub fn json(&self) -> Result<Value> {
        let text = self.text();
        let json = match self.head.header("content-type") {
            Some(value) if value.starts_with("text/event-stream") => {
                let mut body = self.body.as_slice();
                let mut last = Event::default();
                while let Some(event) = read_event(&mut body)? {
                    last = event;
                }
                last.data
            }
            _ => text.clone(),
        };
        serde_json::from_str(&json).with_context(|| format!("no JSON: {text}"))
    }
}

impl Events {
    /// The next event; none when the stream has ended.
    ///
    /// # Errors
    /// When nothing comes in time or the stream breaks off.
    pub fn next(&mut self, patience: Duration) -> Result<Option<Event>> {
        self.body.get_ref().stream.get_ref().set_read_timeout(Some(patience))?;
        read_event(&mut self.body)
    }
}

fn read_event(body: &mut impl BufRead) -> Result<Option<Event>> {
    let mut event = Event::default();
    let mut data: Option<String> = None;
    let mut any = false;
    loop {
        let mut line = String::new();
        if body.read_line(&mut line).context("no event came")? == 0 {
            return Ok(None);
        }
        let line = line.trim_end_matches(['\r', '\n']);
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "" if line.is_empty() && any => {
                event.data = data.unwrap_or_default();
                return Ok(Some(event));
            }
            "event" => event.event = Some(value.to_owned()),
            "id" => event.id = Some(value.to_owned()),
            "retry" => event.retry = value.parse().ok(),
            "data" => match &mut data {
                Some(data) => *data += &format!("\n{value}"),
                None => data = Some(value.to_owned()),
            },
            // A comment keeps the connection alive and is no event.
            _ => continue,
        }
        any = true;
    }
}

// === the body and its framing (RFC 9112, section 6) ===

#[derive(Debug)]
struct Body {
    stream: BufReader<TcpStream>,
    framing: Framing,
}

impl Read for Body {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.framing.read(&mut self.stream, into)
    }
}

#[derive(Debug)]
enum Framing {
    /// So many bytes are left.
    Length(usize),
    /// Chunks; so many bytes of this one are left. None after the last.
    Chunks(Option<usize>),
    /// Until the connection ends.
    Rest,
}

impl Framing {
    fn of(head: &Head) -> Result<Self> {
        if head.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            return Ok(Self::Chunks(Some(0)));
        }
        if matches!(head.status, 100..=199 | 204 | 304) {
            return Ok(Self::Length(0));
        }
        match head.header("content-length") {
            Some(value) => Ok(Self::Length(value.parse().with_context(|| format!("no length: {value:?}"))?)),
            None => Ok(Self::Rest),
        }
    }

    fn read(&mut self, stream: &mut impl BufRead, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Rest => stream.read(into),
            Self::Length(left) => take(stream, left, into),
            Self::Chunks(None) => Ok(0),
            Self::Chunks(Some(0)) => {
                let size = read_line(stream)?;
                let size = size.split(';').next().unwrap_or_default().trim();
                let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
                if size == 0 {
                    while !read_line(stream)?.is_empty() {}
                    *self = Self::Chunks(None);
                    return Ok(0);
                }
                *self = Self::Chunks(Some(size));
                self.read(stream, into)
            }
            Self::Chunks(Some(left)) => {
                let read = take(stream, left, into)?;
                if *left == 0 {
                    read_line(stream)?;
                }
                Ok(read)
            }
        }
    }
}

/// Reads some of the `left` bytes; too early an end is an error.
fn take(stream: &mut impl BufRead, left: &mut usize, into: &mut [u8]) -> io::Result<usize> {
    let most = into.len().min(*left);
    if most == 0 {
        // Asked for nothing, a buffered reader would still wait for more to come.
        return Ok(0);
    }
    let read = stream.read(&mut into[..most])?;
    if read == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    *left -= read;
    Ok(read)
}

fn read_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Host and path of a URL.
pub(crate) fn split(url: &str) -> Result<(&str, &str)> {
    let rest = url.strip_prefix("http://").with_context(|| format!("no http:// URL: {url}"))?;
    Ok(rest.find('/').map_or((rest, "/"), |at| rest.split_at(at)))
}

#[cfg(test)]
mod tests;
