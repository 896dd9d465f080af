//! Asking in several rounds (2026-07-28): one question after the other, many at once, and with a state
//! of one's own between them.

use micro_mcp::{
    AskError, Builder, CallContext, CallError, InputRequired, NoArgs,
    proto::{Content, CreateMessage, Prompt, PromptMessage},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who the user is.
#[derive(Deserialize, JsonSchema)]
struct Name {
    /// Your first name.
    name: String,
}

/// What they like.
#[derive(Deserialize, JsonSchema)]
struct Color {
    /// Your favorite color.
    color: String,
}

/// Whether they agree.
#[derive(Deserialize, JsonSchema)]
struct Confirm {
    /// Go on?
    ok: bool,
}

/// What a prompt is about.
#[derive(Deserialize, JsonSchema)]
struct Context {
    /// What you are working on.
    context: String,
}

/// What is kept between the rounds of `test_input_required_result_request_state`.
#[derive(Serialize, Deserialize)]
struct Draft {
    number: u32,
}

pub(crate) fn add(server: Builder) -> Builder {
    let server = one_question(server);
    let server = many_questions(server);
    with_state(server).prompt(
        Prompt {
            name: "test_input_required_result_prompt".into(),
            description: Some("A prompt that asks what it is about.".into()),
            ..Prompt::default()
        },
        |get| async move {
            let about = get.cx.elicit::<Context>("What context should the prompt use?").key("user_context").await?;
            Ok(vec![PromptMessage::user(Content::text(format!("Help me with this: {}", about.context)))])
        },
    )
}

fn one_question(server: Builder) -> Builder {
    server
        .tool("test_input_required_result_elicitation")
        .description("Asks for a name and greets.")
        .handler(|cx: CallContext, _: NoArgs| async move {
            let who = cx.elicit::<Name>("What is your name?").key("user_name").await?;
            Ok::<_, CallError>(format!("Hello, {}!", who.name))
        })
        .tool("test_input_required_result_sampling")
        .description("Asks the model for a capital.")
        .handler(|cx: CallContext, _: NoArgs| async move {
            let question = CreateMessage::ask("What is the capital of France?", 100);
            let answer = cx.sample(question).key("capital_question").await?;
            Ok::<_, CallError>(answer.to_text())
        })
        .tool("test_input_required_result_list_roots")
        .description("Asks for the client's roots.")
        .handler(|cx: CallContext, _: NoArgs| async move {
            let roots = cx.roots().key("client_roots").await?;
            let uris: Vec<_> = roots.into_iter().map(|root| root.uri).collect();
            Ok::<_, CallError>(format!("Roots: {}", uris.join(", ")))
        })
        .tool("test_input_required_result_tampered_state")
        .description("Asks for a word of consent. States that were tampered with are refused by the SDK.")
        .handler(|cx: CallContext, _: NoArgs| async move {
            let confirmed = cx.elicit::<Confirm>("Please confirm").key("confirm").await?;
            Ok::<_, CallError>(if confirmed.ok { "confirmed" } else { "not confirmed" })
        })
}

fn many_questions(server: Builder) -> Builder {
    server
        .tool("test_input_required_result_multiple_inputs")
        .description("Asks user, model and client at once.")
        .handler(|cx: CallContext, _: NoArgs| async move {
            // Joined, so that all of them are asked before the first `?` ends the round.
            let (who, greeting, roots) = tokio::join!(
                cx.elicit::<Name>("What is your name?").key("user_name"),
                cx.sample(CreateMessage::ask("Generate a greeting", 50)).key("greeting"),
                cx.roots().key("client_roots"),
            );
            Ok::<_, CallError>(format!("{}, {} ({} roots)", greeting?.to_text(), who?.name, roots?.len()))
        })
        .tool("test_input_required_result_multi_round")
        .description("Asks two questions, one after the other.")
        .handler(|cx: CallContext, _: NoArgs| async move {
            let who = cx.elicit::<Name>("Step 1: What is your name?").key("step1").await?;
            let what = cx.elicit::<Color>("Step 2: What is your favorite color?").key("step2").await?;
            Ok::<_, CallError>(format!("{} likes {}", who.name, what.color))
        })
        .tool("test_input_required_result_capabilities")
        .description("Asks what the client can be asked.")
        .handler(|cx: CallContext, _: NoArgs| async move {
            let able = cx.capabilities;
            let (said, who) = tokio::join!(
                async {
                    match able.sampling {
                        true => cx.sample(CreateMessage::ask("Say hello", 50)).key("hello").await.map(Some),
                        false => Ok(None),
                    }
                },
                async {
                    match able.elicitation_form {
                        true => cx.elicit::<Name>("What is your name?").key("user_name").await.map(Some),
                        false => Ok(None),
                    }
                },
            );
            let said = said?.map_or_else(|| "Hello".to_owned(), |said| said.to_text());
            Ok::<_, CallError>(format!("{said}, {}", who?.map_or_else(|| "stranger".to_owned(), |who| who.name)))
        })
}

/// A handler that must not begin anew keeps a state instead; it travels sealed through the client.
fn with_state(server: Builder) -> Builder {
    server
        .tool("test_input_required_result_request_state")
        .description("Takes a number before it asks, and keeps it until the answer is there.")
        .handler(|cx: CallContext, _: NoArgs| async move {
            let ask = |draft: &Draft| {
                CallError::from(InputRequired::new().elicit::<Confirm>("confirm", "Please confirm").state(draft))
            };
            let Some(draft) = cx.state::<Draft>()? else {
                return Err(ask(&Draft { number: 7 })); // taken once, however often the client comes back
            };
            match cx.response::<Confirm>("confirm") {
                Ok(Some(Confirm { ok: true })) => Ok(format!("state-ok: number {} is yours", draft.number)),
                Ok(Some(Confirm { ok: false })) | Err(AskError::Declined | AskError::Cancelled) => {
                    Ok("state-ok: the number is free again".to_owned())
                }
                Ok(None) => Err(ask(&draft)),
                Err(error) => Err(error.into()),
            }
        })
}
