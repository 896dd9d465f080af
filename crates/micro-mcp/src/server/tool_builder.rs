//! Describing a tool.

use std::sync::Arc;

use micro_core::Schema;
use micro_mcp_proto::{Icon, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde_json::{Map, Value};

use super::{
    BuildError, Builder, IntoToolResult, ToolFn, offer,
    tasks::Plan,
    tool::{self, ToolEntry},
};
use crate::task::TaskMode;

/// A tool being described; [`ToolBuilder::handler`] puts it into its server.
#[must_use]
pub struct ToolBuilder {
    server: Builder,
    name: String,
    title: Option<String>,
    description: Option<String>,
    input: Option<Schema>,
    output: Option<Schema>,
    annotations: Option<ToolAnnotations>,
    icons: Vec<Icon>,
    meta: Map<String, Value>,
    examples: Vec<Value>,
    task: Option<Plan>,
}

impl ToolBuilder {
    pub(super) fn new(server: Builder, name: String) -> Self {
        Self {
            server,
            name,
            title: None,
            description: None,
            input: None,
            output: None,
            annotations: None,
            icons: Vec::new(),
            meta: Map::new(),
            examples: Vec::new(),
            task: None,
        }
    }

    /// What it does, for the model.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Its name for people.
    pub fn title(mut self, text: impl Into<String>) -> Self {
        self.title = Some(text.into());
        self
    }

    /// Shows the schema of this type instead of the closure's argument type.
    pub fn input_schema<T: JsonSchema>(self) -> Self {
        self.input_schema_raw(tool::schema_of::<T>())
    }

    /// Shows this schema, word for word.
    ///
    /// ```
    /// # use micro_mcp::{Schema, Server};
    /// # use serde_json::{Map, Value};
    /// let schema = r#"{"type":"object","properties":{"size":{"enum":["s","m","l"]}},"required":["size"]}"#;
    /// let server = Server::builder("tailor", "1.0")
    ///     .tool("order").input_schema_raw(Schema::parse(schema)?).handler(|order: Map<String, Value>| async move {
    ///         format!("one in {}", order["size"])
    ///     })
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn input_schema_raw(mut self, schema: Schema) -> Self {
        self.input = Some(schema);
        self
    }

    /// The schema of `structuredContent`, where [`crate::Json`] does not say it. Results are not checked against it.
    pub fn output_schema<T: JsonSchema>(mut self) -> Self {
        self.output = Some(tool::schema_of::<T>());
        self
    }

    /// Hints on its behaviour.
    pub fn annotations(mut self, annotations: ToolAnnotations) -> Self {
        self.annotations = Some(annotations);
        self
    }

    /// A picture of it.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icons.push(icon);
        self
    }

    /// Whatever else is to be said of it, in `_meta`; keys of others carry their prefix.
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.meta.insert(key.into(), value.into());
        self
    }

    /// Runs as a task, for clients that know tasks; see [`crate::task`].
    pub fn task(mut self, mode: TaskMode) -> Self {
        self.task = Some(Plan { mode, on_demand: false });
        self
    }

    /// Becomes a task when its handler says so ([`crate::CallContext::become_task`]): what it asks before
    /// is asked in rounds, and it may end before.
    pub fn task_on_demand(mut self, mode: TaskMode) -> Self {
        self.task = Some(Plan { mode, on_demand: true });
        self
    }

    /// Arguments it may be called with, shown in its input schema. One that does not fit the schema is an error
    /// of the server ([`BuildError::Example`]).
    pub fn example(mut self, arguments: impl Into<Value>) -> Self {
        self.examples.push(arguments.into());
        self
    }

    /// What runs when it is called; ends the description.
    ///
    /// Its future is dropped when the client cancels the call: what it holds is released, and nothing runs on.
    ///
    /// ```
    /// # use std::{sync::Arc, time::Duration};
    /// # use micro_mcp::{NoArgs, Server, client::{Client, Error}};
    /// # use tokio_util::sync::CancellationToken;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let released = CancellationToken::new();
    /// let token = released.clone();
    /// let server = Server::builder("patient", "1.0")
    ///     .tool("wait").handler(move |_: NoArgs| {
    ///         let guard = token.clone().drop_guard();
    ///         async move {
    ///             std::future::pending::<()>().await;
    ///             drop(guard);
    ///         }
    ///     })
    ///     .build()?;
    /// let client = Client::builder().in_process(Arc::new(server)).await?;
    /// let call = client.call("wait").timeout(Duration::from_millis(50));
    /// assert!(matches!(call.await, Err(Error::Timeout)));
    /// released.cancelled().await; // the server was told
    /// # Ok(())
    /// # }
    /// ```
    pub fn handler<M: 'static, F: ToolFn<M>>(self, handler: F) -> Builder {
        let mut server = self.server;
        let input = self.input.unwrap_or_else(tool::schema_of::<F::Args>);
        let input = with_examples(input, &self.examples);
        let output = self.output.or_else(F::Output::output_schema);
        let shown = Tool {
            title: self.title,
            description: self.description,
            output_schema: output.map(|schema| schema.as_raw().to_owned()),
            annotations: self.annotations,
            icons: self.icons,
            meta: self.meta,
            ..Tool::new(self.name, input.as_raw().to_owned())
        };
        let valid = (1..=128).contains(&shown.name.len())
            && shown.name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
        if !valid {
            server.bad.get_or_insert(BuildError::Name(shown.name.clone()));
        }
        server.touched.tools = true;
        match offer::ready(&shown, tool::erase(handler), self.task) {
            Ok(entry) => {
                if let Some(bad) = self.examples.iter().find_map(|example| misfit(&shown.name, &entry, example)) {
                    server.bad.get_or_insert(bad);
                }
                server.parts.tools.push((shown, Arc::new(entry)));
            }
            Err(bad) => {
                server.bad.get_or_insert(bad);
            }
        }
        server
    }
}

/// The schema with `examples` at its root.
fn with_examples(schema: Schema, examples: &[Value]) -> Schema {
    match serde_json::from_str(schema.as_str()) {
        Ok(Value::Object(mut root)) if !examples.is_empty() => {
            root.insert("examples".to_owned(), Value::from(examples));
            Schema::of(&root)
        }
        _ => schema,
    }
}

/// Why an example does not fit its tool.
fn misfit(tool: &str, entry: &ToolEntry, example: &Value) -> Option<BuildError> {
    let violations = entry.validator.check(&example.to_string()).err()?;
    let reason = violations.first().map(ToString::to_string).unwrap_or_default();
    Some(BuildError::Example { tool: tool.to_owned(), reason })
}
