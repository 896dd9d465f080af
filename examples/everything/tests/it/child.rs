//! Servers as child processes: started, spoken to in both eras, started anew, and gone with the client.

use std::{path::Path, time::Duration};

use micro_mcp::{
    client::{Builder, Client, Error},
    proto::{ElicitResult, Revision},
};
use serde_json::json;
use tokio::{process::Command, sync::mpsc, time::timeout};

const SERVER: &str = env!("CARGO_BIN_EXE_everything-server");

/// A client of a shell that runs this and then becomes the server; what the shell says on standard error comes
/// out of the channel.
async fn shell(builder: Builder, script: &str) -> (Client, mpsc::UnboundedReceiver<String>) {
    let (told, lines) = mpsc::unbounded_channel();
    let script = format!("{script} exec {SERVER} --stdio");
    let command = move || {
        let mut command = Command::new("sh");
        command.args(["-c", &script]);
        command
    };
    let builder = builder.on_stderr(move |line| told.send(line.to_owned()).unwrap_or_default());
    (builder.spawn(command).await.expect("it connects"), lines)
}

/// The number of a process that the shell named.
async fn number(lines: &mut mpsc::UnboundedReceiver<String>) -> String {
    let line = timeout(Duration::from_secs(10), lines.recv()).await.expect("a line in time");
    line.expect("a line").trim().to_owned()
}

fn runs(process: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(process).join("stat")).unwrap_or_default();
    // Whoever is only waited for has ended.
    stat.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.trim().starts_with('Z'))
}

/// Waits until a process has ended.
async fn ended(process: &str) {
    let waiting = async {
        while runs(process) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), waiting).await.unwrap_or_else(|_| panic!("{process} still runs"));
}

#[tokio::test]
async fn a_child_is_spoken_to_in_every_revision() {
    for revision in Revision::ALL {
        let builder = Client::builder().revision(revision).on_form(|_| async { ElicitResult::decline() });
        let (client, mut lines) = shell(builder, "echo hello >&2;").await;
        assert_eq!(lines.recv().await.as_deref(), Some("hello"));
        assert!(client.tools().await.unwrap().len() > 10, "{revision}");
        assert!(!client.call("test_simple_text").await.unwrap().is_error, "{revision}");
        if revision >= Revision::V2025_06_18 {
            client.call("test_elicitation").args(&json!({ "message": "?" })).await.unwrap();
        }
    }
}

#[tokio::test]
async fn nothing_is_left_of_a_child_when_its_client_is_gone() {
    let (client, mut lines) =
        shell(Client::builder(), "sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >&2; echo $$ >&2;").await;
    let (sleeper, server) = (number(&mut lines).await, number(&mut lines).await);
    assert!(runs(&sleeper) && runs(&server));
    drop(client);
    ended(&server).await;
    ended(&sleeper).await;
}

#[tokio::test]
async fn a_child_that_died_is_started_anew() {
    let (client, mut lines) = shell(Client::builder(), "echo $$ >&2;").await;
    let first = number(&mut lines).await;
    let killed = Command::new("kill").args(["-9", &first]).status().await.unwrap();
    assert!(killed.success());
    ended(&first).await;
    let again = match client.call("test_simple_text").await {
        // It died before the client heard of it.
        Err(Error::Disconnected) => client.call("test_simple_text").await,
        outcome => outcome,
    };
    assert!(!again.unwrap().is_error);
    assert_ne!(number(&mut lines).await, first);
}

#[tokio::test]
async fn what_is_no_message_is_passed_over() {
    let (client, _lines) = shell(Client::builder(), r#"echo 'Welcome!'; echo '{"jsonrpc":"2.0"}';"#).await;
    assert!(!client.call("test_simple_text").await.unwrap().is_error);
}

#[tokio::test]
async fn a_child_that_cannot_be_started_is_an_error() {
    let outcome = Client::builder().spawn(|| Command::new("/no/such/server")).await.map(|_| ());
    assert!(matches!(outcome, Err(Error::Unreachable(_))), "{outcome:?}");
    let outcome = Client::builder().spawn(|| Command::new("true")).await.map(|_| ());
    assert!(matches!(outcome, Err(Error::Disconnected | Error::SessionLost)), "{outcome:?}");
}
