//! `micro new`: files, names and refusals. That the packages build and run is a whole-system test.

use std::{fs, path::Path};

use micro_test::{Home, home::Run};

use crate::vocabulary::micro;

#[test]
fn each_template_makes_a_package_without_placeholders() {
    let home = Home::new().unwrap();
    for template in ["default", "crud", "stream"] {
        let name = format!("my-{template}");
        let output = micro(&home, &["new", &name, "--template", template]);
        output.success();
        assert!(
            output.stderr.contains(&format!("cd {name}\n  micro run\n  micro call {name} My")),
            "{}",
            output.stderr
        );

        let folder = home.path().join(&name);
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let code = fs::read_to_string(folder.join("src/main.rs")).unwrap();
        assert!(manifest.contains(&format!("name = \"{name}\"")) && manifest.contains("micro-rs = "), "{manifest}");
        assert!(code.contains(&format!("micro::service(\"{name}\")")), "{code}");
        assert!(!code.contains("{{") && !manifest.contains("{{"), "{manifest}{code}");
        assert_eq!(fs::read_to_string(folder.join(".gitignore")).unwrap(), "/target\n");
    }
}

#[test]
fn a_new_package_has_the_versions_of_the_framework_and_needs_no_network_for_them() {
    let home = Home::new().unwrap();
    micro(&home, &["new", "hello"]).success();
    let mut cargo = home.command("cargo");
    cargo.args(["metadata", "--format-version=1", "--offline"]).current_dir(home.path().join("hello"));
    Run::new("cargo", cargo).run().unwrap().success();
    let versions = |path: &Path| {
        let lock: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
        let packages = lock["package"].as_array().unwrap().clone();
        let foreign = packages.into_iter().filter(|package| package.get("source").is_some());
        foreign.map(|package| format!("{} {}", package["name"], package["version"])).collect::<Vec<_>>()
    };
    let ours = versions(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock"));
    let theirs = versions(&home.path().join("hello/Cargo.lock"));
    assert!(theirs.iter().any(|package| package.starts_with("\"tokio\" ")), "{theirs:?}");
    assert!(theirs.len() < ours.len(), "cargo drops what is not used");
    for package in &theirs {
        assert!(ours.contains(package), "{package} is another version");
    }
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let home = Home::new().unwrap();
    fs::create_dir(home.path().join("notes")).unwrap();
    fs::write(home.path().join("notes/thesis.txt"), "do not lose").unwrap();
    let output = micro(&home, &["new", "notes"]);
    assert_eq!(output.failure(), 6);
    assert!(output.stderr.contains("not empty") && output.stderr.contains("hint: "), "{}", output.stderr);
    assert_eq!(fs::read_dir(home.path().join("notes")).unwrap().count(), 1);

    micro(&home, &["new", "notes", "--path", "elsewhere"]).success();
    assert!(home.path().join("elsewhere/src/main.rs").is_file());
}

#[test]
fn in_the_folder_of_a_foreign_workspace_the_package_stands_alone() {
    let home = Home::new().unwrap();
    fs::write(home.path().join("Cargo.toml"), "[workspace]\nmembers = [\"crates/*\"]\n").unwrap();
    micro(&home, &["new", "apart"]).success();
    micro(&home, &["new", "inside", "--path", "crates/inside"]).success();
    let has_table =
        |folder: &str| fs::read_to_string(home.path().join(folder).join("Cargo.toml")).unwrap().contains("[workspace]");
    assert!(has_table("apart"));
    assert!(!has_table("crates/inside"));
    let has_lock = |folder: &str| home.path().join(folder).join("Cargo.lock").exists();
    assert!(has_lock("apart") && !has_lock("crates/inside"), "the lock of a member is that of its workspace");
}
