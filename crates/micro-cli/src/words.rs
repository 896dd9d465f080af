//! Values in words, the same in every table.

use micro_core::EndpointDescriptor;

/// The first sentence of a text.
pub(crate) fn first_sentence(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    // A full stop before a small letter is that of an abbreviation.
    let ends = line.match_indices(". ").map(|(at, _)| at + 1);
    let end = ends.into_iter().find(|end| !line[*end..].trim_start().starts_with(char::is_lowercase));
    &line[..end.unwrap_or(line.len())]
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

/// A text from outside, without anything that a terminal would obey.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_holds_one_sentence() {
        for (text, first) in [
            ("Get a user. Returns the profile.", "Get a user."),
            ("Get a user, e.g. by id. `id` is needed.\nMore.", "Get a user, e.g. by id."),
            ("Costs 3.5 a call", "Costs 3.5 a call"),
            ("", ""),
        ] {
            assert_eq!(first_sentence(text), first);
        }
    }
}
