//! Messages: envelopes, ids, errors, notifications (`basic`).

use std::time::Duration;

use serde_json::{Value, json};

use super::{Finding, answer::shown, fail, probe::Probe, skip, want};

/// Requests that are sent at once.
const AT_ONCE: usize = 8;
/// A method that nobody has.
pub(super) const NO_METHOD: &str = "micro/no-such-method";
/// How long a server may take to end when nobody speaks to it any more.
const FAREWELL: Duration = Duration::from_secs(5);

pub(super) async fn envelope(p: &mut Probe) -> Finding {
    let ask = p.simple();
    let id = ask.body["id"].clone();
    let answer = p.send(ask).await;
    let response = answer.response.as_ref().ok_or_else(|| fail(format!("no response, {}", answer.seen())))?;
    want(response["jsonrpc"] == "2.0", || format!("`jsonrpc` is {}", response["jsonrpc"]))?;
    want(response["id"] == id, || format!("the request had the id {id}, the response {}", response["id"]))?;
    let (result, error) = (response.get("result"), response.get("error"));
    want(result.is_some() != error.is_some(), || format!("not either of result and error: {}", shown(response)))?;
    want(result.is_none_or(Value::is_object), || "the result is no object".to_owned())
}

async fn echoed(p: &mut Probe, id: Value) -> Finding {
    let ask = p.simple().id(Some(id.clone()));
    let answer = p.send(ask).await;
    let found = answer.response.as_ref().and_then(|response| response.get("id"));
    want(found == Some(&id), || format!("the request had the id {id}, {}", answer.seen()))
}

pub(super) async fn string_id(p: &mut Probe) -> Finding {
    echoed(p, json!("check-é-1")).await
}

pub(super) async fn integer_id(p: &mut Probe) -> Finding {
    echoed(p, json!(9_007_199_254_740_991_i64)).await
}

pub(super) async fn null_id(p: &mut Probe) -> Finding {
    let ask = p.simple().id(Some(Value::Null));
    p.send(ask).await.is_no_result()
}

pub(super) async fn parse_status(p: &mut Probe) -> Finding {
    let ask = p.simple().raw(r#"{"jsonrpc":"2.0","id":1,"method":"#);
    let answer = p.send(ask).await;
    answer.is_refused()?;
    answer.is_no_result()
}

pub(super) async fn parse_code(p: &mut Probe) -> Finding {
    let ask = p.simple().raw(r#"{"jsonrpc":"2.0","id":1,"method":"#);
    p.send(ask).await.is_error(-32700)
}

pub(super) async fn goes_on(p: &mut Probe) -> Finding {
    for garbage in ["{\"jsonrpc\":", "no json at all", "[]", "7"] {
        let ask = p.simple().raw(garbage);
        let answer = p.send(ask).await;
        want(!p.is_dead(), || format!("the server ended after the line {garbage:?}, {}", answer.seen()))?;
    }
    let ask = p.simple();
    p.send(ask).await.result().map(|_| ())
}

pub(super) async fn no_message(p: &mut Probe) -> Finding {
    let ask = p.simple().raw(r#"{"hello":"world"}"#);
    let answer = p.send(ask).await;
    answer.is_refused()?;
    answer.is_no_result()
}

pub(super) async fn other_json_rpc(p: &mut Probe) -> Finding {
    let mut ask = p.simple();
    ask.body["jsonrpc"] = "1.0".into();
    ask.odd = true;
    p.send(ask).await.is_no_result()
}

pub(super) async fn unknown_method(p: &mut Probe) -> Finding {
    let ask = p.request(NO_METHOD, json!({}));
    p.send(ask).await.is_error(-32601)
}

pub(super) async fn unknown_method_status(p: &mut Probe) -> Finding {
    let ask = p.request(NO_METHOD, json!({}));
    p.send(ask).await.has_status(404)
}

pub(super) async fn error_shape(p: &mut Probe) -> Finding {
    let ask = p.request(NO_METHOD, json!({}));
    let id = ask.body["id"].clone();
    let answer = p.send(ask).await;
    answer.code()?;
    let response = answer.response.as_ref().unwrap_or(&Value::Null);
    want(response["error"]["code"].is_i64(), || format!("the code is no integer, {}", answer.seen()))?;
    want(response["error"]["message"].is_string(), || format!("no message, {}", answer.seen()))?;
    want(response["id"] == id, || format!("the request had the id {id}, the error {}", response["id"]))
}

pub(super) async fn params_array(p: &mut Probe) -> Finding {
    let mut ask = p.simple();
    ask.body["method"] = "tools/list".into();
    ask.body["params"] = json!([1, 2]);
    ask.odd = true;
    p.send(ask).await.is_no_result()
}

pub(super) async fn silence(p: &mut Probe) -> Finding {
    let params = json!({ "requestId": "never-sent", "reason": "a check" });
    for (method, params) in [("notifications/cancelled", params), ("notifications/micro/unknown", json!({}))] {
        let ask = p.notification(method, params);
        let answer = p.send(ask).await;
        let answered = |message: &Value| message.get("result").is_some();
        want(!answer.messages.iter().any(answered), || format!("{method} was answered, {}", answer.seen()))?;
        let refusals = answer.messages.iter().filter(|message| message.get("error").is_some()).count();
        // Over HTTP a notification may be refused, with an error in the body.
        want(p.is_http() || refusals == 0, || format!("{method} was answered, {}", answer.seen()))?;
    }
    let ask = p.simple();
    p.send(ask).await.result().map(|_| ())
}

pub(super) async fn accepted(p: &mut Probe) -> Finding {
    let ask = p.notification("notifications/cancelled", json!({ "requestId": "never-sent" }));
    let answer = p.send(ask).await;
    answer.has_status(202)?;
    want(answer.messages.is_empty() && answer.text.is_none(), || format!("a body, {}", answer.seen()))
}

pub(super) async fn batch_refused(p: &mut Probe) -> Finding {
    let (one, two) = (p.simple(), p.simple());
    let batch = json!([one.body, two.body]);
    let ask = p.simple().raw(batch.to_string());
    let answer = p.send(ask).await;
    let answered = |message: &Value| {
        message.get("result").is_some()
            || message.as_array().is_some_and(|all| all.iter().any(|m| m.get("result").is_some()))
    };
    want(!answer.messages.iter().any(answered), || format!("the batch was answered, {}", answer.seen()))
}

pub(super) async fn batch_answered(p: &mut Probe) -> Finding {
    let (one, two) = (p.simple(), p.simple());
    let ids = [one.body["id"].clone(), two.body["id"].clone()];
    let ask = p.simple().raw(json!([one.body, two.body]).to_string());
    let answer = p.send(ask).await;
    let flat =
        answer.messages.iter().flat_map(|message| message.as_array().cloned().unwrap_or_else(|| vec![message.clone()]));
    let answered: Vec<_> =
        flat.filter(|message| message.get("result").is_some()).map(|message| message["id"].clone()).collect();
    want(ids.iter().all(|id| answered.contains(id)), || format!("not every request was answered, {}", answer.seen()))
}

pub(super) async fn at_once(p: &mut Probe) -> Finding {
    let asks: Vec<_> = (0..AT_ONCE).map(|_| p.simple()).collect();
    let answers = p.all_at_once(&asks).await;
    let missing = answers.iter().filter(|answer| answer.is_none()).count();
    want(missing == 0, || format!("{missing} of {AT_ONCE} requests that were sent at once were not answered"))
}

// What was noticed on the way; these come last.

pub(super) async fn reserved_codes(p: &mut Probe) -> Finding {
    const DEFINED: [i64; 3] = [-32020, -32021, -32022];
    let wrong = |code: &&i64| {
        ((-32099..=-32020).contains(*code) && !DEFINED.contains(code)) || [-32002, -32042].contains(*code)
    };
    let wrong: Vec<_> = p.errors.iter().filter(wrong).map(ToString::to_string).collect();
    want(wrong.is_empty(), || format!("answered with {}", wrong.join(", ")))
}

pub(super) async fn result_types(p: &mut Probe) -> Finding {
    let mut methods = p.untyped.clone();
    methods.dedup();
    want(methods.is_empty(), || format!("none in results of {}", methods.join(", ")))
}

pub(super) async fn messages_only(p: &mut Probe) -> Finding {
    want(p.noise.is_empty(), || format!("saw {}", shown(&Value::String(p.noise[0].clone()))))
}

pub(super) async fn no_questions(p: &mut Probe) -> Finding {
    want(p.questions.is_empty(), || format!("the server asked {}", p.questions.join(", ")))
}

pub(super) async fn farewell(p: &mut Probe) -> Finding {
    if matches!(p.target.place, crate::mcp::target::Place::Address(_)) {
        return Err(skip("the server is no child of this program"));
    }
    let mut own = p.fresh().await?;
    want(own.hang_up(FAREWELL).await, || format!("it still ran after {FAREWELL:?}"))
}
