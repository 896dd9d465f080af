//! From doc comments and options to the descriptor.

use std::time::Duration;

use micro::{Service, prelude::*};
use serde_json::{Value, json};

/// Notes that
/// people keep.
///
/// Everything is text.
struct Notes;

#[micro::service]
impl Notes {
    /// Write
    /// a note.
    ///
    /// The text may be long.
    /// @param text What it says,
    ///   in plain words.
    /// @return The note's number.
    /// @example {"text": "milk",
    ///   "tags": ["shop"]}
    ///
    /// # Example
    ///
    /// ```json
    /// {"text": "bread"}
    /// ```
    ///
    /// See you.
    #[endpoint(
        scopes = ["notes:write", "admin"],
        title = "Write a note",
        idempotent,
        destructive = false,
        open_world = false,
        timeout = "1500ms",
        cost = 3
    )]
    async fn write_note(
        &self,
        text: String,
        /** Words to find it by. */
        tags: Option<Vec<String>>,
    ) -> Result<u64> {
        Ok((text.len() + tags.map_or(0, |tags| tags.len())) as u64)
    }

    /// Count the notes.
    #[endpoint(name = "Total", read_only, cache = "1m")]
    fn count(&self) -> u64 {
        self.helper()
    }

    fn helper(&self) -> u64 {
        7
    }
}

/// Wrong by its type alone, which only the schema knows.
struct Broken;

/// For those who read the source.
struct Desk;

/// For those who call.
#[micro::service]
impl Desk {
    /// Ring the bell.
    #[endpoint]
    fn ring(&self) {}
}

#[derive(Deserialize, JsonSchema)]
struct Limit {
    #[schemars(range(max = 10))]
    limit: u8,
}

#[micro::service]
impl Broken {
    /// List some.
    ///
    /// @example {"limit": 11}
    #[endpoint]
    fn list(&self, args: Limit) -> u8 {
        args.limit
    }
}

#[test]
fn a_service_is_described_on_its_impl_or_else_on_its_type() {
    let notes = Notes::descriptor();
    assert_eq!((&*notes.name, &*notes.description), ("Notes", "Notes that people keep.\n\nEverything is text."));
    assert_eq!(Desk::descriptor().description, "For those who call.");
}

#[test]
fn the_description_is_the_doc_comment_without_its_tags() {
    let notes = Notes::descriptor();
    let write = &notes.endpoints[0];
    assert_eq!(write.name, "Notes.WriteNote");
    assert_eq!(write.description, "Write a note.\n\nThe text may be long.\n\n# Example\n\nSee you.");
    assert_eq!(write.examples, [r#"{"text":"milk","tags":["shop"]}"#, r#"{"text":"bread"}"#]);
}

#[test]
fn tags_describe_parameters_and_the_result() {
    let write = &Notes::descriptor().endpoints[0];
    let schema = |schema: &micro::Schema| -> Value { serde_json::from_str(schema.as_str()).unwrap() };
    let properties = &schema(&write.input)["properties"];
    assert_eq!(properties["text"]["description"], json!("What it says, in plain words."));
    assert_eq!(properties["tags"]["description"], json!("Words to find it by."));
    assert_eq!(schema(write.output.as_ref().unwrap())["description"], json!("The note's number."));
}

#[test]
fn options_become_rules_and_hints() {
    let [write, total] = &Notes::descriptor().endpoints[..] else { panic!("helpers are no endpoints") };
    assert_eq!(write.scopes, ["notes:write", "admin"]);
    assert_eq!(write.title.as_deref(), Some("Write a note"));
    assert_eq!((write.hints.read_only, write.hints.idempotent), (false, true));
    assert_eq!((write.hints.destructive, write.hints.open_world), (Some(false), Some(false)));
    assert_eq!((write.timeout, write.cost), (Some(Duration::from_millis(1500)), Some(3)));
    assert_eq!(total.name, "Notes.Total");
    assert!(total.hints.read_only && !total.hints.idempotent);
    assert_eq!(total.cache, Some(Duration::from_secs(60)));
    assert_eq!((total.timeout, total.hints.destructive), (None, None));
}

#[test]
fn an_example_that_breaks_a_bound_stops_the_service() {
    let invalid = micro::serve(Broken).check().unwrap_err();
    let text = invalid.to_string();
    assert!(text.contains("Broken.List") && text.contains("@example") && text.contains("/limit"), "{text}");
    assert_eq!(micro::serve(Notes).check(), Ok(()));
}
