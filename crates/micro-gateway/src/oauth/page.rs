//! The page on which a user signs in and says yes or no. Plain HTML: no script, nothing from elsewhere, in no frame.

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use micro_policy::{Scopes, oauth::Client};
use micro_runtime::http::Body;

/// What the page asks.
pub(super) struct Consent<'a> {
    pub(super) client: &'a Client,
    /// Where the answer goes, in words.
    pub(super) place: &'a str,
    /// The same for the browser: an origin or a scheme.
    pub(super) target: &'a str,
    pub(super) scopes: Option<&'a Scopes>,
    pub(super) resource: &'a str,
    /// The request, which comes back as it is.
    pub(super) request: &'a str,
    /// What binds the request to this browser.
    pub(super) token: &'a str,
    /// Why it is shown again.
    pub(super) problem: Option<&'a str>,
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:8vh auto;padding:0 1rem;color:#1c1c1c;background:#fff}\
h1{font-size:1.3rem}label{display:block;margin:.8rem 0}input{display:block;width:100%;box-sizing:border-box;font:inherit;padding:.4rem}\
button{font:inherit;padding:.5rem 1.2rem;margin-right:.5rem}.problem{color:#a40000}code{overflow-wrap:anywhere}";

impl Consent<'_> {
    /// The page.
    pub(super) fn page(&self, status: StatusCode) -> Response<Body> {
        let name = match self.client.name.as_str() {
            "" => &self.client.id,
            name => name,
        };
        let scopes = match self.scopes {
            None => "<p>It asks for <strong>everything that you may do</strong>.</p>".to_owned(),
            Some(scopes) => {
                let items: String =
                    scopes.iter().map(|scope| format!("<li><code>{}</code></li>", escaped(scope))).collect();
                format!("<p>It asks for:</p><ul>{items}</ul>")
            }
        };
        let problem = self.problem.map(|text| format!("<p class=\"problem\" role=\"alert\">{}</p>", escaped(text)));
        let body = format!(
            "<h1>{name} wants to act for you</h1>{problem}\
             <p>It calls itself <strong>{name}</strong> (<code>{id}</code>); what you answer goes to \
             <strong>{place}</strong>. It will use <code>{resource}</code> in your name.</p>{scopes}\
             <form method=\"post\" action=\"/oauth/authorize\" autocomplete=\"on\">\
             <input type=\"hidden\" name=\"request\" value=\"{request}\">\
             <input type=\"hidden\" name=\"token\" value=\"{token}\">\
             <label>Account<input name=\"account\" autocomplete=\"username\" autocapitalize=\"none\" autofocus></label>\
             <label>Password<input name=\"password\" type=\"password\" autocomplete=\"current-password\"></label>\
             <button name=\"answer\" value=\"allow\">Sign in and allow</button>\
             <button name=\"answer\" value=\"deny\" formnovalidate>Deny</button></form>",
            name = escaped(name),
            problem = problem.unwrap_or_default(),
            id = escaped(&self.client.id),
            place = escaped(self.place),
            resource = escaped(self.resource),
            request = escaped(self.request),
            token = escaped(self.token),
        );
        html(status, "Sign in", &body, self.target)
    }
}

/// A page that says why nothing goes on.
pub(super) fn refusal(status: StatusCode, why: &str) -> Response<Body> {
    let body = format!("<h1>This cannot go on</h1><p class=\"problem\" role=\"alert\">{}</p>", escaped(why));
    html(status, "Refused", &body, "")
}

/// `target` is where else a form on the page may lead: browsers look at redirects too (CSP3 §6.4.2).
fn html(status: StatusCode, title: &str, body: &str, target: &str) -> Response<Body> {
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>{body}</body></html>"
    );
    let style = STANDARD.encode(digest::digest(&digest::SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self' {target}; frame-ancestors 'none'; base-uri 'none'"
    );
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not no-referrer: with that a browser says of no form where it comes from.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // The target is printed ASCII without separators: it was registered as a URI.
    let policy =
        HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// Text that is nothing but text.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use micro_policy::oauth::GrantType;

    use super::*;

    #[tokio::test]
    async fn what_a_client_says_of_itself_stays_text() {
        let evil = "<script>alert('x')</script>\"&";
        let client = Client {
            id: evil.into(),
            name: evil.into(),
            redirect_uris: Vec::new(),
            grants: vec![GrantType::AuthorizationCode],
            secret: None,
            scopes: None,
        };
        let scopes = [evil].into_iter().collect();
        let consent = Consent {
            client: &client,
            place: evil,
            target: "https://app.example",
            scopes: Some(&scopes),
            resource: evil,
            request: evil,
            token: evil,
            problem: Some(evil),
        };
        let response = consent.page(StatusCode::OK);
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self' https://app.example;")
        );
        assert_eq!(response.headers()[header::X_FRAME_OPTIONS], "DENY");
        let body = micro_runtime::http::read(response.into_body(), 64 * 1024).await.unwrap().unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(!body.contains("<script"), "{body}");
        assert_eq!(body.matches("<form").count(), 1);
        assert!(body.contains("value=\"&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;\""));
    }
}
