//! Folders as people have them, and what is found there.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::*;

/// A folder with these files in it.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

/// A package that cargo can read, with dependencies that nobody looks for.
fn package(name: &str, dependencies: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[dependencies]\n{dependencies}\n")
}

const MICRO: &str = "micro-rs = \"0.1\"";
const MAIN: &str = "fn main() {}";

async fn found(root: &Path, folders: &[&str]) -> Result<Plan, CommandError> {
    let folders: Vec<_> = folders.iter().map(|folder| root.join(folder)).collect();
    find(&folders).await
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.services.iter().map(|service| service.name.as_str()).collect()
}

#[track_caller]
fn says(error: &CommandError, kind: Kind, parts: &[&str]) {
    assert_eq!(error.kind, kind, "{error:?}");
    let text = format!("{error} {} {}", error.causes.join(" "), error.hints.join(" "));
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

#[tokio::test]
async fn a_workspace_has_the_services_that_use_the_framework() {
    let root = folder(&[
        ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"*-svc\", \"lib\", \"tool\"]\n"),
        ("users-svc/Cargo.toml", &package("users-svc", &format!("{MICRO}\nlib = {{ path = \"../lib\" }}"))),
        ("users-svc/src/main.rs", MAIN),
        ("posts-svc/Cargo.toml", &package("posts-svc", MICRO)),
        ("posts-svc/src/main.rs", MAIN),
        ("lib/Cargo.toml", &package("lib", MICRO)),
        ("lib/src/lib.rs", ""),
        ("tool/Cargo.toml", &package("tool", "")),
        ("tool/src/main.rs", MAIN),
    ]);
    let plan = found(root.path(), &["."]).await.unwrap();
    assert_eq!(names(&plan), ["posts-svc", "users-svc"]);
    let at = |path: &str| root.path().canonicalize().unwrap().join(path);
    assert_eq!(plan.services[1].watch, [at("lib"), at("users-svc")]);
    assert_eq!(plan.services[1].dir, at("users-svc"));

    let plan = found(root.path(), &["users-svc", "users-svc"]).await.unwrap();
    assert_eq!(names(&plan), ["users-svc"], "a folder below, named twice");
}

#[tokio::test]
async fn packages_side_by_side_are_found_from_above() {
    let root = folder(&[
        ("users/Cargo.toml", &package("users", MICRO)),
        ("users/src/main.rs", MAIN),
        ("posts/Cargo.toml", &package("posts", MICRO)),
        ("posts/src/main.rs", MAIN),
        ("notes/readme.md", "no package"),
    ]);
    assert_eq!(names(&found(root.path(), &["."]).await.unwrap()), ["posts", "users"]);
    assert_eq!(names(&found(root.path(), &["users", "posts"]).await.unwrap()), ["posts", "users"]);
}

#[tokio::test]
async fn a_micro_toml_says_names_order_and_environment() {
    let root = folder(&[
        (
            "micro.toml",
            "[gateway]\nbody_limit = 100\n[services.a]\npath = \"./one\"\ndepends = [\"z\"]\nenv = { K = \"v\" }\n\
             [services.z]\ncommand = [\"python3\", \"z.py\"]\npath = \"two\"\n",
        ),
        ("one/Cargo.toml", &package("one", "")),
        ("one/src/main.rs", MAIN),
        ("two/z.py", ""),
    ]);
    let plan = found(root.path(), &["."]).await.unwrap();
    assert_eq!(names(&plan), ["z", "a"]);
    assert_eq!(plan.gateway.unwrap().file_name().unwrap(), "micro.toml");
    assert_eq!(plan.services[0].program, Program::Command(vec!["python3".into(), "z.py".into()]));
    assert_eq!(plan.services[1].env["K"], "v");
    let Program::Cargo(target) = &plan.services[1].program else { panic!("{plan:?}", plan = plan.services) };
    assert_eq!((target.package.as_str(), target.bin.as_str()), ("one", "one"));
}

#[tokio::test]
async fn of_several_programs_the_named_the_default_or_the_namesake_runs() {
    let check = async |manifest: &str, micro: &str, expect: Result<&str, &str>| {
        let root = folder(&[
            ("Cargo.toml", manifest),
            ("micro.toml", micro),
            ("src/bin/left.rs", MAIN),
            ("src/bin/right.rs", MAIN),
        ]);
        match (found(root.path(), &["."]).await, expect) {
            (Ok(plan), Ok(bin)) => match &plan.services[0].program {
                Program::Cargo(target) => assert_eq!(target.bin, bin),
                other @ Program::Command(_) => panic!("{other:?}"),
            },
            (Err(error), Err(part)) => says(&error, Kind::Invalid, &[part, "left, right"]),
            (found, _) => panic!("{manifest} {micro}: {found:?}"),
        }
    };
    let plain = package("both", MICRO);
    check(&plain, "[services.x]\nbin = \"right\"", Ok("right")).await;
    check(&plain, "[services.x]\nbin = \"up\"", Err("no program called `up`")).await;
    check(&plain, "", Err("the package both has no program")).await;
    check(&package("left", MICRO), "", Ok("left")).await;
    let default = plain.replace("[dependencies]", "default-run = \"right\"\n[dependencies]");
    check(&default, "", Ok("right")).await;
}

#[tokio::test]
async fn what_cannot_be_run_is_said_with_the_way_out() {
    let check = async |files: &[(&str, &str)], kind: Kind, parts: &[&str]| {
        let root = folder(files);
        says(&found(root.path(), &["."]).await.unwrap_err(), kind, parts);
    };
    check(&[], Kind::NotFound, &["no service in", "micro new hello", "micro.toml"]).await;
    check(&[("micro.toml", "[services")], Kind::Invalid, &["cannot be used", "micro.toml:1:"]).await;
    check(
        &[("micro.toml", "[services.a]\npat = \"x\"")],
        Kind::Invalid,
        &["micro.toml:2:1: there is no key `services.a.pat`; did you mean `path`?"],
    )
    .await;
    check(&[("micro.toml", "[services.a]\npath = \"gone\"")], Kind::NotFound, &["gone", "[services.a]"]).await;
    check(&[("micro.toml", "[services.a]")], Kind::NotFound, &["no cargo package in", "command"]).await;
    check(&[("micro.toml", "[services.a]\ncommand = []")], Kind::Invalid, &["`command` is empty"]).await;
    check(&[("Cargo.toml", "not a manifest")], Kind::Invalid, &["cargo cannot read"]).await;

    let nowhere = find(&[PathBuf::from("/nowhere/at/all")]).await.unwrap_err();
    says(&nowhere, Kind::NotFound, &["there is no folder /nowhere/at/all"]);
}

#[tokio::test]
async fn services_that_wait_for_nobody_or_for_each_other_are_refused() {
    let check = async |services: &[(&str, &str)], parts: &[&str]| {
        let text: String = services
            .iter()
            .map(|(name, depends)| format!("[services.{name}]\ncommand = [\"true\"]\ndepends = {depends}\n"))
            .collect();
        let root = folder(&[("micro.toml", &text)]);
        says(&found(root.path(), &["."]).await.unwrap_err(), Kind::Invalid, parts);
    };
    check(&[("a", "[\"ghost\"]"), ("b", "[]")], &["a depends on ghost", "a, b"]).await;
    check(&[("a", "[\"b\"]"), ("b", "[\"c\"]"), ("c", "[\"b\"]")], &["wait for each other: b → c → b"]).await;
    check(&[("a", "[\"a\"]")], &["a → a"]).await;
}

#[tokio::test]
async fn two_services_of_one_name_are_refused() {
    let text = "[services.a]\ncommand = [\"true\"]\n";
    let root = folder(&[("one/micro.toml", text), ("two/micro.toml", text)]);
    let error = found(root.path(), &["one", "two"]).await.unwrap_err();
    says(&error, Kind::Invalid, &["two services are called a", "one", "two"]);
}
