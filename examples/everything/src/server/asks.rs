//! Asking the client: forms for its user, questions for its model.
//!
//! The same lines serve clients of every revision: old ones are sent a request and answer it, new ones
//! get the question as the result and call again with the answer.

use micro_mcp::{AskError, Builder, CallContext, CallError, NoArgs, proto::CreateMessage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the model is asked.
#[derive(Deserialize, JsonSchema)]
struct Sampling {
    /// The question.
    prompt: String,
}

/// What the user is asked.
#[derive(Deserialize, JsonSchema)]
struct Elicitation {
    /// The words above the form.
    message: String,
}

/// Who the user is.
#[derive(Deserialize, JsonSchema)]
struct Account {
    /// Your name here.
    username: String,
    /// Where to write to.
    #[schemars(email)]
    email: String,
}

/// A form that is filled in already.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
struct Profile {
    /// Your full name.
    #[serde(default = "john")]
    name: String,
    /// In years.
    #[serde(default = "thirty")]
    age: u8,
    /// Out of a hundred.
    #[serde(default = "good")]
    score: f64,
    #[serde(default)]
    status: Status,
    /// Somebody has looked at your passport.
    #[serde(default = "yes")]
    verified: bool,
}

#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    #[default]
    Active,
    Inactive,
    Pending,
}

/// Every way to choose.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Choices {
    untitled_single: Plain,
    titled_single: Titled,
    /// As before 2025-11-25.
    #[schemars(extend("enumNames" = ["Option One", "Option Two", "Option Three"]))]
    legacy_enum: Numbered,
    untitled_multi: Vec<Plain>,
    titled_multi: Vec<Titled>,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Plain {
    Option1,
    Option2,
    Option3,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Titled {
    #[schemars(title = "First Option")]
    Value1,
    #[schemars(title = "Second Option")]
    Value2,
    #[schemars(title = "Third Option")]
    Value3,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Numbered {
    Opt1,
    Opt2,
    Opt3,
}

pub(crate) fn add(server: Builder) -> Builder {
    server
        .tool("test_sampling")
        .description("Asks the client's model.")
        .handler(|cx: CallContext, args: Sampling| async move {
            let answer = cx.sample(CreateMessage::ask(args.prompt, 100)).await?;
            Ok::<_, CallError>(format!("LLM response: {}", answer.to_text()))
        })
        .tool("test_elicitation")
        .description("Asks the user for name and address.")
        .handler(|cx: CallContext, args: Elicitation| async move {
            match cx.elicit::<Account>(args.message).await {
                Ok(account) => Ok(format!("User response: {} <{}>", account.username, account.email)),
                Err(AskError::Declined | AskError::Cancelled) => Ok("User response: none".to_owned()),
                Err(error) => Err(CallError::from(error)),
            }
        })
        .tool("test_elicitation_sep1034_defaults")
        .description("Asks the user with a form that is filled in already.")
        .handler(|cx: CallContext, _: NoArgs| async move {
            let profile = cx.elicit::<Profile>("Please check these.").await?;
            Ok::<_, CallError>(format!("Elicitation completed: {profile:?}"))
        })
        .tool("test_elicitation_sep1330_enums")
        .description("Asks the user to choose, in every way there is.")
        .handler(|cx: CallContext, _: NoArgs| async move {
            let choices = cx.elicit::<Choices>("Please choose.").await?;
            Ok::<_, CallError>(format!("Elicitation completed: {choices:?}"))
        })
        .tool("test_streaming_elicitation")
        .description("Streams progress before it asks the user.")
        .handler(|cx: CallContext, _: NoArgs| async move {
            cx.progress(1.0, Some(2.0), Some("about to ask")).await;
            let account = cx.elicit::<Account>("Who are you?").await?;
            cx.progress(2.0, Some(2.0), None).await;
            Ok::<_, CallError>(format!("Hello, {}!", account.username))
        })
        .tool("test_missing_capability")
        .description("Needs a client whose model can be asked.")
        .handler(|cx: CallContext, _: NoArgs| async move {
            cx.sample(CreateMessage::ask("Are you there?", 10)).await?;
            Ok::<_, CallError>("the model is there")
        })
}

fn john() -> String {
    "John Doe".into()
}

fn thirty() -> u8 {
    30
}

fn good() -> f64 {
    95.5
}

fn yes() -> bool {
    true
}
