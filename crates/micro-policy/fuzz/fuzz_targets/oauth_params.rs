//! Whatever a form or a query says, it is read or refused: who the client is, what is asked, what is to be exchanged.
//!
//! `cargo xtask fuzz oauth_params`; the corpus is also a plain test.
#![no_main]

use libfuzzer_sys::fuzz_target;
use micro_policy::{
    ToolSet,
    oauth::{AuthorizationRequest, Client, Exchange, GrantType, Params, Presented, Redirect, RedirectUri, Resources},
};

fuzz_target!(|form: &[u8]| {
    let Ok(params) = Params::parse(form) else { return };
    if let Ok(Some(shown)) = Presented::read(&params, None) {
        assert!(!shown.id.is_empty() && shown.secret.as_deref() != Some(""));
    }
    let _ = Presented::read(&params, Some(&String::from_utf8_lossy(form)));
    if let Ok(exchange) = Exchange::read(&params) {
        assert!((1..=Exchange::MAX_LIFETIME).contains(&exchange.lifetime));
        let tools = exchange.intent.tools;
        assert!(tools.is_none_or(|tools| tools.covers(&tools) && ToolSet::new(["*"]).unwrap().covers(&tools)));
    }
    let client = Client {
        id: "c".into(),
        name: String::new(),
        redirect_uris: vec![RedirectUri::parse("http://127.0.0.1/cb").unwrap()],
        grants: vec![GrantType::AuthorizationCode],
        secret: None,
        scopes: None,
    };
    if let Ok(redirect) = Redirect::of(&params, &client) {
        let url = redirect.with_code("https://as", "code");
        assert!(url.starts_with("http://127.0.0.1") && !url.contains(['\r', '\n', ' ', '#']), "{url}");
    }
    let resources = Resources::new("https://as/mcp", []);
    if let Ok(request) = AuthorizationRequest::read(&params, &client, &resources) {
        assert_eq!(request.resource, "https://as/mcp");
    }
});
