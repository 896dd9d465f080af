//! What is sent where, and when asking again has no chance. The flows themselves are tested against real providers.

use super::{
    metadata::ServerMetadata,
    token::{Scheme, Tokens},
    *,
};

const SERVER: &str = "https://mcp.example/mcp";

fn tokens(fresh_until: Option<u64>, requested: &str, granted: &str) -> Tokens {
    Tokens {
        access: "s3cret".into(),
        scheme: Scheme::Bearer,
        fresh_until,
        refresh: None,
        requested: Some(Scopes::parse(requested)),
        granted: Some(Scopes::parse(granted)),
        resource: SERVER.into(),
        issuer: "https://as".into(),
        legacy: false,
    }
}

/// Credentials that find these tokens in their store.
async fn holding(tokens: &Tokens) -> OAuth {
    let oauth = OAuth::for_user(SERVER).build().unwrap();
    oauth.0.vault.save_tokens(tokens).await.unwrap();
    oauth
}

#[tokio::test]
async fn tokens_go_to_the_server_they_are_for_while_they_are_good() {
    for (url, fresh_until, sent) in [
        (SERVER, None, true),
        ("https://mcp.example:443/events", None, true),
        (SERVER, Some(u64::MAX), true),
        (SERVER, Some(1), false),
        ("http://mcp.example/mcp", None, false),
        ("https://mcp.example:8443/mcp", None, false),
        ("https://evil.example/mcp", None, false),
    ] {
        let oauth = holding(&tokens(fresh_until, "a", "a")).await;
        let mut headers = HeaderMap::new();
        oauth.authorize(&mut headers, &Url::parse(url).unwrap(), &Method::POST).await.unwrap();
        assert_eq!(headers.get(AUTHORIZATION).is_some_and(|value| value == "Bearer s3cret"), sent, "{url}");
        assert!(!format!("{oauth:?} {headers:?} {:?}", oauth.0.current()).contains("s3cret"));
    }
}

#[tokio::test]
async fn an_application_may_have_the_token_that_is_in_use() {
    for (fresh_until, scheme, had) in [
        (None, Scheme::Bearer, true),
        (Some(1), Scheme::Bearer, false), // it has ended, and nothing renews it
        (None, Scheme::Dpop, false),      // it is good with this client's key only
    ] {
        let oauth = holding(&Tokens { scheme, ..tokens(fresh_until, "a", "a") }).await;
        let token = oauth.access_token().await.unwrap();
        assert_eq!(token.as_ref().map(Secret::expose), had.then_some("s3cret"), "{fresh_until:?} {scheme:?}");
    }
    assert!(OAuth::for_user(SERVER).build().unwrap().access_token().await.unwrap().is_none());
}

#[tokio::test]
async fn another_servers_refusal_is_not_answered_with_a_token() {
    let oauth = holding(&tokens(None, "a", "a")).await;
    let (evil, empty) = (Url::parse("https://evil.example/mcp").unwrap(), HeaderMap::new());
    let status = StatusCode::UNAUTHORIZED;
    let refused = Refused { url: &evil, sent: &empty, attempt: 0, status, headers: &empty };
    assert_eq!(oauth.challenged(refused).await.unwrap(), Retry::No);
}

#[tokio::test]
async fn a_refusal_that_more_scopes_cannot_mend_is_final() {
    // requested, granted, challenged, attempt → whether the user is asked again
    for (requested, granted, challenged, attempt, again) in [
        ("a", "a", "b", 0, true),
        ("a", "a", "a b", 0, true),
        ("a b", "a b", "b", 0, false),
        ("a b", "a", "b", 0, true),
        ("a b", "a", "b", 1, false),
        ("a b", "a", "c", 1, true),
        ("a", "a", "", 0, false),
    ] {
        let oauth = holding(&tokens(None, requested, granted)).await;
        let active = oauth.0.kept().await.unwrap().unwrap();
        let found = Found {
            resource: SERVER.into(),
            scopes: None,
            dpop: false,
            server: ServerMetadata::fallback("https://as"),
            legacy: false,
        };
        let challenge = Challenge::parse(&format!(r#"Bearer error="insufficient_scope", scope="{challenged}""#));
        let outcome = check_progress(&active, &found, challenge.first(), attempt);
        assert_eq!(outcome.is_ok(), again, "{requested} / {granted} / {challenged} / {attempt}");
    }
}

#[tokio::test]
async fn what_one_issuer_gave_is_not_found_under_another() {
    let oauth = holding(&tokens(None, "a", "a")).await;
    let vault = &oauth.0.vault;
    assert!(vault.tokens().await.unwrap().is_some());
    vault.save_tokens(&Tokens { issuer: "https://other".into(), ..tokens(None, "", "") }).await.unwrap();
    assert_eq!(vault.tokens().await.unwrap().unwrap().issuer, "https://other");
    assert!(vault.registration("https://as").await.unwrap().is_none());
    assert_eq!(vault.bind("id", "https://as").await.unwrap(), "https://as");
    assert_eq!(vault.bind("id", "https://other").await.unwrap(), "https://as", "bound to the first");
    let (one, two) = (vault.proofs("https://as").await.unwrap(), vault.proofs("https://other").await.unwrap());
    assert_ne!(one.thumbprint().unwrap(), two.thumbprint().unwrap());
}

#[test]
fn urls_that_name_no_server_or_client_are_refused() {
    assert!(matches!(OAuth::for_user("mcp.example").build(), Err(Error::Server)));
    for url in
        ["http://app.example/client", "https://app.example", "https://app.example/", "https://app.example/c#x", "c"]
    {
        let built = OAuth::for_user(SERVER).client_metadata_url(url).build();
        assert!(matches!(built, Err(Error::ClientUrl)), "{url}");
    }
    assert!(OAuth::for_user(SERVER).client_metadata_url("https://app.example/client.json").build().is_ok());
}
