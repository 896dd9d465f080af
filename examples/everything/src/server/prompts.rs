//! Prompts: plain, with arguments and their completion, with a resource, with a picture.

use micro_mcp::{
    Builder,
    proto::{Content, Prompt, PromptArgument, PromptMessage, ResourceContents},
};

use crate::content::PIXEL;

pub(crate) fn add(server: Builder) -> Builder {
    server
        .prompt(prompt("test_simple_prompt", "A prompt without arguments.", &[]), |_| async {
            Ok(vec![PromptMessage::user(Content::text("This is a simple prompt for testing."))])
        })
        .prompt(
            prompt("test_prompt_with_arguments", "A prompt that repeats its arguments.", &["arg1", "arg2"]),
            |get| async move {
                let text =
                    format!("Prompt with arguments: arg1='{}', arg2='{}'", get.argument("arg1"), get.argument("arg2"));
                Ok(vec![PromptMessage::user(Content::text(text))])
            },
        )
        .complete_prompt("test_prompt_with_arguments", "arg1", |typed| async move {
            ["test", "testing", "text"].into_iter().filter(move |word| word.starts_with(&typed.value))
        })
        .prompt(
            prompt("test_prompt_with_embedded_resource", "A prompt about a resource.", &["resourceUri"]),
            |get| async move {
                let uri = get.argument("resourceUri");
                let resource = ResourceContents::text(uri, "text/plain", "Embedded resource content for testing.");
                Ok(vec![
                    PromptMessage::user(Content::resource(resource)),
                    PromptMessage::user(Content::text("Please process the embedded resource above.")),
                ])
            },
        )
        .prompt(prompt("test_prompt_with_image", "A prompt about a picture.", &[]), |_| async {
            Ok(vec![
                PromptMessage::user(Content::image(PIXEL, "image/png")),
                PromptMessage::user(Content::text("Please analyze the image above.")),
            ])
        })
}

fn prompt(name: &str, description: &str, arguments: &[&str]) -> Prompt {
    let argument = |name: &&str| PromptArgument {
        description: Some(format!("The value of {name}.")),
        ..PromptArgument::required(*name)
    };
    let arguments: Vec<_> = arguments.iter().map(argument).collect();
    Prompt { description: Some(description.into()), ..Prompt::new(name, arguments) }
}
