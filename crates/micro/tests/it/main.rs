//! The `#[service]` macro as its users meet it.

mod calls;
mod clients;
mod docs;
mod schemas;
mod streams;
mod ui;

/// A file that nobody lists here is never compiled, and so never fails.
#[test]
fn every_file_is_part_of_the_tests() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let listed = include_str!("main.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        assert!(module == "main" || listed.contains(&format!("mod {module};")), "{name} is not listed");
    }
}
