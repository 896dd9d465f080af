//! `micro doctor`: what it finds, and what it says to do.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use micro_test::{Home, home::Output};
use serde_json::Value;

use crate::{users::Running, vocabulary::micro};

/// The state and text of every check of this name.
fn checks(output: &Output, name: &str) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap().iter().filter(|check| check["name"] == name);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    checks.map(|check| (text(&check["state"]), text(&check["found"]))).collect()
}

fn check(output: &Output, name: &str, state: &str, part: &str) {
    let found = checks(output, name);
    assert!(found.iter().any(|(s, text)| s == state && text.contains(part)), "{name}: {found:?}");
}

#[test]
fn a_healthy_fleet_is_told_check_by_check() {
    let home = Home::new().unwrap();
    let users = Running::start(&home);
    let output = micro(&home, &["doctor", "--json"]);
    assert_eq!(output.json()["broken"], 0);
    check(&output, "rust", "ok", "cargo 1.");
    check(&output, "registry", "ok", "can be read and written");
    check(&output, "records", "ok", "none");
    check(&output, "service users", "ok", &format!("{} is healthy", users.address));
    check(&output, "tools", "ok", "6 tools");
    for name in ["open files", "port 8080", "port 3000"] {
        assert_eq!(checks(&output, name).len(), 1, "{name}");
    }
    let people = micro(&home, &["doctor"]);
    assert!(people.success().contains("✓ service users: "), "{}", people.stdout);
    assert_eq!(fs::read_dir(home.registry_dir()).unwrap().count(), 1, "the doctor leaves nothing behind");
}

#[test]
fn a_registry_that_cannot_be_used_is_broken() {
    let home = Home::new().unwrap();
    fs::write(home.path().join("file"), "").unwrap();
    let output = micro(&home, &["doctor", "--json", "--registry", "file:file/registry"]);
    assert_eq!(output.failure(), 1);
    check(&output, "registry", "broken", "is unavailable");
    let people = micro(&home, &["doctor", "--registry", "file:file/registry"]);
    assert_eq!(people.failure(), 1);
    assert!(people.stdout.contains("✗ registry: ") && people.stdout.contains("  → make `file:file/registry` usable"));
}

#[test]
fn a_node_that_does_not_answer_is_broken() {
    let home = Home::new().unwrap();
    let (id, nobody) = ("ghost-1", "127.0.0.1:1");
    write(&home, id, nobody, 60_000);
    let output = micro(&home, &["doctor", "--json"]);
    assert_eq!(output.failure(), 1);
    check(&output, "service ghost", "broken", "127.0.0.1:1 does not answer");
}

#[test]
fn broken_and_left_behind_records_are_told() {
    let home = Home::new().unwrap();
    fs::write(home.registry_dir().join("half.json"), r#"{"ttl_ms": 1000, "serv"#).unwrap();
    age(&home, "half", Duration::from_secs(5));
    // A long time to live that is over: nobody sweeps it away under the test.
    write(&home, "late-1", "127.0.0.1:1", 3_600_000);
    age(&home, "late-1", Duration::from_secs(2 * 3600));

    let output = micro(&home, &["doctor", "--json"]);
    assert_eq!(output.json()["broken"], 0);
    check(&output, "registry record", "warning", "half.json is ignored");
    check(&output, "records", "warning", "left of services that ended without a word");
    check(&output, "services", "warning", "none are registered");
}

#[test]
fn an_endpoint_that_makes_no_tool_is_told() {
    let home = Home::new().unwrap();
    let users = Running::start(&home);
    let endpoint = r#"{"name":"Odd.Call","metadata":{"input_schema":"{\"type\":\"strin\"}"}}"#;
    write_with(&home, "odd-1", &users.address, 60_000, endpoint);
    let output = micro(&home, &["doctor", "--json"]);
    assert_eq!(output.json()["broken"], 0);
    check(&output, "tool", "warning", "odd.Odd.Call: left out");
}

/// Lets a record be as old as this.
fn age(home: &Home, id: &str, age: Duration) {
    let file = fs::File::options().append(true).open(home.registry_dir().join(format!("{id}.json"))).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

/// Writes a record as a process of any language would.
fn write(home: &Home, id: &str, address: &str, ttl_ms: u64) {
    write_with(home, id, address, ttl_ms, "");
}

fn write_with(home: &Home, id: &str, address: &str, ttl_ms: u64, endpoints: &str) {
    let service = id.split_once('-').unwrap().0;
    let node = format!(r#"{{"id":"{id}","address":"{address}"}}"#);
    let service = format!(r#"{{"name":"{service}","version":"1","endpoints":[{endpoints}],"nodes":[{node}]}}"#);
    let record = format!(r#"{{"ttl_ms":{ttl_ms},"service":{service}}}"#);
    fs::write(home.registry_dir().join(format!("{id}.json")), record).unwrap();
}
