//! `micro mcp validate`: our server keeps everything, and each mistake is found where it is.

use std::collections::BTreeSet;

use anyhow::Result;
use micro_test::{Home, Tool, home::Output};
use serde_json::Value;

use crate::servers::{everything, notes, script, serve};

fn validate(target: &[String], flags: &[&str]) -> Result<Output> {
    let mut args = vec!["mcp", "validate"];
    args.extend(flags);
    args.push("--");
    args.extend(target.iter().map(String::as_str));
    Home::new()?.micro(&args)?.patience(std::time::Duration::from_secs(240)).run()
}

/// Ids of the checks that came to this.
fn came_to(output: &Output, result: &str) -> Result<BTreeSet<String>> {
    let report: Value = serde_json::from_str(&output.stdout)?;
    let checks = report["checks"].as_array().into_iter().flatten().filter(|check| check["result"] == result);
    Ok(checks.filter_map(|check| Some(check["id"].as_str()?.to_owned())).collect())
}

/// The small server, as words of a command.
fn small(args: &[&str]) -> Result<Vec<String>> {
    let mut words = vec!["python3".to_owned(), script("small.py")?.display().to_string()];
    words.extend(args.iter().map(ToString::to_string));
    Ok(words)
}

#[test]
fn our_own_server_keeps_everything_over_http_and_on_stdio() -> Result<()> {
    let http = serve(&everything(&["--address", "127.0.0.1:0"])?)?;
    for target in [vec![http.url.as_str().to_owned()], everything(&["--stdio"])?] {
        let output = validate(&target, &["--strict", "--call-tools", "--json"])?;
        assert_eq!(came_to(&output, "fail")?, BTreeSet::new(), "{}", output.stdout);
        output.success();
        let passed = came_to(&output, "pass")?.len();
        assert!(passed > 50, "only {passed} checks were made");
    }
    // What one revision may do depends on the others, asked for or not.
    let modern = validate(std::slice::from_ref(&http.url), &["--strict", "--json", "--revision", "2026-07-28"])?;
    assert_eq!(came_to(&modern, "fail")?, BTreeSet::new());
    Ok(())
}

#[test]
fn each_mistake_fails_the_checks_that_are_about_it_and_no_others() -> Result<()> {
    let http: &[(&str, &[&str])] = &[
        ("", &[]),
        ("status", &["base-unknown-method-status"]),
        ("notification", &["base-notification-silence", "base-notification-status"]),
        ("origin", &["http-origin", "http-origin-status"]),
        (
            "headers",
            &[
                "header-version",
                "header-version-missing",
                "header-method",
                "header-method-missing",
                "header-method-case",
                "header-name",
                "header-name-missing",
                "header-name-garbled",
            ],
        ),
        ("session", &["session-unknown", "session-over"]),
        ("version", &["hello-other-version", "hello-latest-version"]),
        ("ping", &["hello-ping"]),
        ("hints", &["cache-hints"]),
        ("type", &["all-result-types"]),
        ("schema", &["tool-shape"]),
        ("structure", &["tool-structure"]),
        ("content", &["tool-result"]),
        ("arguments", &["tool-arguments"]),
        ("progress", &["tool-progress"]),
        ("missing", &["resource-missing", "resource-missing-code"]),
        ("role", &["prompt-messages"]),
        ("cursor", &["list-cursor"]),
        ("code", &["tool-unknown", "all-reserved-codes"]),
    ];
    for (what, expect) in http {
        let served = serve(&small(&["--http", "--break", what])?)?;
        let output = validate(std::slice::from_ref(&served.url), &["--strict", "--json"])?;
        let expect: BTreeSet<_> = expect.iter().map(ToString::to_string).collect();
        assert_eq!(came_to(&output, "fail")?, expect, "{what}: {}", output.stderr);
        assert_eq!(output.status.success(), expect.is_empty(), "{what}");
    }
    let noisy = validate(&small(&["--break", "noise"])?, &["--json", "--era", "legacy"])?;
    assert_eq!(came_to(&noisy, "fail")?, BTreeSet::from(["all-messages".to_owned()]));
    assert_eq!(noisy.failure(), 1);
    Ok(())
}

#[test]
fn a_should_counts_only_when_asked_and_reports_are_written() -> Result<()> {
    let served = serve(&small(&["--http", "--break", "cursor"])?)?;
    let target = [served.url.clone()];
    let lenient = validate(&target, &["--only", "list"])?;
    assert!(
        lenient.success().lines().any(|line| line.starts_with("FAIL    SHOULD  list-cursor")),
        "{}",
        lenient.stdout
    );
    assert!(lenient.stderr.contains("0 MUST and 2 SHOULD failed"), "{}", lenient.stderr);
    assert_eq!(validate(&target, &["--only", "list", "--strict"])?.failure(), 1);

    let home = Home::new()?;
    let args = ["mcp", "validate", "--junit", "v.xml", "--only", "list", "--revision", "2026-07-28", &served.url];
    home.micro(&args)?.run()?.success();
    let junit = std::fs::read_to_string(home.path().join("v.xml"))?;
    assert!(junit.contains("classname=\"2026-07-28.SHOULD\" name=\"list-cursor: "), "{junit}");
    assert!(junit.contains("failures=\"1\""), "{junit}");
    Ok(())
}

/// What these servers do wrong is theirs; that each check comes to an end is ours.
#[test]
fn servers_of_the_python_sdk_are_checked_to_the_end() -> Result<()> {
    for (sdk, flags) in [(Tool::Mcp1, ["--revision", "2025-11-25"]), (Tool::Mcp2, ["--revision", "2026-07-28"])] {
        let http = serve(&notes(sdk, &["--http"])?)?;
        for target in [notes(sdk, &[])?, vec![http.url.clone()]] {
            let output = validate(&target, &[&flags[..], &["--json"]].concat())?;
            let (passed, failed) = (came_to(&output, "pass")?, came_to(&output, "fail")?);
            assert!(passed.len() > 25 && failed.len() < 12, "{target:?}: {failed:?}");
            for kept in ["base-envelope", "base-id-string", "list-tools", "tool-shape", "tool-result", "tool-structure"]
            {
                assert!(passed.contains(kept), "{target:?}: {kept}\n{}", output.stdout);
            }
        }
    }
    Ok(())
}

#[test]
fn a_server_that_is_not_there_or_closed_is_told() -> Result<()> {
    let fail = |words: &[&str]| {
        Ok::<_, anyhow::Error>(validate(&words.iter().map(ToString::to_string).collect::<Vec<_>>(), &[])?.failure())
    };
    assert_eq!(fail(&["http://127.0.0.1:1/mcp"])?, 4);
    assert_eq!(fail(&["/no/such/program"])?, 3);
    assert_eq!(fail(&["sh", "-c", "exit 1"])?, 6);
    Ok(())
}
