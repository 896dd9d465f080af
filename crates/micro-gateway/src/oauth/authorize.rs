//! `/oauth/authorize`: the user signs in, is told who asks for what, and answers.
//!
//! Nothing of a user stays in the browser: each consent takes the password, and a page from elsewhere can neither show the
//! form nor send it, for it goes with a cookie that it is bound to.

use std::net::IpAddr;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use micro_policy::{
    Digest, Scopes,
    oauth::{AuthorizationRequest, Client, Code, ErrorCode, Params, Redirect, RedirectUri, Refused, User},
};
use micro_runtime::http::Body;
use url::Url;

use super::{
    Failure, Server,
    page::{self, Consent},
    records::{now, random},
};
use crate::pipeline::Pipeline;

/// How long a code is remembered after it was given, to notice it when it comes back, in seconds.
const REMEMBERED: u64 = 600;

/// A request that may be answered, read whole.
struct Asked<'a> {
    /// As it came.
    text: &'a str,
    client: Client,
    redirect: Redirect,
    request: AuthorizationRequest,
}

impl Server {
    /// Shows the page.
    pub(super) async fn show_consent(&self, query: &str, headers: &HeaderMap) -> Response<Body> {
        let asked = match self.read(query).await {
            Ok(asked) => asked,
            Err(answer) => return answer,
        };
        let (cookie, fresh) = match self.cookie(headers) {
            Some(cookie) => (cookie.to_owned(), false),
            None => (random::<24>(), true),
        };
        let token = match self.binding(&cookie, query).await {
            Ok(token) => token,
            Err(failure) => return page::refusal(failure.status(), failure.told().why),
        };
        let mut response = asked.page(StatusCode::OK, &token, None);
        if fresh {
            let secure = if self.is_secure() { "; Secure" } else { "" };
            let value = format!("{}={cookie}; Path=/; HttpOnly; SameSite=Lax{secure}", self.cookie_name());
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(header::SET_COOKIE, value);
            }
        }
        response
    }

    /// Takes the answer.
    pub(super) async fn take_consent(
        &self,
        form: &[u8],
        headers: &HeaderMap,
        from: IpAddr,
        pipeline: &Pipeline,
    ) -> Response<Body> {
        match self.consented(form, headers, from, pipeline).await {
            Ok(response) => response,
            Err(failure) => page::refusal(failure.status(), failure.told().why),
        }
    }

    async fn consented(
        &self,
        form: &[u8],
        headers: &HeaderMap,
        from: IpAddr,
        pipeline: &Pipeline,
    ) -> Result<Response<Body>, Failure> {
        const FOREIGN: Refused = Refused::new(
            ErrorCode::InvalidRequest,
            "the form was not shown by this server to this browser; go back and begin again",
        );
        let form = Params::parse(form)?;
        let (query, token) = (form.one("request")?.ok_or(FOREIGN)?, form.one("token")?.ok_or(FOREIGN)?);
        let elsewhere = headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin");
        let cookie = self.cookie(headers).filter(|_| !elsewhere).ok_or(FOREIGN)?;
        if !self.is_bound(cookie, query, token).await? {
            return Err(FOREIGN.into());
        }
        let asked = match self.read(query).await {
            Ok(asked) => asked,
            Err(answer) => return Ok(answer),
        };
        if form.one("answer")? != Some("allow") {
            let refused = Refused::new(ErrorCode::AccessDenied, "the user said no");
            return Ok(see_other(&asked.redirect.with_error(self.issuer(), &refused)));
        }
        let (Some(account), Some(password)) = (form.one("account")?, form.one("password")?) else {
            return Ok(asked.page(StatusCode::BAD_REQUEST, token, Some("Account and password are needed.")));
        };
        let user = match self.users.sign_in(account, password, &super::place(from)).await {
            Ok(Some(user)) => user,
            Ok(None) => {
                tracing::info!(address = %from, "somebody could not sign in");
                return Ok(asked.page(StatusCode::FORBIDDEN, token, Some("The account or the password is wrong.")));
            }
            Err(Failure::Throttled(seconds)) => {
                let text = "There were too many tries. Wait some minutes.";
                let mut response = asked.page(StatusCode::TOO_MANY_REQUESTS, token, Some(text));
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
                return Ok(response);
            }
            Err(failure) => return Err(failure),
        };
        let location = match self.give_code(&asked, &user, &super::scopes(&user, pipeline)).await {
            Ok(code) => asked.redirect.with_code(self.issuer(), &code),
            Err(failure) => asked.redirect.with_error(self.issuer(), &failure.told()),
        };
        Ok(see_other(&location))
    }

    async fn give_code(&self, asked: &Asked<'_>, user: &User, has: &Scopes) -> Result<String, Failure> {
        let Asked { client, redirect, request, .. } = asked;
        let scopes = request.granted(client, has)?;
        let text = format!("mac_{}", random::<32>());
        let code = Code {
            client: client.id.clone(),
            redirect_uri: redirect.uri.clone(),
            challenge: request.challenge.clone(),
            owner: user.owner(),
            scopes,
            resource: request.resource.clone(),
            expires: now() + Code::LIFETIME,
            handle: random::<16>(),
            spent: false,
        };
        self.records.create(&code_key(&text), &code, Some(std::time::Duration::from_secs(REMEMBERED))).await?;
        Ok(text)
    }

    /// Reads a request; what cannot be answered through the redirect is answered here.
    async fn read<'a>(&self, text: &'a str) -> Result<Asked<'a>, Response<Body>> {
        let shown = |failure: Failure| page::refusal(failure.status(), failure.told().why);
        let params = Params::parse(text.as_bytes()).map_err(|refused| shown(refused.into()))?;
        let id = params.need("client_id", "client_id is needed").map_err(|refused| shown(refused.into()))?;
        let client = self.clients.find(id).await.map_err(shown)?;
        let redirect = Redirect::of(&params, &client).map_err(|refused| shown(refused.into()))?;
        match AuthorizationRequest::read(&params, &client, &self.resources) {
            Ok(request) => Ok(Asked { text, client, redirect, request }),
            Err(refused) => Err(see_other(&redirect.with_error(self.issuer(), &refused))),
        }
    }

    fn is_secure(&self) -> bool {
        self.issuer().starts_with("https:")
    }

    /// With TLS a name that no other host of the domain can set (RFC 6265bis §4.1.3.2).
    fn cookie_name(&self) -> &'static str {
        if self.is_secure() { "__Host-micro-oauth" } else { "micro-oauth" }
    }

    fn cookie<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(name, _)| *name == self.cookie_name())?;
        (value.len() == 32 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))).then_some(value)
    }

    /// What binds a request to a browser: nobody makes it without the server's key.
    async fn binding(&self, cookie: &str, query: &str) -> Result<String, Failure> {
        let tag = hmac::sign(&self.keys.current().await?.pages, bound(cookie, query).as_bytes());
        Ok(URL_SAFE_NO_PAD.encode(tag))
    }

    async fn is_bound(&self, cookie: &str, query: &str, token: &str) -> Result<bool, Failure> {
        let Ok(tag) = URL_SAFE_NO_PAD.decode(token) else { return Ok(false) };
        Ok(hmac::verify(&self.keys.current().await?.pages, bound(cookie, query).as_bytes(), &tag).is_ok())
    }
}

impl Asked<'_> {
    fn page(&self, status: StatusCode, token: &str, problem: Option<&str>) -> Response<Body> {
        let place = RedirectUri::parse(&self.redirect.uri).map(|uri| uri.place()).unwrap_or_default();
        let target = target(&self.redirect.uri);
        let consent = Consent {
            client: &self.client,
            place: &place,
            target: &target,
            scopes: self.request.scopes.as_ref(),
            resource: &self.request.resource,
            request: self.text,
            token,
            problem,
        };
        consent.page(status)
    }
}

/// A redirect as a source of the content security policy.
fn target(uri: &str) -> String {
    match Url::parse(uri) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url.origin().ascii_serialization(),
        Ok(url) => format!("{}:", url.scheme()),
        Err(_) => String::new(),
    }
}

fn bound(cookie: &str, query: &str) -> String {
    format!("{cookie}\n{query}")
}

/// Where a code is kept.
pub(super) fn code_key(code: &str) -> String {
    format!("oauth/code/{}", Digest::of(code))
}

/// Away from here, without the form (RFC 9700 §4.12).
fn see_other(location: &str) -> Response<Body> {
    let mut response = Response::new(Body::default());
    match HeaderValue::try_from(location) {
        Ok(location) => {
            *response.status_mut() = StatusCode::SEE_OTHER;
            response.headers_mut().insert(header::LOCATION, location);
        }
        Err(_) => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
