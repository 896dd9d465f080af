//! The story of `examples/least-privilege`: what the log says of it afterwards, and what the blog does.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use micro_test::{Home, bins, home::Run, http, workspace};
use serde_json::Value;

use crate::blog::{Blog, TOOLS, breathe};

/// The services may have to be built.
const PATIENCE: Duration = Duration::from_secs(600);

/// `micro` in the example's folder, with what its gateway keeps in the home instead.
fn micro(home: &Home, args: &[&str]) -> Result<Run> {
    let store = format!("sqlite:{}", home.path().join("micro.db").display());
    let audit = home.path().join("audit").display().to_string();
    let run = home.micro(args)?.dir(&workspace::root()?.join("examples/least-privilege"));
    Ok(run.env("MICRO_GATEWAY_STORE", &store).env("MICRO_GATEWAY_AUDIT_TO", &audit))
}

/// The story once told, and its blog.
fn told() -> Result<(Blog, String)> {
    let home = Home::new()?;
    let scopes = ["--scope", "blog:read", "--scope", "blog:write", "--scope", "blog:admin"];
    let add = [&["auth", "user", "add", "ada"], &scopes[..]].concat();
    micro(&home, &add)?.stdin("correct horse battery").run()?.success();
    let run = micro(&home, &["run", "--no-watch", "--address", "127.0.0.1:0"])?;
    let blog = Blog::begin(home, run)?;
    let began = Instant::now();
    while http::get(&format!("{}/health", blog.url))?.json()?["tools"] != TOOLS.len() {
        ensure!(began.elapsed() < PATIENCE, "not all tools are there:\n{}", blog.process.last_lines(40));
        breathe();
    }
    let mut story = blog.home.command(bins::build(&["least-privilege"])?.path("least-privilege"));
    story.arg(&blog.url);
    let told = Run::new("least-privilege", story).run()?.success().to_owned();
    Ok((blog, told))
}

fn texts<'a>(list: &'a Value, name: &str) -> Vec<&'a str> {
    list.as_array().into_iter().flatten().map(|item| item[name].as_str().unwrap_or_default()).collect()
}

#[test]
fn a_message_is_traced_to_every_call_decision_and_result() -> Result<()> {
    let (blog, told) = told()?;
    let id =
        told.lines().last().and_then(|line| line.split_whitespace().last()).context("the story names its intent")?;
    let tree = micro(&blog.home, &["audit", "trace", id, "--json"])?.run()?.json();

    let intent = &tree["intent"];
    assert_eq!(intent["message"], "Publish Alan's draft, and thank whoever commented on my post about the engine.");
    assert_eq!((&intent["account_id"], &intent["actors"]), (&"ada".into(), &serde_json::json!(["assistant"])));
    let reader = &tree["narrowed"][0];
    assert_eq!((&reader["intent"]["account_id"], &reader["intent"]["parent"]), (&"ada".into(), &id.into()));

    // tool, the rule that decided, why not, actors
    let (assistant, both) = (&["assistant"][..], &["reader", "assistant"][..]);
    let policy = "policy:scopes-suffice";
    let bound = format!("intent:{id}");
    let lesser = format!("intent:{}", reader["intent"]["intent"].as_str().context("an id")?);
    for (calls, expected) in [
        (
            &tree["calls"],
            &[
                ("posts.Posts.List", policy, None, assistant),
                ("posts.Posts.Publish", policy, None, assistant),
                ("users.Users.Delete", &bound, Some("outside the intent"), assistant),
                ("comments.Comments.Add", "policy:agents-sign-with-no-name", Some("denied by policy"), assistant),
                ("comments.Comments.Add", policy, None, assistant),
                ("comments.Comments.Add", "intent", Some("intent exhausted"), assistant),
            ][..],
        ),
        (
            &reader["calls"],
            &[
                ("comments.Comments.ListByPost", policy, None, both),
                ("users.Users.Delete", &lesser, Some("outside the intent"), both),
                ("comments.Comments.Add", &lesser, Some("outside the intent"), both),
            ],
        ),
    ] {
        let calls = calls.as_array().context("calls")?;
        let found: Vec<_> = calls
            .iter()
            .map(|call| {
                let text = |name: &str| call[name].as_str();
                let actors: Vec<_> =
                    call["actors"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                (text("tool").unwrap_or_default(), text("rule").unwrap_or_default(), text("denied_reason"), actors)
            })
            .collect();
        let expected: Vec<_> =
            expected.iter().map(|(tool, rule, why, actors)| (*tool, *rule, *why, actors.to_vec())).collect();
        assert_eq!(found, expected);
        for call in calls {
            let steps: Vec<_> =
                call["decisions"].as_object().context("decisions")?.keys().map(String::as_str).collect();
            let all = ["authorize", "validate", "intent", "upstream"];
            let taken = match call["denied_reason"].as_str() {
                None => 4,
                Some("intent exhausted") => 3,
                Some(_) => 1,
            };
            assert_eq!(steps, all[..taken], "{call}");
            assert_eq!(call["result_digest"].is_string(), call["allowed"] == true, "{call}");
            assert!(call["arguments"].is_object(), "{call}");
        }
    }

    // Who tried to get a wider token is there too.
    assert_eq!(tree["narrowed"].as_array().map(Vec::len), Some(1));
    let wider = &reader["narrowed"][0]["intent"];
    assert_eq!(wider["tools"], serde_json::json!(["comments.*", "users.Users.Delete"]));
    assert_eq!(wider["denied_reason"], "the subject's intent does not allow these tools");

    // No call more than there were: three here and one of the two that were given on, all others refused.
    assert_eq!((&intent["calls"], &reader["intent"]["calls"]), (&5.into(), &2.into()));

    // For people it is the same, from the message down; without an id, the newest.
    let shown = micro(&blog.home, &["audit", "trace"])?.run()?.success().to_owned();
    let lines = [
        "\"Publish Alan's draft, and thank whoever commented on my post about the engine.\"",
        "5 calls (3 made, 2 given on)",
        "allowed posts.Posts.List  ada through assistant",
        "allowed posts.Posts.Publish  ada through assistant",
        "allowed comments.Comments.ListByPost  ada through reader, assistant",
        "denied  users.Users.Delete  ada through reader, assistant",
        "denied  comments.Comments.Add  ada through reader, assistant",
        "denied  an intent for the same message",
        "denied  users.Users.Delete  ada through assistant",
        "rule      policy:agents-sign-with-no-name",
        "allowed comments.Comments.Add  ada through assistant",
        "because   intent exhausted",
    ];
    let mut rest = shown.as_str();
    for line in lines {
        rest = rest.split_once(line).with_context(|| format!("{line} is not there, or not there yet:\n{shown}"))?.1;
    }

    micro(&blog.home, &["audit", "verify"])?.run()?.success();
    // What was refused was not done.
    let blog_says = |service: &str, endpoint: &str, arguments: &str| {
        anyhow::Ok(micro(&blog.home, &["call", service, endpoint, arguments])?.run()?.json())
    };
    assert_eq!(blog_says("users", "Users.Get", r#"{"id":2}"#)?["name"], "Grace Hopper");
    let thread = blog_says("comments", "Comments.ListByPost", r#"{"post":1}"#)?;
    let authors = texts(&thread["comments"], "author");
    assert_eq!(authors, ["Lin Mei", "Alan Turing", "Ada Lovelace", "Mallory", "ada"]);
    Ok(())
}
