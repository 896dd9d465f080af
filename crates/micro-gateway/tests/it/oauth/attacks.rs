//! What thieves try.

use serde_json::json;

use super::browser::{App, PASSWORD, Page, REDIRECT, Site, encoded, location, other_verifier, query};

#[tokio::test]
async fn a_code_that_was_stolen_is_of_no_use_to_another_client_and_is_spent_by_the_try() {
    let site = Site::start().await;
    site.user("alice", "notes:write").await;
    let (app, thief) = (App::register(&site, json!({})).await, App::register(&site, json!({})).await);
    for way in ["another client", "another proof key", "no proof key", "another redirect"] {
        let code = app.consent(&site, "alice", "").await;
        let stolen = match way {
            "another client" => thief.redeem(&site, &code).await,
            "another proof key" => app.redeem_with(&site, &code, &other_verifier(), REDIRECT).await,
            "no proof key" => app.redeem_with(&site, &code, "", REDIRECT).await,
            _ => app.redeem_with(&site, &code, super::browser::VERIFIER, "http://127.0.0.1:4712/callback").await,
        };
        assert_eq!(stolen.status, 400, "{way}: {}", stolen.text);
        let later = app.redeem(&site, &code).await;
        // A request that is not whole is no try.
        assert_eq!(later.status, if way == "no proof key" { 200 } else { 400 }, "{way}: {}", later.text);
    }
}

#[tokio::test]
async fn a_code_that_comes_twice_ends_what_it_gave() {
    let site = Site::start().await;
    site.user("alice", "notes:write").await;
    let app = App::register(&site, json!({})).await;
    let code = app.consent(&site, "alice", "").await;
    let tokens = app.redeem(&site, &code).await.json();
    let again = app.redeem(&site, &code).await;
    assert_eq!((again.status.as_u16(), again.json()["error"].clone()), (400, "invalid_grant".into()));
    site.refused_soon(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(app.refresh(&site, tokens["refresh_token"].as_str().unwrap()).await.status, 400);
}

#[tokio::test]
async fn of_many_who_show_a_code_at_once_none_keeps_a_token() {
    let site = Site::start().await;
    site.user("alice", "notes:write").await;
    let app = App::register(&site, json!({})).await;
    let code = app.consent(&site, "alice", "").await;
    let tries = futures_util::future::join_all((0..16).map(|_| app.redeem(&site, &code))).await;
    let good: Vec<_> = tries.iter().filter(|answer| answer.status == 200).collect();
    assert!(good.len() <= 1, "{good:?}");
    for answer in good {
        site.refused_soon(answer.json()["access_token"].as_str().unwrap()).await;
    }
}

#[tokio::test]
async fn a_refresh_token_that_comes_back_ends_its_whole_family() {
    let site = Site::start().await;
    site.user("alice", "notes:write").await;
    let app = App::register(&site, json!({})).await;
    let first = app.sign_in(&site, "alice", "").await;
    let second = app.refresh(&site, first["refresh_token"].as_str().unwrap()).await.json();
    assert_eq!(site.keep(second["access_token"].as_str().unwrap()).await, 200);
    assert_eq!(app.refresh(&site, first["refresh_token"].as_str().unwrap()).await.status, 400);
    assert_eq!(app.refresh(&site, second["refresh_token"].as_str().unwrap()).await.status, 400);
    for tokens in [&first, &second] {
        site.refused_soon(tokens["access_token"].as_str().unwrap()).await;
    }
    // Another consent is another family.
    let other = app.sign_in(&site, "alice", "").await;
    let thief = App::register(&site, json!({})).await;
    assert_eq!(thief.refresh(&site, other["refresh_token"].as_str().unwrap()).await.status, 400);
    assert_eq!(app.refresh(&site, other["refresh_token"].as_str().unwrap()).await.status, 400, "it was stolen");
}

#[tokio::test]
async fn nobody_is_sent_where_no_client_wants_them() {
    let site = Site::start().await;
    let app = App::register(&site, json!({})).await;
    for redirect in [
        "https://evil.example/",
        "http://127.0.0.1:4711/callback/../evil",
        "http://127.0.0.1:4711@evil.example/callback",
        "//evil.example",
        "javascript:alert(1)",
    ] {
        let asked = app.query("").replace(&encoded(&[("", REDIRECT)])[1..], &encoded(&[("", redirect)])[1..]);
        assert!(asked.contains(&encoded(&[("", redirect)])[1..]), "{asked}");
        let answer = site.page(&asked).await;
        assert_eq!(answer.status, 400, "{redirect}");
        assert!(!answer.headers.contains_key("location") && !answer.text.contains("<form"), "{redirect}");
    }
    let unknown = site.page(&app.query("").replace(&app.id, "mc_unknown")).await;
    assert!(unknown.status == 401 && !unknown.headers.contains_key("location"), "{}", unknown.text);
    for uri in ["http://evil.example/cb", "javascript:alert(1)", "https://a/#x"] {
        let answer = super::browser::register(&site, json!({ "redirect_uris": [uri] })).await;
        assert_eq!((answer.status.as_u16(), answer.json()["error"].clone()), (400, "invalid_redirect_uri".into()));
    }
}

#[tokio::test]
async fn a_form_that_was_not_shown_to_this_browser_is_not_taken() {
    let site = Site::start().await;
    site.user("alice", "notes:write").await;
    let (app, evil) = (App::register(&site, json!({})).await, App::register(&site, json!({})).await);
    let shown = Page::of(&site.page(&app.query("scope=notes:write")).await);
    let attackers = Page::of(&site.page(&evil.query("")).await);
    let fields = |request: &str, token: &str| {
        [("request", request), ("token", token), ("account", "alice"), ("password", PASSWORD), ("answer", "allow")]
            .map(|(name, value)| (name, value.to_owned()))
    };
    let cases = [
        ("no cookie", None, fields(&shown.request, &shown.token), None),
        ("another's cookie", Some(&attackers.cookie), fields(&shown.request, &shown.token), None),
        ("another's form", Some(&shown.cookie), fields(&attackers.request, &attackers.token), None),
        (
            "another request",
            Some(&shown.cookie),
            fields(&app.query("scope=notes:write+notes:read"), &shown.token),
            None,
        ),
        ("no token", Some(&shown.cookie), fields(&shown.request, ""), None),
        (
            "a page elsewhere",
            Some(&shown.cookie),
            fields(&shown.request, &shown.token),
            Some(("sec-fetch-site", "cross-site")),
        ),
        (
            "a site beside",
            Some(&shown.cookie),
            fields(&shown.request, &shown.token),
            Some(("sec-fetch-site", "same-site")),
        ),
        (
            "a foreign origin",
            Some(&shown.cookie),
            fields(&shown.request, &shown.token),
            Some(("origin", "https://evil.example")),
        ),
    ];
    for (way, cookie, fields, header) in cases {
        let mut headers: Vec<(&str, &str)> = header.into_iter().collect();
        headers.extend(cookie.map(|cookie| ("cookie", cookie.as_str())));
        let pairs: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = site.form("/oauth/authorize", &headers, &pairs).await;
        assert!(matches!(answer.status.as_u16(), 400 | 403), "{way}: {} {}", answer.status, answer.text);
        assert!(!answer.headers.contains_key("location"), "{way}");
    }
    // The same as it should be.
    assert!(query(&location(&shown.send(&site, "alice", PASSWORD, "allow").await), "code").is_some());
}

#[tokio::test]
async fn the_page_is_in_no_frame_and_says_who_asks() {
    let site = Site::start().await;
    let app = App::register(&site, json!({ "client_name": "<b>Bank</b>" })).await;
    let answer = site.page(&app.query("scope=notes:write")).await;
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"), "{policy}");
    assert_eq!(answer.headers["x-frame-options"], "DENY");
    assert!(answer.text.contains("&lt;b&gt;Bank&lt;/b&gt;") && answer.text.contains("notes:write"));
}

#[tokio::test]
async fn there_is_no_way_without_a_proof_key() {
    let site = Site::start().await;
    let app = App::register(&site, json!({})).await;
    for (from, to) in [
        ("code_challenge_method=S256", "code_challenge_method=plain"),
        ("&code_challenge_method=S256", ""),
        ("code_challenge=", "code_challenge_x="),
        ("response_type=code", "response_type=token"),
    ] {
        let answer = site.page(&app.query("").replace(from, to)).await;
        let url = location(&answer);
        assert!(query(&url, "error").is_some() && query(&url, "code").is_none(), "{url}");
        assert_eq!((query(&url, "iss"), query(&url, "state").as_deref()), (Some(site.issuer()), Some("a state")));
    }
}

#[tokio::test]
async fn a_user_may_say_no_and_a_wrong_password_says_nothing_of_the_account() {
    let site = Site::start().await;
    site.user("alice", "notes:write").await;
    let app = App::register(&site, json!({})).await;
    let page = Page::of(&site.page(&app.query("")).await);
    let no = location(&page.send(&site, "", "", "deny").await);
    assert_eq!(query(&no, "error").as_deref(), Some("access_denied"));
    let answers = [("alice", "wrong password!"), ("nobody", PASSWORD), ("al ice\n", PASSWORD)];
    let mut texts = Vec::new();
    for (account, password) in answers {
        let answer = page.send(&site, account, password, "allow").await;
        assert_eq!(answer.status, 403);
        texts.push(answer.text);
    }
    assert!(texts.iter().all(|text| *text == texts[0] && !text.contains("wrong password!")));
}

#[tokio::test]
async fn guesses_come_to_an_end_however_many_are_made_at_once() {
    let site = Site::start().await;
    site.user("alice", "notes:write").await;
    let app = App::register(&site, json!({})).await;
    let page = Page::of(&site.page(&app.query("")).await);
    let tries = (0..32).map(|n| {
        let (page, site) = (&page, &site);
        async move { page.send(site, "alice", &format!("guess number {n}"), "allow").await.status.as_u16() }
    });
    let outcomes = futures_util::future::join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|status| **status == 403).count(), 20, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|status| **status == 429).count(), 12, "{outcomes:?}");
    let right = page.send(&site, "alice", PASSWORD, "allow").await;
    assert_eq!(right.status, 429);
    assert!(right.headers.contains_key("retry-after"));
}
