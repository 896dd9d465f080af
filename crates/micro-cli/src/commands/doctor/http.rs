//! One GET, of whoever is at an address.

use std::time::Duration;

use http::{Request, StatusCode};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use micro_runtime::http::{Body, read};

/// Time an address has to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Largest answer that is read, in bytes.
const LARGEST: usize = 64 * 1024;

/// Status and body of `http://ADDRESS/PATH`. In error, why there is no answer.
pub(super) async fn get(address: &str, path: &str) -> Result<(StatusCode, Vec<u8>), String> {
    let request = Request::get(format!("http://{address}{path}")).body(Body::Empty);
    let request = request.map_err(|_| format!("`{address}` is no address"))?;
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let answer = async {
        let response = client.request(request).await.map_err(|error| root_cause(&error))?;
        let status = response.status();
        let body = read(response.into_body(), LARGEST).await.map_err(|error| error.to_string())?;
        Ok((status, body.unwrap_or_default().to_vec()))
    };
    let late = || Err(format!("no answer within {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(|_| late())
}

/// The innermost cause: the outer ones only say that something failed.
fn root_cause(error: &dyn std::error::Error) -> String {
    let innermost = std::iter::successors(Some(error), |e| e.source()).last();
    innermost.map(ToString::to_string).unwrap_or_default()
}
