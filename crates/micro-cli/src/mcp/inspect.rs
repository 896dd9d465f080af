//! What a server offers, in every revision it speaks.

mod differences;

use micro_mcp::{
    client::{Client, DroppedTool, Error},
    proto::{Era, Implementation, Revision},
};
use serde::Serialize;
use serde_json::{Value, json};

pub(crate) use self::differences::{capabilities, differences};
use super::target::{Place, Target};
use crate::error::CommandError;

/// What a server offers in one revision.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(crate) revision: Revision,
    pub(crate) server: Implementation,
    pub(crate) instructions: Option<String>,
    /// A ServerCapabilities object.
    pub(crate) capabilities: Value,
    pub(crate) tools: Vec<Value>,
    pub(crate) resources: Vec<Value>,
    pub(crate) templates: Vec<Value>,
    pub(crate) prompts: Vec<Value>,
    /// Tools that break the rules so much that clients must leave them out.
    pub(crate) dropped: Vec<DroppedTool>,
    /// Lists that are promised and cannot be had, and why.
    pub(crate) problems: Vec<String>,
}

/// Asks the server in one revision. `None` when it does not speak it.
pub(crate) async fn inspect(target: &Target, revision: Revision) -> Result<Option<Offer>, CommandError> {
    let builder = Client::builder().name("micro", env!("CARGO_PKG_VERSION")).revision(revision);
    let client = match target.client(builder).await {
        Ok(client) => client,
        Err(error) if does_not_speak(&target.place, &error) => return Ok(None),
        Err(error) => return Err(target.failure(&error)),
    };
    let offer = offer(&client, revision).await.map_err(|error| target.failure(&error));
    client.close().await;
    offer.map(Some)
}

/// Whether a failed handshake is a verdict on the revision. What is said of the caller or of the moment is none.
fn does_not_speak(place: &Place, error: &Error) -> bool {
    match error {
        Error::NoCommonVersion(_) | Error::Rpc(_) | Error::Protocol(_) | Error::Json(_) => true,
        Error::Status(status) => status.is_client_error() && !matches!(status.as_u16(), 401 | 403 | 407 | 408 | 429),
        // Programs that know nothing of the question end, or say nothing.
        Error::Timeout | Error::Disconnected | Error::SessionLost => matches!(place, Place::Command(_)),
        _ => false,
    }
}

async fn offer(client: &Client, revision: Revision) -> Result<Offer, Error> {
    let said = client.server().await?;
    let capabilities = json!(said.capabilities);
    let declares = |name: &str| capabilities[name].is_object();
    let mut problems = Vec::new();
    let tools = match declares("tools") {
        true => kept(client.tools().await, "tools/list", &mut problems),
        false => Vec::new(),
    };
    let (mut resources, mut templates) = (Vec::new(), Vec::new());
    if declares("resources") {
        resources = kept(client.resources().await, "resources/list", &mut problems);
        // Servers without templates need not know the method.
        templates = client.resource_templates().await.map(|list| values(&list)).unwrap_or_default();
    }
    let prompts = match declares("prompts") {
        true => kept(client.prompts().await, "prompts/list", &mut problems),
        false => Vec::new(),
    };
    Ok(Offer {
        revision,
        server: said.implementation,
        instructions: said.instructions,
        capabilities,
        tools,
        resources,
        templates,
        prompts,
        dropped: client.dropped_tools().to_vec(),
        problems,
    })
}

/// A list, or a note on why it cannot be had.
fn kept<T: Serialize>(
    list: Result<std::sync::Arc<[T]>, Error>,
    method: &str,
    problems: &mut Vec<String>,
) -> Vec<Value> {
    match list {
        Ok(list) => values(&list),
        Err(error) => {
            problems.push(format!("{method}: {error}"));
            Vec::new()
        }
    }
}

fn values<T: Serialize>(list: &[T]) -> Vec<Value> {
    list.iter().map(|item| json!(item)).collect()
}

impl Offer {
    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let era = match self.revision.era() {
            Era::Modern => "modern",
            Era::Legacy => "legacy",
        };
        let dropped = |tool: &DroppedTool| json!({ "name": tool.name, "reason": tool.reason });
        json!({
            "revision": self.revision.as_str(),
            "era": era,
            "server": self.server,
            "instructions": self.instructions,
            "capabilities": self.capabilities,
            "tools": self.tools,
            "resources": self.resources,
            "resourceTemplates": self.templates,
            "prompts": self.prompts,
            "invalidTools": self.dropped.iter().map(dropped).collect::<Vec<_>>(),
            "problems": self.problems,
        })
    }
}
