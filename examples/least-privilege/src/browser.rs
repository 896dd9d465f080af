//! The user's browser, as far as it is needed: it signs in on the gateway's page and agrees.

use micro_mcp::auth::ConsentError;
use reqwest::{
    Client, Url,
    header::{COOKIE, LOCATION, SET_COOKIE},
    redirect,
};

/// Where the user is sent back to. Nobody listens there: [`agree`] reads the redirect instead of following it.
pub(crate) const BACK: &str = "http://127.0.0.1:3999/callback";

/// Fills in the page and presses the button; gives the address that the browser would go to next.
pub(crate) async fn agree(page: Url, user: &str, password: &str) -> Result<Url, ConsentError> {
    go(page, user, password).await.ok_or(ConsentError::Declined)
}

async fn go(page: Url, user: &str, password: &str) -> Option<Url> {
    let browser = Client::builder().redirect(redirect::Policy::none()).build().ok()?;
    let shown = browser.get(page.clone()).send().await.ok()?;
    let cookie = shown.headers().get(SET_COOKIE)?.to_str().ok()?.split(';').next()?.to_owned();
    let html = shown.text().await.ok()?;
    let form = [
        ("request", hidden(&html, "request")?),
        ("token", hidden(&html, "token")?),
        ("account", user.to_owned()),
        ("password", password.to_owned()),
        ("answer", "allow".to_owned()),
    ];
    let sent =
        browser.post(page.join("/oauth/authorize").ok()?).header(COOKIE, cookie).form(&form).send().await.ok()?;
    Url::parse(sent.headers().get(LOCATION)?.to_str().ok()?).ok()
}

/// The value of a hidden field.
fn hidden(html: &str, name: &str) -> Option<String> {
    let rest = html.split_once(&format!("name=\"{name}\" value=\""))?.1;
    Some(rest.split('"').next()?.replace("&amp;", "&"))
}
