//! The gateway's own authorization server and clients that nobody here wrote.

use std::{fs, process::Command, time::Duration};

use anyhow::{Context, Result};
use micro_test::{Client, Home, Mode, Process, bins, http};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";

/// A greeter behind a gateway that knows alice.
struct Site {
    home: Home,
    url: String,
    gateway: Process,
    _service: Process,
}

impl Site {
    fn start() -> Result<Self> {
        let home = Home::new()?;
        let config = "[gateway]\nstore = \"sqlite:micro.db\"\n[gateway.auth]\nmode = \"embedded\"\n";
        fs::write(home.path().join("micro.toml"), config)?;
        home.micro(&["auth", "user", "add", "alice"])?.stdin(PASSWORD).run()?.success();
        let gateway = home.micro(&["server", "--config", "micro.toml", "--address", "127.0.0.1:0"])?.start()?;
        let url = gateway.wait_for_url(Duration::from_secs(20))?;
        let mut hello: Command = home.command(bins::build(&["hello"])?.path("hello"));
        hello.env("HELLO_MCP", "127.0.0.1:0");
        let service = Process::start("hello", hello)?;
        let site = Self { home, url: url.trim_end_matches('/').to_owned(), gateway, _service: service };
        site.until_it_greets()?;
        Ok(site)
    }

    fn until_it_greets(&self) -> Result<()> {
        let began = std::time::Instant::now();
        loop {
            let health = http::get(&format!("{}/health", self.url))?.json()?;
            if health["tools"] == 1 {
                return Ok(());
            }
            anyhow::ensure!(began.elapsed() < Duration::from_secs(60), "no tool yet: {health}");
            crate::blog::breathe();
        }
    }

    fn mcp(&self) -> String {
        format!("{}/mcp", self.url)
    }
}

#[test]
fn the_python_clients_sign_in_by_themselves_and_call() -> Result<()> {
    let site = Site::start()?;
    for client in [Client::mcp2(Mode::Auto), Client::mcp2(Mode::Legacy), Client::mcp2(Mode::Modern), Client::mcp1()] {
        let stranger = client.http(&site.mcp()).and_then(|mut session| session.list_tools());
        assert!(stranger.is_err(), "{client} came in without a token: {stranger:?}");
        let mut session =
            client.clone().login("alice", PASSWORD).http(&site.mcp()).with_context(|| client.to_string())?;
        let answer = session.call("hello_Hello", json!({ "name": "Ada" }))?;
        assert_eq!(answer["content"][0]["text"], "\"Hello, Ada!\"", "{client}: {answer}");
    }
    let wrong = Client::mcp2(Mode::Auto).login("alice", "something else").http(&site.mcp());
    assert!(wrong.and_then(|mut session| session.list_tools()).is_err(), "with a wrong password");
    Ok(())
}

#[test]
fn it_is_explained_what_users_and_keys_may_call() -> Result<()> {
    let site = Site::start()?;
    let made = site.home.micro(&["auth", "key", "create", "robot", "--scope", "a", "--tenant", "acme"])?.run()?;
    let id = format!("key/{}", made.success().strip_prefix("mk_").context("no key")?.split('_').next().unwrap());
    for (account, from, tenant) in
        [("alice", "user", Value::Null), ("robot", &*id, "acme".into()), (&id, &id, "acme".into())]
    {
        let told = site.home.micro(&["auth", "explain", account, "hello_Hello", "--json"])?.run()?.json();
        assert_eq!((&told["allowed"], &told["assumed"]["from"]), (&true.into(), &from.into()), "{told}");
        assert_eq!(told["assumed"]["tenant"], tenant, "{told}");
    }
    let nobody = site.home.micro(&["auth", "explain", "alise", "hello_Hello"])?.run()?;
    assert!(nobody.failure() == 3 && nobody.stderr.contains("alice"), "{}", nobody.stderr);
    Ok(())
}

#[test]
fn users_are_managed_while_the_gateway_runs_and_no_secret_is_in_its_log() -> Result<()> {
    let site = Site::start()?;
    let home = &site.home;
    let users = || anyhow::Ok(home.micro(&["auth", "user", "list", "--json"])?.run()?.json());
    assert_eq!(users()?[0]["name"], "alice");
    let mut alice = Client::mcp2(Mode::Modern).login("alice", PASSWORD).http(&site.mcp())?;
    alice.call("hello_Hello", json!({ "name": "Ada" }))?;

    let twice = home.micro(&["auth", "user", "add", "alice"])?.stdin(PASSWORD).run()?;
    assert!(twice.failure() > 0 && twice.stderr.contains("already"), "{}", twice.stderr);
    let short = home.micro(&["auth", "user", "add", "bob"])?.stdin("short").run()?;
    assert!(short.failure() > 0 && short.stderr.contains("12"), "{}", short.stderr);
    home.micro(&["auth", "user", "remove", "alice"])?.run()?.success();
    let gone = home.micro(&["auth", "user", "remove", "alice"])?.run()?;
    assert_eq!(gone.failure(), 3, "{}", gone.stderr);
    assert_eq!(users()?, Value::Array(Vec::new()));
    let began = std::time::Instant::now();
    while alice.call("hello_Hello", json!({ "name": "Ada" })).is_ok() {
        anyhow::ensure!(began.elapsed() < Duration::from_secs(10), "alice is still there");
    }
    let log = site.gateway.stderr() + &site.gateway.stdout();
    assert!(!log.contains(PASSWORD) && !log.contains("eyJ") && !log.contains("mrt_"), "{log}");
    Ok(())
}
