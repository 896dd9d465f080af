//! Values in words, the same in every table.

use micro_core::EndpointDescriptor;

/// The first line of a text.
pub(crate) fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// What a caller may assume of an endpoint.
pub(crate) fn hints(endpoint: &EndpointDescriptor) -> Vec<&'static str> {
    let hints = &endpoint.hints;
    let said = [
        (hints.read_only, "read-only"),
        (hints.idempotent, "idempotent"),
        (hints.destructive == Some(true), "destructive"),
        (hints.open_world == Some(true), "open world"),
        (endpoint.streaming, "streaming"),
    ];
    said.into_iter().filter_map(|(on, word)| on.then_some(word)).collect()
}

/// A list in one cell.
pub(crate) fn cell<S: AsRef<str>>(list: &[S]) -> String {
    if list.is_empty() {
        return "-".to_owned();
    }
    list.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")
}

/// `1 tool`, `2 tools`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}
