//! Resources: text, bytes, one to watch, a template with completion.

use micro_mcp::{
    Builder,
    proto::{Resource, ResourceContents, ResourceTemplate},
};
use serde_json::json;

use crate::content::PIXEL;

/// Changes whenever `test_trigger_resource_update` is called.
pub(crate) const WATCHED: &str = "test://watched-resource";
const TEMPLATE: &str = "test://template/{id}/data";

pub(crate) fn add(server: Builder) -> Builder {
    server
        .resource(resource("test://static-text", "static-text", "A text.", "text/plain"), |read| async move {
            Ok(ResourceContents::text(read.uri, "text/plain", "This is the content of the static text resource."))
        })
        .resource(resource("test://static-binary", "static-binary", "A picture.", "image/png"), |read| async move {
            Ok(ResourceContents::blob(read.uri, "image/png", PIXEL))
        })
        .resource(resource(WATCHED, "watched-resource", "A text to watch.", "text/plain"), |read| async move {
            Ok(ResourceContents::text(read.uri, "text/plain", "This is the content of the watched resource."))
        })
        .resource_template(
            ResourceTemplate {
                description: Some("Data by number.".into()),
                mime_type: Some("application/json".into()),
                ..ResourceTemplate::new(TEMPLATE, "template")
            },
            |read| async move {
                let id = &read.variables["id"];
                let data = json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
                Ok(ResourceContents::text(read.uri, "application/json", data.to_string()))
            },
        )
        .complete_template(TEMPLATE, "id", |typed| async move {
            (1..1000).map(|id| id.to_string()).filter(move |id| id.starts_with(&typed.value))
        })
}

fn resource(uri: &str, name: &str, description: &str, mime_type: &str) -> Resource {
    Resource { description: Some(description.into()), mime_type: Some(mime_type.into()), ..Resource::new(uri, name) }
}
