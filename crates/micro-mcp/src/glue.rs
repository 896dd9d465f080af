//! What the output of `#[tools]` calls, so that the output itself stays thin. Not for people.

#![expect(missing_docs, reason = "for the output of a macro only")]

use micro_mcp_proto::{Icon, Prompt, PromptArgument, PromptMessage, Resource, ResourceContents, ResourceTemplate};
pub use {schemars, serde};

pub use crate::server::NoArgs as NoArguments;
use crate::server::{CallError, IntoContents, IntoMessages};

pub fn icon(url: &str) -> Icon {
    Icon { src: url.to_owned(), ..Icon::default() }
}

fn icons<const N: usize>(urls: [&str; N]) -> Vec<Icon> {
    urls.into_iter().map(icon).collect()
}

pub fn example(json: &str) -> serde_json::Value {
    serde_json::from_str(json).expect("the macro has read it")
}

pub fn prompt_argument(name: &str, description: Option<&str>, required: bool) -> PromptArgument {
    PromptArgument { name: name.to_owned(), title: None, description: description.map(str::to_owned), required }
}

pub fn prompt<const A: usize, const I: usize>(
    name: &str,
    title: Option<&str>,
    description: &str,
    arguments: [PromptArgument; A],
    urls: [&str; I],
) -> Prompt {
    Prompt {
        name: name.to_owned(),
        title: title.map(str::to_owned),
        description: Some(description.to_owned()),
        arguments: arguments.into(),
        icons: icons(urls),
        ..Prompt::default()
    }
}

pub fn resource<const I: usize>(
    uri: &str,
    name: &str,
    title: Option<&str>,
    description: &str,
    mime_type: Option<&str>,
    urls: [&str; I],
) -> Resource {
    Resource {
        uri: uri.to_owned(),
        name: name.to_owned(),
        title: title.map(str::to_owned),
        description: Some(description.to_owned()),
        mime_type: mime_type.map(str::to_owned),
        icons: icons(urls),
        ..Resource::default()
    }
}

pub fn resource_template<const I: usize>(
    uri_template: &str,
    name: &str,
    title: Option<&str>,
    description: &str,
    mime_type: Option<&str>,
    urls: [&str; I],
) -> ResourceTemplate {
    ResourceTemplate {
        uri_template: uri_template.to_owned(),
        name: name.to_owned(),
        title: title.map(str::to_owned),
        description: Some(description.to_owned()),
        mime_type: mime_type.map(str::to_owned),
        icons: icons(urls),
        ..ResourceTemplate::default()
    }
}

pub fn messages(said: impl IntoMessages) -> Result<Vec<PromptMessage>, CallError> {
    said.into_messages()
}

pub fn contents(uri: String, mime_type: Option<&str>, read: impl IntoContents) -> Result<ResourceContents, CallError> {
    read.into_contents(uri, mime_type)
}
