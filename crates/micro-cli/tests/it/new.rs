//! `micro new`: files, names and refusals. That the packages build and run is a whole-system test.

use std::fs;

use micro_test::Home;

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
}
