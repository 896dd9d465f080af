//! Changing the server while it runs: whoever listens is told.

use std::sync::atomic::{AtomicBool, Ordering};

use micro_mcp::{
    Builder, CallError, Live, NoArgs,
    proto::{Content, Prompt, PromptMessage},
};

use crate::resources::WATCHED;

const NEW_TOOL: &str = "test_dynamic_tool";
const NEW_PROMPT: &str = "test_dynamic_prompt";

pub(crate) fn add(server: Builder) -> Builder {
    let (tools, prompts) = (Toggle::new(server.live()), Toggle::new(server.live()));
    let notifier = server.notifier();
    server
        .tool("test_trigger_tool_change")
        .description("Adds a tool, or removes it again.")
        .handler(move |_: NoArgs| {
            let changed = tools.flip(add_tool, |server| server.remove_tool(NEW_TOOL));
            async { changed }
        })
        .tool("test_trigger_prompt_change")
        .description("Adds a prompt, or removes it again.")
        .handler(move |_: NoArgs| {
            let changed = prompts.flip(add_prompt, |server| server.remove_prompt(NEW_PROMPT));
            async { changed }
        })
        .tool("test_trigger_resource_update")
        .description("Tells everyone who watches test://watched-resource that it changed.")
        .handler(move |_: NoArgs| {
            notifier.resource_updated(WATCHED);
            async { "told" }
        })
}

fn add_tool(server: Builder) -> Builder {
    server.tool(NEW_TOOL).description("Was added while the server ran.").handler(|_: NoArgs| async { "Here I am." })
}

fn add_prompt(server: Builder) -> Builder {
    let description = Some("Was added while the server ran.".into());
    let prompt = Prompt { description, ..Prompt::new(NEW_PROMPT, []) };
    server.prompt(prompt, |_| async { Ok(vec![PromptMessage::user(Content::text("Here I am."))]) })
}

/// Something that is there or not.
struct Toggle {
    server: Live,
    there: AtomicBool,
}

impl Toggle {
    fn new(server: Live) -> Self {
        Self { server, there: AtomicBool::new(false) }
    }

    fn flip(&self, add: fn(Builder) -> Builder, remove: fn(Builder) -> Builder) -> Result<&'static str, CallError> {
        let was_there = self.there.fetch_xor(true, Ordering::SeqCst);
        let change = if was_there { remove } else { add };
        self.server.update(change).map_err(|error| error.to_string())?;
        Ok(if was_there { "removed" } else { "added" })
    }
}
