//! Whether the gateway lives, and whether it can be sent calls.

use http::{Response, StatusCode};
use micro_runtime::http::Body;
use serde_json::json;

use super::http::{Site, json};

/// The process answers.
pub(super) fn live() -> Response<Body> {
    json(StatusCode::OK, r#"{"status":"ok"}"#)
}

/// The catalog has been read and the gateway is not about to stop. A registry that has gone away
/// later is said but does not make the gateway unready: the last good catalog serves.
pub(super) fn ready(site: &Site) -> Response<Body> {
    let state = site.pipeline.catalog.state().borrow().clone();
    let ready = state.ready && !site.drain.has_begun();
    let mut body = json!({
        "status": if ready { "ok" } else if site.drain.has_begun() { "stopping" } else { "starting" },
        "tools": site.pipeline.catalog.load().tools().len(),
    });
    if state.problem.is_some() {
        body["registry"] = "unavailable".into(); // why is in the log, not for everyone
    }
    json(if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, body.to_string())
}
