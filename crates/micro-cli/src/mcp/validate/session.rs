//! Sessions over HTTP, before 2026-07-28 (`basic/transports#session-management`).

use http::{HeaderValue, Method};
use micro_mcp::proto::headers;
use serde_json::{Value, json};

use super::{Finding, No, probe::Probe, skip, want};

fn session(p: &Probe) -> Result<HeaderValue, No> {
    p.session().cloned().ok_or_else(|| skip("its sessions have no ids"))
}

pub(super) async fn characters(p: &mut Probe) -> Finding {
    let id = session(p)?;
    want(!id.is_empty() && id.as_bytes().iter().all(|byte| (0x21..=0x7e).contains(byte)), || {
        "it has characters outside of 0x21 to 0x7E".to_owned()
    })
}

pub(super) async fn unique(p: &mut Probe) -> Finding {
    let id = session(p)?;
    let other = p.fresh().await?;
    want(other.session().is_some_and(|other| *other != id), || "two clients got the same session".to_owned())?;
    want(id.len() >= 16, || format!("{} characters can be guessed", id.len()))
}

pub(super) async fn missing(p: &mut Probe) -> Finding {
    session(p)?;
    let ask = p.simple().header(&headers::SESSION_ID, None);
    let answer = p.send(ask).await;
    if answer.result().is_ok() {
        return Err(skip("it does not require a session"));
    }
    answer.has_status(400)
}

pub(super) async fn made_up(p: &mut Probe) -> Finding {
    session(p)?;
    let ask = p.simple().header(&headers::SESSION_ID, Some("micro-validate-made-up"));
    let answer = p.send(ask).await;
    answer.is_no_result()?;
    answer.has_status(404)
}

/// Ends a session of its own: the connection, and what the server said.
async fn ended(p: &mut Probe) -> Result<(Probe, u16), No> {
    session(p)?;
    let mut own = p.fresh().await?;
    let mut ask = own.notification("", json!({}));
    (ask.method, ask.body) = (Method::DELETE, Value::Null);
    let answer = own.head(ask).await;
    Ok((own, answer.status.map_or(0, |status| status.as_u16())))
}

pub(super) async fn delete(p: &mut Probe) -> Finding {
    let (_, status) = ended(p).await?;
    want((200..300).contains(&status) || status == 405, || format!("expected HTTP 200 to 299, or 405, saw {status}"))
}

pub(super) async fn over(p: &mut Probe) -> Finding {
    let (mut own, status) = ended(p).await?;
    if !(200..300).contains(&status) {
        return Err(skip("it does not let clients end sessions"));
    }
    let ask = own.simple();
    let answer = own.send(ask).await;
    answer.is_no_result()?;
    answer.has_status(404)
}

pub(super) async fn responses(p: &mut Probe) -> Finding {
    let mut ask = p.notification("", json!({}));
    ask.body = json!({ "jsonrpc": "2.0", "id": "never-asked", "result": {} });
    let answer = p.send(ask).await;
    let status = answer.status.map_or(0, |status| status.as_u16());
    want(status == 202 || (400..500).contains(&status), || format!("expected HTTP 202 or an error, {}", answer.seen()))
}
