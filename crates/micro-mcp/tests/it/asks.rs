//! A server that asks, and clients of both eras that answer.

mod legacy;
mod modern;
mod pipe;

use std::{
    future::IntoFuture,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use micro_mcp::{
    AskError, Builder, CallContext, CallError, InputRequired, Server,
    proto::{Content, CreateMessage, Prompt, PromptMessage, Resource, ResourceContents, ToolChoice},
};
use schemars::JsonSchema;
use serde::Deserialize;

/// Everything a client can be asked.
const ABLE: &str = r#"{"elicitation":{"form":{},"url":{}},"sampling":{"tools":{}},"roots":{}}"#;

#[derive(Deserialize, JsonSchema)]
struct Who {
    /// Your first name.
    #[schemars(length(min = 1))]
    name: String,
}

#[derive(Deserialize, JsonSchema)]
struct NoForm {
    _who: Vec<Who>,
}

#[derive(Deserialize, JsonSchema)]
struct Args {
    #[serde(default)]
    row: u32,
}

/// How often handlers began.
#[derive(Default)]
struct Runs {
    two: AtomicUsize,
    reserved: AtomicUsize,
}

/// A server that asks, and what it counts.
fn server(configure: impl FnOnce(Builder) -> Builder) -> (Server, Arc<Runs>) {
    let runs = Arc::new(Runs::default());
    let builder = configure(Server::builder("asker", "1.0"));
    let builder = kinds(builder);
    let builder = courses(builder, &runs);
    let prompt = Prompt { name: "about".into(), ..Prompt::default() };
    let resource = Resource { uri: "ask://name".into(), name: "name".into(), ..Resource::default() };
    let builder = builder
        .prompt(prompt, |get| async move {
            let who = get.cx.elicit::<Who>("About whom?").key("who").await?;
            Ok(vec![PromptMessage::user(Content::text(format!("Write about {}.", who.name)))])
        })
        .resource(resource, |read| async move {
            let who = read.cx.elicit::<Who>("Whose?").key("who").await?;
            Ok(ResourceContents::text(read.uri, "text/plain", who.name))
        });
    (builder.build().expect("the fixture is in order"), runs)
}

fn kinds(server: Builder) -> Builder {
    server
        .tool("greet")
        .handler(|cx: CallContext, _: Args| async move {
            let who = cx.elicit::<Who>("Who are you?").key("who").await?;
            Ok::<_, CallError>(format!("Hello, {}!", who.name))
        })
        .tool("visit")
        .handler(|cx: CallContext, _: Args| async move {
            cx.elicit_url("Please sign in.", "https://example.com/in").await?;
            Ok::<_, CallError>("welcome")
        })
        .tool("sample")
        .handler(|cx: CallContext, _: Args| async move {
            Ok::<_, CallError>(cx.sample(CreateMessage::ask("Hm?", 10)).await?.to_text())
        })
        .tool("sample_tools")
        .handler(|cx: CallContext, _: Args| async move {
            let request = CreateMessage { tool_choice: Some(ToolChoice::default()), ..CreateMessage::ask("Hm?", 10) };
            Ok::<_, CallError>(cx.sample(request).await?.to_text())
        })
        .tool("roots")
        .handler(
            |cx: CallContext, _: Args| async move { Ok::<_, CallError>(format!("{} roots", cx.roots().await?.len())) },
        )
        .tool("no_form")
        .handler(|cx: CallContext, _: Args| async move {
            cx.elicit::<NoForm>("Impossible").await?;
            Ok::<_, CallError>("never")
        })
}

fn courses(server: Builder, runs: &Arc<Runs>) -> Builder {
    let (counted, reserving) = (runs.clone(), runs.clone());
    server
        .tool("two")
        .handler(move |cx: CallContext, args: Args| {
            counted.two.fetch_add(1, Ordering::SeqCst);
            async move {
                let one = cx.elicit::<Who>("Who sits left?").await?;
                let two = cx.elicit::<Who>("Who sits right?").await?;
                Ok::<_, CallError>(format!("row {}: {} and {}", args.row, one.name, two.name))
            }
        })
        .tool("both")
        .handler(|cx: CallContext, _: Args| async move {
            let (who, roots) = tokio::join!(cx.elicit::<Who>("Who?").key("who"), cx.roots().key("roots"));
            Ok::<_, CallError>(format!("{} with {} roots", who?.name, roots?.len()))
        })
        .tool("polite")
        .handler(|cx: CallContext, _: Args| async move {
            match cx.elicit::<Who>("May I ask your name?").key("who").await {
                Ok(who) => Ok(who.name),
                Err(AskError::Declined) => Ok("somebody".to_owned()),
                Err(error) => Err(CallError::from(error)),
            }
        })
        .tool("careless")
        .handler(|cx: CallContext, _: Args| async move {
            cx.elicit::<Who>("Who?").key("who").await.map_or_else(|_| "nobody".to_owned(), |who| who.name)
        })
        .tool("same_key")
        .handler(|cx: CallContext, _: Args| async move {
            cx.elicit::<Who>("One?").key("x").await?;
            cx.elicit::<Who>("Two?").key("x").await?;
            Ok::<_, CallError>("never")
        })
        .tool("hurry")
        .handler(|cx: CallContext, _: Args| async move {
            cx.elicit::<Who>("Quick!").timeout(Duration::from_millis(5)).await?;
            Ok::<_, CallError>("never")
        })
        .tool("many")
        .handler(|cx: CallContext, _: Args| async move {
            // The last one finds no place; the others end with it.
            let asks = (0..65).map(|n| cx.elicit::<Who>("Who?").key(n.to_string()).into_future());
            let outcome = tokio::time::timeout(Duration::from_millis(50), join_all(asks)).await;
            if outcome.is_err() { "they wait" } else { "they ended" }
        })
        .tool("busy")
        .handler(|cx: CallContext, _: Args| async move {
            match cx.state::<u32>()?.unwrap_or_default() {
                3 => Ok("at last"),
                times => Err(CallError::from(InputRequired::new().state(&(times + 1)))),
            }
        })
        .tool("reserve")
        .handler(move |cx: CallContext, args: Args| {
            let reserving = reserving.clone();
            async move {
                let ask = |seat: &u32| InputRequired::new().elicit::<Who>("who", "For whom?").state(seat);
                let Some(seat) = cx.state::<u32>()? else {
                    reserving.reserved.fetch_add(1, Ordering::SeqCst);
                    return Err(CallError::from(ask(&(args.row * 10))));
                };
                match cx.response::<Who>("who")? {
                    Some(who) => Ok(format!("seat {seat} for {}", who.name)),
                    None => Err(ask(&seat).into()),
                }
            }
        })
}
