//! Resources, prompts and completion: what asking for one returns (`server`).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{
    Finding, No,
    answer::shown,
    lists::{ListKind, hinted},
    probe::Probe,
    skip, want,
};

/// A resource that nobody has.
const NO_RESOURCE: &str = "micro-validate://no/such/resource";

/// Prompts that are tried until one is answered.
const TRIED: usize = 5;

/// The first resource, read.
async fn read(p: &mut Probe) -> Result<Value, No> {
    let resources = p.list(ListKind::Resources).await?;
    let Some(uri) = resources.first().map(|resource| resource["uri"].clone()) else {
        return Err(skip("it lists no resources"));
    };
    p.ask("resources/read", json!({ "uri": uri })).await
}

pub(super) async fn contents(p: &mut Probe) -> Finding {
    let result = read(p).await?;
    let contents = result["contents"].as_array().filter(|contents| !contents.is_empty());
    let contents = contents.ok_or_else(|| super::fail(format!("`contents` is {}", shown(&result["contents"]))))?;
    for part in contents {
        want(part["uri"].is_string(), || format!("no `uri` in {}", shown(part)))?;
        want(part["text"].is_string() != part["blob"].is_string(), || {
            format!("not either of `text` and `blob`: {}", shown(part))
        })?;
        let blob = part["blob"].as_str().is_none_or(|blob| STANDARD.decode(blob).is_ok());
        want(blob, || "`blob` is no Base64".to_owned())?;
    }
    Ok(())
}

pub(super) async fn contents_hint(p: &mut Probe) -> Finding {
    hinted("resources/read", &read(p).await?)
}

async fn missing(p: &mut Probe, code: i64) -> Finding {
    if !p.declares("resources") {
        return Err(skip("it does not declare `resources`"));
    }
    let ask = p.request("resources/read", json!({ "uri": NO_RESOURCE }));
    p.send(ask).await.is_error(code)
}

pub(super) async fn missing_modern(p: &mut Probe) -> Finding {
    missing(p, -32602).await
}

pub(super) async fn missing_legacy(p: &mut Probe) -> Finding {
    missing(p, -32002).await
}

pub(super) async fn unknown_prompt(p: &mut Probe) -> Finding {
    if !p.declares("prompts") {
        return Err(skip("it does not declare `prompts`"));
    }
    let ask = p.request("prompts/get", json!({ "name": "micro-validate-no-such-prompt" }));
    p.send(ask).await.is_error(-32602)
}

fn required(prompt: &Value) -> Vec<&str> {
    let arguments = prompt["arguments"].as_array().into_iter().flatten();
    arguments.filter(|argument| argument["required"] == true).filter_map(|argument| argument["name"].as_str()).collect()
}

pub(super) async fn messages(p: &mut Probe) -> Finding {
    let mut prompts = p.list(ListKind::Prompts).await?;
    prompts.sort_by_key(|prompt| required(prompt).len());
    let mut refused = Err(skip("it lists no prompts"));
    for prompt in prompts.iter().take(TRIED) {
        let arguments: Map<_, _> = required(prompt).into_iter().map(|name| (name.to_owned(), json!("x"))).collect();
        let params = match arguments.is_empty() {
            true => json!({ "name": prompt["name"] }),
            false => json!({ "name": prompt["name"], "arguments": arguments }),
        };
        match p.ask("prompts/get", params).await {
            Ok(result) if result["resultType"] == "input_required" => {
                refused = Err(skip("every prompt asks its user first"));
            }
            Ok(result) => return readable(&result),
            Err(no) => refused = Err(no), // it may need what this client has not: another may not
        }
    }
    refused
}

fn readable(result: &Value) -> Finding {
    let messages = result["messages"].as_array().ok_or_else(|| super::fail("no list `messages`"))?;
    for message in messages {
        want(message["role"] == "user" || message["role"] == "assistant", || {
            format!("the role of {}", shown(message))
        })?;
        want(message["content"]["type"].is_string(), || format!("no content in {}", shown(message)))?;
    }
    Ok(())
}

pub(super) async fn missing_arguments(p: &mut Probe) -> Finding {
    let prompts = p.list(ListKind::Prompts).await?;
    let Some(prompt) = prompts.iter().find(|prompt| !required(prompt).is_empty()) else {
        return Err(skip("no prompt needs arguments"));
    };
    let ask = p.request("prompts/get", json!({ "name": prompt["name"] }));
    p.send(ask).await.is_error(-32602)
}

pub(super) async fn completion(p: &mut Probe) -> Finding {
    if !p.declares("completions") {
        return Err(skip("it does not declare `completions`"));
    }
    let prompts = p.list(ListKind::Prompts).await?;
    let with_argument =
        prompts.iter().find_map(|prompt| Some((prompt["name"].clone(), prompt["arguments"][0]["name"].as_str()?)));
    let Some((name, argument)) = with_argument else { return Err(skip("no prompt has arguments")) };
    let params =
        json!({ "ref": { "type": "ref/prompt", "name": name }, "argument": { "name": argument, "value": "" } });
    let result = p.ask("completion/complete", params).await?;
    let values = result["completion"]["values"].as_array();
    let fits = values.is_some_and(|values| values.len() <= 100 && values.iter().all(Value::is_string));
    want(fits, || format!("`completion.values` is {}", shown(&result["completion"]["values"])))
}

pub(super) async fn unknown_reference(p: &mut Probe) -> Finding {
    if !p.declares("completions") {
        return Err(skip("it does not declare `completions`"));
    }
    let reference = json!({ "type": "ref/prompt", "name": "micro-validate-no-such-prompt" });
    let ask = p.request("completion/complete", json!({ "ref": reference, "argument": { "name": "a", "value": "" } }));
    p.send(ask).await.is_error(-32602)
}
