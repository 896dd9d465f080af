//! Which version is spoken, and what a server says of itself (`basic/lifecycle`, `basic/versioning`).

use micro_mcp::proto::{Era, Revision, headers, meta_key};
use serde_json::{Value, json};

use super::{Finding, fail, probe::Probe, skip, want};

/// A version that nobody speaks.
const NO_VERSION: &str = "1900-01-01";

pub(super) async fn hello_shape(p: &mut Probe) -> Finding {
    let result = p.hello.result()?;
    want(result["capabilities"].is_object(), || "`capabilities` is no object".to_owned())?;
    want(result.get("instructions").is_none_or(Value::is_string), || "`instructions` is no text".to_owned())?;
    let named = |server: &Value| server["name"].is_string() && server["version"].is_string();
    match p.is_modern() {
        true => {
            want(result["supportedVersions"].as_array().is_some_and(|all| all.iter().all(Value::is_string)), || {
                "`supportedVersions` is no list of texts".to_owned()
            })
        }
        false => want(named(&result["serverInfo"]), || {
            format!("`serverInfo` is {}, and needs name and version", result["serverInfo"])
        }),
    }
}

pub(super) async fn named(p: &mut Probe) -> Finding {
    let server = &p.hello.result()?["_meta"]["io.modelcontextprotocol/serverInfo"];
    want(server["name"].is_string() && server["version"].is_string(), || {
        format!("`_meta` has {server} as `io.modelcontextprotocol/serverInfo`")
    })
}

pub(super) async fn ping(p: &mut Probe) -> Finding {
    let result = p.ask("ping", json!({})).await?;
    let empty = result.as_object().is_some_and(|result| result.keys().all(|key| key == "_meta"));
    want(empty, || format!("the result is {result}"))
}

/// What a server answers to `initialize` with a version that it cannot know.
async fn counter_offer(p: &mut Probe) -> Result<Value, super::No> {
    let mut stranger = Probe::stranger(&p.target, p.revision).await.map_err(|_| fail("it took no second client"))?;
    let ask = stranger.initialize(NO_VERSION);
    let answer = stranger.send(ask).await;
    match answer.code() {
        Ok(_) => Err(skip(format!("it refuses an unknown version, {}", answer.seen()))),
        Err(_) => Ok(answer.result()?["protocolVersion"].clone()),
    }
}

pub(super) async fn other_version(p: &mut Probe) -> Finding {
    match counter_offer(p).await {
        Ok(version) => want(version != NO_VERSION && version.is_string(), || format!("it agreed on {version}")),
        Err(super::No::Skip(_)) => Ok(()), // an error is an answer too
        Err(other) => Err(other),
    }
}

pub(super) async fn latest_offered(p: &mut Probe) -> Finding {
    let offered = counter_offer(p).await?;
    let latest = p.spoken.iter().filter(|revision| revision.era() == Era::Legacy).max();
    let latest = latest.map(|revision| revision.as_str()).unwrap_or_default();
    // One newer than this program knows is fine.
    want(offered.as_str().is_some_and(|offered| offered >= latest), || {
        format!("it offered {offered}, and speaks {latest}")
    })
}

pub(super) async fn undeclared(p: &mut Probe) -> Finding {
    let mut methods = vec![
        ("tools", "tools/list", json!({})),
        ("prompts", "prompts/list", json!({})),
        ("resources", "resources/list", json!({})),
        (
            "completions",
            "completion/complete",
            json!({
                "ref": { "type": "ref/prompt", "name": "none" }, "argument": { "name": "a", "value": "" }
            }),
        ),
    ];
    if p.revision < Revision::V2025_03_26 {
        methods.pop(); // the capability came later
    }
    let mut checked = 0;
    for (capability, method, params) in methods {
        if !p.declares(capability) {
            checked += 1;
            let ask = p.request(method, params);
            p.send(ask).await.is_error(-32601).map_err(|no| match no {
                super::No::Fail(why) => fail(format!("`{capability}` is not declared; {method}: {why}")),
                skip => skip,
            })?;
        }
    }
    if checked == 0 { Err(skip("it declares every capability")) } else { Ok(()) }
}

pub(super) async fn unsupported(p: &mut Probe) -> Finding {
    let mut ask = p.simple().header(&headers::PROTOCOL_VERSION, Some(NO_VERSION));
    ask.body["params"]["_meta"][meta_key::PROTOCOL_VERSION] = NO_VERSION.into();
    let answer = p.send(ask).await;
    answer.is_error(-32022)?;
    answer.has_status(400)?;
    let data = answer.response.as_ref().map(|response| response["error"]["data"].clone()).unwrap_or_default();
    let supported = data["supported"].as_array().is_some_and(|all| all.iter().any(|v| v == p.revision.as_str()));
    want(supported && data["requested"] == NO_VERSION, || {
        format!("`data` needs `supported` with {} and `requested`, it is {data}", p.revision.as_str())
    })
}

pub(super) async fn missing_version(p: &mut Probe) -> Finding {
    let ask = p.request("tools/list", json!({})).without_meta(meta_key::PROTOCOL_VERSION);
    let answer = p.send(ask).await;
    answer.is_error(-32602)?;
    answer.has_status(400)
}

pub(super) async fn missing_capabilities(p: &mut Probe) -> Finding {
    let ask = p.simple().without_meta(meta_key::CLIENT_CAPABILITIES);
    let answer = p.send(ask).await;
    answer.is_error(-32602)?;
    answer.has_status(400)
}

pub(super) async fn anonymous_client(p: &mut Probe) -> Finding {
    let ask = p.simple().without_meta(meta_key::CLIENT_INFO);
    p.send(ask).await.result().map(|_| ())
}

pub(super) async fn removed(p: &mut Probe) -> Finding {
    for (method, params) in [
        ("ping", json!({})),
        ("logging/setLevel", json!({ "level": "info" })),
        ("resources/subscribe", json!({ "uri": "micro://none" })),
        ("resources/unsubscribe", json!({ "uri": "micro://none" })),
    ] {
        let ask = p.request(method, params);
        p.send(ask).await.is_error(-32601).map_err(|no| match no {
            super::No::Fail(why) => fail(format!("{method}: {why}")),
            skip => skip,
        })?;
    }
    Ok(())
}

pub(super) async fn bad_log_level(p: &mut Probe) -> Finding {
    if !p.declares("logging") {
        return Err(skip("it does not declare `logging`"));
    }
    let mut ask = p.simple();
    ask.body["params"]["_meta"][meta_key::LOG_LEVEL] = "shouting".into();
    p.send(ask).await.is_error(-32602)
}

pub(super) async fn stateless(p: &mut Probe) -> Finding {
    let Some(method) = super::lists::first_declared(p) else { return Err(skip("it has no lists")) };
    let mut stranger = Probe::stranger(&p.target, p.revision).await.map_err(|_| fail("it took no second client"))?;
    let ask = stranger.request(method, json!({}));
    stranger.send(ask).await.result().map(|_| ())
}

pub(super) async fn names_versions(p: &mut Probe) -> Finding {
    if p.spoken.iter().any(|revision| revision.era() == Era::Legacy) {
        return Err(skip("it also speaks legacy versions"));
    }
    let ask = p.initialize(Revision::LATEST_LEGACY.as_str());
    let answer = p.send(ask).await;
    answer.code()?;
    let error = answer.response.as_ref().map(|response| response["error"].to_string()).unwrap_or_default();
    want(error.contains(p.revision.as_str()), || format!("the error does not name a version, {}", answer.seen()))
}
