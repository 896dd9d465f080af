//! `micro mcp inspect`, on servers nobody here wrote and on our own.

use anyhow::Result;
use micro_test::{Home, Tool};
use serde_json::{Value, json};

use crate::servers::{everything, notes, serve};

const MODERN: &[&str] = &["2026-07-28"];
const LEGACY: &[&str] = &["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

fn inspect(target: &[String], flags: &[&str]) -> Result<Value> {
    let mut args = vec!["mcp", "inspect", "--json"];
    args.extend(flags);
    args.push("--");
    args.extend(target.iter().map(String::as_str));
    Ok(Home::new()?.micro(&args)?.run()?.json())
}

fn revisions(report: &Value) -> Vec<&str> {
    report["revisions"].as_array().into_iter().flatten().filter_map(|offer| offer["revision"].as_str()).collect()
}

fn names<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    list.as_array().into_iter().flatten().filter_map(|item| item[key].as_str()).collect()
}

#[test]
fn servers_of_the_python_sdk_are_shown_in_every_revision_they_speak() -> Result<()> {
    for (sdk, spoken) in [(Tool::Mcp1, LEGACY.to_vec()), (Tool::Mcp2, [MODERN, LEGACY].concat())] {
        let http = serve(&notes(sdk, &["--http"])?)?;
        for target in [notes(sdk, &[])?, vec![http.url.clone()]] {
            let report = inspect(&target, &[])?;
            assert_eq!(revisions(&report), spoken, "{target:?}");
            for offer in report["revisions"].as_array().into_iter().flatten() {
                assert_eq!(offer["server"]["name"], "notes");
                assert_eq!(offer["instructions"], "Notes, and sums.");
                assert_eq!(names(&offer["tools"], "name"), ["add", "greet", "count"]);
                assert_eq!(names(&offer["resources"], "uri"), ["notes://first"]);
                assert_eq!(names(&offer["prompts"], "name"), ["summarize"]);
                assert_eq!(offer["problems"], json!([]));
            }
        }
    }
    Ok(())
}

#[test]
fn what_differs_between_the_eras_is_told_once() -> Result<()> {
    let report = inspect(&everything(&["--stdio"])?, &[])?;
    assert_eq!(revisions(&report), [MODERN, LEGACY].concat());
    let differences = report["differences"].as_array().expect("a list");
    let extension = differences.iter().find(|d| d["what"].as_str().is_some_and(|what| what.contains("extensions")));
    let extension = extension.expect("extensions are of the modern era");
    assert!(extension["revisions"].as_array().is_some_and(|legacy| legacy.contains(&json!("2025-11-25"))));
    let legacy = inspect(&everything(&["--stdio"])?, &["--era", "legacy", "--revision", "2025-06-18"])?;
    assert_eq!(revisions(&legacy), ["2025-06-18"]);
    assert_eq!(legacy["differences"], json!([]));
    Ok(())
}

#[test]
fn people_get_tables() -> Result<()> {
    let mut args = vec!["mcp", "inspect", "--"];
    let words = notes(Tool::Mcp1, &[])?;
    args.extend(words.iter().map(String::as_str));
    let printed = Home::new()?.micro(&args)?.run()?;
    for line in ["speaks        2025-11-25, 2025-06-18, 2025-03-26, 2024-11-05", "add    a: integer, b: integer"] {
        assert!(printed.success().lines().any(|printed| printed.starts_with(line)), "{line}\n{}", printed.stdout);
    }
    Ok(())
}

#[test]
fn a_server_that_cannot_be_had_is_told_with_its_last_words() -> Result<()> {
    let home = Home::new()?;
    let fail = |words: &[&str]| {
        let output = home.micro(&[&["mcp", "inspect", "--timeout", "5s"], words].concat())?.run()?;
        anyhow::Ok((output.failure(), output.stderr))
    };
    let (code, said) = fail(&["--", "sh", "-c", "echo the config is missing >&2; exit 1"])?;
    assert_eq!(code, 6, "{said}");
    assert!(said.contains("the config is missing"), "{said}");
    assert_eq!(fail(&["--", "/no/such/program"])?.0, 3);
    assert_eq!(fail(&["http://127.0.0.1:1/mcp"])?.0, 4);
    assert_eq!(fail(&["ftp://127.0.0.1/mcp"])?.0, 2);
    Ok(())
}
