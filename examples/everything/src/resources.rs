//! Resources: text, bytes, a template.

use micro_mcp::{
    Builder,
    proto::{Resource, ResourceContents, ResourceTemplate},
};
use serde_json::json;

use crate::tools::PIXEL;

pub(crate) fn add(server: Builder) -> Builder {
    server
        .resource(resource("test://static-text", "static-text", "A text.", "text/plain"), |read| async move {
            Ok(ResourceContents::text(read.uri, "text/plain", "This is the content of the static text resource."))
        })
        .resource(resource("test://static-binary", "static-binary", "A picture.", "image/png"), |read| async move {
            Ok(ResourceContents::blob(read.uri, "image/png", PIXEL))
        })
        .resource_template(
            ResourceTemplate {
                uri_template: "test://template/{id}/data".into(),
                name: "template".into(),
                description: Some("Data by number.".into()),
                mime_type: Some("application/json".into()),
                ..ResourceTemplate::default()
            },
            |read| async move {
                let id = &read.variables["id"];
                let data = json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
                Ok(ResourceContents::text(read.uri, "application/json", data.to_string()))
            },
        )
}

fn resource(uri: &str, name: &str, description: &str, mime_type: &str) -> Resource {
    Resource {
        uri: uri.into(),
        name: name.into(),
        description: Some(description.into()),
        mime_type: Some(mime_type.into()),
        ..Resource::default()
    }
}
