//! Server-sent events, read as they come (WHATWG HTML, section 9.2.6).

use std::{mem, time::Duration};

/// One event with data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// Its type; empty means `message`.
    pub kind: String,
    /// Its data, lines joined with `\n`.
    pub data: Vec<u8>,
}

/// A line or the data of an event is longer than the decoder was told to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event is longer than {limit} bytes")]
pub struct TooLong {
    /// The limit, in bytes.
    pub limit: usize,
}

/// Turns bytes, cut anywhere, into events. Holds at most one event, of bounded length.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    line: Vec<u8>,
    /// The byte before was a CR: a LF that follows belongs to it.
    after_cr: bool,
    /// No line has been read: a byte order mark may come.
    fresh: bool,
    event: Event,
    has_data: bool,
    /// The `id` of the event being read.
    id: Option<String>,
    last_id: Option<String>,
    retry: Option<Duration>,
}

impl Decoder {
    /// A decoder of events with at most `limit` bytes of data.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            after_cr: false,
            fresh: true,
            event: Event::default(),
            has_data: false,
            id: None,
            last_id: None,
            retry: None,
        }
    }

    /// Reads on, up to and including the next event with data; `bytes` is left at what comes after it.
    /// `None` when there are not enough bytes yet.
    ///
    /// # Errors
    /// When an event is too long. The decoder is of no use any more.
    pub fn decode(&mut self, bytes: &mut &[u8]) -> Result<Option<Event>, TooLong> {
        loop {
            let Some(first) = bytes.first() else { return Ok(None) };
            if mem::take(&mut self.after_cr) && *first == b'\n' {
                *bytes = &bytes[1..];
            }
            let Some(end) = bytes.iter().position(|b| matches!(b, b'\n' | b'\r')) else {
                return self.keep(mem::take(bytes)).map(|()| None);
            };
            let (line, rest) = bytes.split_at(end);
            self.keep(line)?;
            self.after_cr = rest[0] == b'\r';
            *bytes = &rest[1..];
            let line = mem::take(&mut self.line);
            if let Some(event) = self.line(&line)? {
                return Ok(Some(event));
            }
            self.line = line; // keeps its room
            self.line.clear();
        }
    }

    /// The id of the last event that had one: where to go on after the stream broke off.
    pub fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// How long the server wants clients to wait before they connect again.
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        // Room for the name of the field.
        if self.line.len() + bytes.len() > self.limit.saturating_add(16) {
            return Err(TooLong { limit: self.limit });
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    /// Takes one whole line. An empty one ends the event.
    fn line(&mut self, line: &[u8]) -> Result<Option<Event>, TooLong> {
        let line = match mem::take(&mut self.fresh) {
            true => line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line),
            false => line,
        };
        if line.is_empty() {
            if let Some(id) = self.id.take() {
                self.last_id = Some(id);
            }
            let event = mem::take(&mut self.event);
            return Ok(mem::take(&mut self.has_data).then_some(event));
        }
        let colon = line.iter().position(|b| *b == b':').unwrap_or(line.len());
        let (field, value) = (&line[..colon], line.get(colon + 1..).unwrap_or_default());
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                if self.event.data.len() + value.len() + 1 > self.limit.saturating_add(1) {
                    return Err(TooLong { limit: self.limit });
                }
                if mem::replace(&mut self.has_data, true) {
                    self.event.data.push(b'\n');
                }
                self.event.data.extend_from_slice(value);
            }
            b"event" => self.event.kind = String::from_utf8_lossy(value).into_owned(),
            b"id" if !value.contains(&0) => self.id = Some(String::from_utf8_lossy(value).into_owned()),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                let text = std::str::from_utf8(value).unwrap_or_default();
                self.retry = text.parse().ok().map(Duration::from_millis);
            }
            _ => {} // comments and fields nobody knows
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything a stream says when it comes in these pieces.
    fn read(pieces: &[&[u8]]) -> (Vec<(String, String)>, Option<String>, Option<Duration>) {
        let mut decoder = Decoder::new(1 << 10);
        let mut events = Vec::new();
        for piece in pieces {
            let mut bytes = *piece;
            while let Some(event) = decoder.decode(&mut bytes).unwrap() {
                events.push((event.kind, String::from_utf8(event.data).unwrap()));
            }
            assert!(bytes.is_empty());
        }
        (events, decoder.last_id().map(str::to_owned), decoder.retry())
    }

    const STREAM: &[u8] = b"\xef\xbb\xbf: hello\r\nid: 1\r\nretry: 500\r\ndata:\r\n\r\n\
        event: message\rdata: {\"a\":\r\ndata: 1}\r\rid: 2\ndata\n\n:\r\n\r\nid: x\ny: z\n\ndata: lost";

    #[test]
    fn a_stream_means_the_same_wherever_it_is_cut() {
        let whole = read(&[STREAM]);
        let events = [("", ""), ("message", "{\"a\":\n1}"), ("", "")];
        assert_eq!(whole.0, events.map(|(kind, data)| (kind.to_owned(), data.to_owned())));
        assert_eq!((whole.1.as_deref(), whole.2), (Some("x"), Some(Duration::from_millis(500))));
        for cut in 0..=STREAM.len() {
            let (one, two) = STREAM.split_at(cut);
            assert_eq!(read(&[one, two]), whole, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = STREAM.chunks(1).collect();
        assert_eq!(read(&bytes), whole);
    }

    #[test]
    fn an_id_counts_once_its_event_is_whole() {
        assert_eq!(read(&[b"id: 1\n\nid: 2\ndata: x\n"]).1.as_deref(), Some("1"));
        assert_eq!(read(&[b"id: 1\n\nid: a\0b\n\n"]).1.as_deref(), Some("1"), "ids with NUL are ignored");
    }

    #[test]
    fn what_is_too_long_is_refused() {
        for stream in [vec![b'a'; 100], b"data: 0123456789\n".repeat(8), [b"data: ".as_slice(), &[b'a'; 90]].concat()] {
            let mut decoder = Decoder::new(64);
            let mut bytes = stream.as_slice();
            assert_eq!(decoder.decode(&mut bytes), Err(TooLong { limit: 64 }));
        }
        let mut decoder = Decoder::new(64);
        let stream = [b"data: ".as_slice(), &[b'a'; 64], b"\n\n"].concat();
        assert_eq!(decoder.decode(&mut stream.as_slice()).unwrap().unwrap().data.len(), 64);
    }
}
