//! Agents nobody here wrote, working with the blog.

use anyhow::{Context, Result};
use micro_test::{Client, Mode, Process, bins};
use serde_json::{Value, json};

use crate::blog::{Blog, TOOLS};

/// Lists the tools, reads, writes through one service and reads it back through another.
fn work(client: &Client, session: &mut micro_test::Session, mark: &str) -> Result<()> {
    let names = session.tool_names()?;
    assert_eq!(names, TOOLS, "{client}");

    let ada = result(&session.call("users_Get", json!({"id": 1}))?);
    assert!(ada["name"].is_string(), "{client}: {ada}");

    // Written through posts, which asks users who the author is; read back through comments.
    let draft = json!({"author": 2, "title": format!("By {mark}"), "body": "Text.", "tags": ["test"]});
    let post = result(&session.call("posts_Create", draft)?);
    let id = post["id"].as_u64().with_context(|| format!("{client}: {post}"))?;
    assert_eq!(post["author"]["name"], result(&session.call("users_Get", json!({"id": 2}))?)["name"]);
    let early = session.call("comments_Add", json!({"post": id, "text": "First!"}))?;
    assert_eq!(early["isError"], true, "{client}: comments asks posts, and posts says it is a draft");
    session.call("posts_Publish", json!({ "id": id }))?;
    let text = format!("Read by {mark}");
    session.call("comments_Add", json!({"post": id, "author": mark, "text": text}))?;
    let thread = result(&session.call("comments_ListByPost", json!({ "post": id }))?);
    assert_eq!(thread["comments"][0]["text"], text, "{client}");

    let wrong = session.call("posts_List", json!({"limit": 1000}))?;
    assert_eq!(wrong["isError"], true);
    assert!(wrong["content"][0]["text"].as_str().unwrap_or_default().contains("/limit"), "{client}: {wrong}");
    let unknown = session.call("posts_Nothing", json!({}));
    assert!(unknown.is_err(), "{client}: {unknown:?}");
    Ok(())
}

/// What a tool answered: as structure, or as text for those who do not know structure.
fn result(answer: &Value) -> Value {
    match &answer["structuredContent"] {
        Value::Null => {
            serde_json::from_str(answer["content"][0]["text"].as_str().unwrap_or_default()).unwrap_or_default()
        }
        structured => structured.clone(),
    }
}

#[test]
fn every_client_works_with_the_blog_over_http() -> Result<()> {
    let blog = Blog::start(&["--no-watch"])?;
    for (i, client) in Client::every().iter().enumerate() {
        work(client, &mut client.http(&blog.mcp())?, &format!("http {i}"))?;
    }
    Ok(())
}

#[test]
fn every_client_works_with_the_blog_over_stdio() -> Result<()> {
    let blog = Blog::start(&["--no-watch"])?;
    let micro = bins::build(&["micro"])?;
    let mut serve = blog.home.command(micro.path("micro"));
    serve.args(["mcp", "serve"]);
    for (i, client) in Client::every().iter().enumerate() {
        work(client, &mut client.stdio(&serve)?, &format!("stdio {i}"))?;
    }
    Ok(())
}

#[test]
fn a_streaming_endpoint_tells_of_its_progress() -> Result<()> {
    let blog = Blog::start(&["--no-watch"])?;
    for client in [Client::mcp1(), Client::mcp2(Mode::Auto), Client::mcp2(Mode::Modern)] {
        let (answer, steps) = client.http(&blog.mcp())?.call_with_progress("comments_Replay", json!({"post": 1}))?;
        let items = result(&answer)["items"].as_array().map_or(0, Vec::len);
        assert!(items > 1, "{client}: {answer}");
        assert_eq!(steps.len(), items, "{client}: {steps:?}");
    }
    Ok(())
}

#[test]
fn a_service_that_is_killed_takes_its_tools_along_and_brings_them_back() -> Result<()> {
    let blog = Blog::start(&["--no-watch"])?;
    let pid = pid_of(&blog.process, "blog-comments")?;
    rustix_kill(pid)?;
    // The supervisor sees it at once and starts it again; between the two the tools are gone, or the
    // call says why it fails. Nothing else fails meanwhile.
    blog.until("the tools of comments are gone, or are back with a new process", |tools| {
        tools.len() < TOOLS.len() || pid_of(&blog.process, "blog-comments").is_ok_and(|new| new != pid)
    })?;
    assert_eq!(blog.rest("users/Users.Get", &json!({"id": 1}))?.status(), 200);
    blog.until("all tools are back", |tools| tools.len() == TOOLS.len())?;
    assert_eq!(blog.rest("comments/Comments.ListByPost", &json!({"post": 1}))?.status(), 200);
    Ok(())
}

#[test]
fn a_service_without_a_supervisor_vanishes_within_its_time_to_live() -> Result<()> {
    let blog = Blog::start(&["--no-watch"])?;
    let bins = bins::build(&["hello"])?;
    let mut hello = blog.home.command(bins.path("hello"));
    hello.env("HELLO_MCP", "127.0.0.1:0");
    let mut hello = Process::start("hello", hello)?;
    let with = |tools: &[String]| tools.iter().any(|t| t.starts_with("hello."));
    blog.until("hello is there", with)?;
    hello.kill()?;
    let took = blog.until("hello is gone", |tools| !with(tools))?;
    assert!(took.as_secs() < 9, "{took:?}");
    let answer = blog.rest("hello/Hello.Hello", &json!({"name": "x"}))?;
    assert_eq!(answer.status(), 404, "{}", answer.text());
    assert_eq!(blog.tools()?.len(), TOOLS.len());
    Ok(())
}

/// The process of this name that a supervisor has started.
fn pid_of(parent: &Process, name: &str) -> Result<u32> {
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", parent.id()));
    let threads = std::fs::read_dir(format!("/proc/{}/task", parent.id()))?;
    let mut all = children.unwrap_or_default();
    for thread in threads {
        all.push_str(&std::fs::read_to_string(thread?.path().join("children")).unwrap_or_default());
    }
    let is = |pid: &&str| std::fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|c| c.contains(name));
    let pid = all.split_whitespace().find(is).with_context(|| format!("no process {name}"))?;
    Ok(pid.parse()?)
}

fn rustix_kill(pid: u32) -> Result<()> {
    let pid = rustix::process::Pid::from_raw(pid.try_into()?).context("a process id")?;
    Ok(rustix::process::kill_process(pid, rustix::process::Signal::KILL)?)
}
