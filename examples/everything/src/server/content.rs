//! What a tool can return: text, pictures, sounds, resources, several of them.

use micro_mcp::{
    Builder, NoArgs,
    proto::{Content, ResourceContents},
};

/// A red pixel, as PNG.
pub(crate) const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/// A moment of silence, as WAV.
const SILENCE: &str = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAAAAA==";

pub(crate) fn add(server: Builder) -> Builder {
    server
        .tool("test_simple_text")
        .description("Returns one line of text.")
        .handler(|_: NoArgs| async { "This is a simple text response for testing." })
        .tool("test_image_content")
        .description("Returns a picture.")
        .handler(|_: NoArgs| async { Content::image(PIXEL, "image/png") })
        .tool("test_audio_content")
        .description("Returns a sound.")
        .handler(|_: NoArgs| async { Content::audio(SILENCE, "audio/wav") })
        .tool("test_embedded_resource")
        .description("Returns a resource.")
        .handler(|_: NoArgs| async {
            Content::resource(ResourceContents::text(
                "test://embedded-resource",
                "text/plain",
                "This is an embedded resource content.",
            ))
        })
        .tool("test_multiple_content_types")
        .description("Returns a text, a picture and a resource.")
        .handler(|_: NoArgs| async {
            let resource =
                ResourceContents::text("test://mixed-content-resource", "application/json", r#"{"test":"data"}"#);
            vec![
                Content::text("Multiple content types test:"),
                Content::image(PIXEL, "image/png"),
                Content::resource(resource),
            ]
        })
}
