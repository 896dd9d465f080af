//! Event streams: no panic, bounded memory, and the same events wherever the bytes are cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use micro_mcp_proto::sse::{Decoder, Event, TooLong};

const LIMIT: usize = 256;

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Result<Vec<Event>, TooLong> {
    let mut decoder = Decoder::new(LIMIT);
    let mut events = Vec::new();
    for mut bytes in pieces {
        while let Some(event) = decoder.decode(&mut bytes)? {
            assert!(event.data.len() <= LIMIT);
            events.push(event);
        }
    }
    Ok(events)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&size, bytes)) = bytes.split_first() else { return };
    let whole = read(std::iter::once(bytes));
    let cut = read(bytes.chunks(usize::from(size).max(1)));
    assert_eq!(whole, cut);
});
