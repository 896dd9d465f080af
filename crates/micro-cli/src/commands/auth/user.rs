//! `micro auth user`: the users of the embedded authorization server.

use std::io::{self, BufRead, IsTerminal, Read};

use clap::Subcommand;
use micro_gateway::{NewUser, Users};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde_json::json;

use super::{grant::Grant, place::Place};
use crate::{cx::Cx, error::CommandError, ui::Ui};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro auth user add alice --scope blog:read       Asks for the password
  pwgen 24 1 | micro auth user add alice            Takes it from a pipe
  micro auth user list --json
  micro auth user remove alice                      Ends what was given in her name too

The store is the gateway's: `store` in its `[gateway]` table, or --store.";

/// Add, list and remove users of the embedded authorization server
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add a user; the password is asked for, or read from a pipe
    Add(Add),
    /// List the users
    List(List),
    /// Remove a user, and end what was given in their name
    Remove(Remove),
}

#[derive(Debug, clap::Args)]
struct Add {
    /// The account's name
    name: String,
    #[command(flatten)]
    grant: Grant,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, clap::Args)]
struct Remove {
    /// The account's name
    name: String,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(ui: &mut Ui, _: &Cx, args: Args) -> Result<(), CommandError> {
    match args.command {
        Command::Add(args) => add(ui, args).await,
        Command::List(args) => list(ui, args).await,
        Command::Remove(args) => remove(ui, args).await,
    }
}

async fn add(ui: &mut Ui, args: Add) -> Result<(), CommandError> {
    let users = users(&args.place)?;
    let new = NewUser {
        password: password(ui)?,
        scopes: args.grant.scopes.into_iter().collect(),
        roles: args.grant.roles,
        tenant: args.grant.tenant,
        name: args.name,
    };
    let name = new.name.clone();
    users.add(new).await?;
    ui.note(format_args!("user {name} added"));
    Ok(())
}

async fn list(ui: &mut Ui, args: List) -> Result<(), CommandError> {
    let users = users(&args.place)?.list().await?;
    if args.json {
        let shown = users.iter().map(
            |user| json!({ "name": user.name, "scopes": user.scopes, "roles": user.roles, "tenant": user.tenant }),
        );
        ui.json(&shown.collect::<Vec<_>>());
        return Ok(());
    }
    if users.is_empty() {
        ui.note("no users; add one with `micro auth user add NAME`");
        return Ok(());
    }
    let row = |user: &micro_gateway::User| {
        let scopes = user.scopes.iter().collect::<Vec<_>>().join(" ");
        [user.name.to_string(), scopes, user.roles.join(" "), user.tenant.as_deref().unwrap_or_default().to_owned()]
    };
    ui.table(["user", "scopes", "roles", "tenant"], users.iter().map(row));
    Ok(())
}

async fn remove(ui: &mut Ui, args: Remove) -> Result<(), CommandError> {
    if !users(&args.place)?.remove(&args.name).await? {
        return Err(CommandError::not_found(format!("there is no user {}", args.name)));
    }
    ui.note(format_args!("user {} removed", args.name));
    Ok(())
}

fn users(place: &Place) -> Result<Users, CommandError> {
    Ok(Users::new(place.open()?))
}

/// Longest password that is read, in bytes.
const MAX: u64 = 4096;

/// The password: typed twice without being shown, or the first line of a pipe.
fn password(ui: &mut Ui) -> Result<String, CommandError> {
    if !io::stdin().is_terminal() {
        return line();
    }
    let hidden = Hidden::new()?;
    ui.note("Password (at least 12 characters): ");
    let first = line()?;
    ui.note("Again: ");
    let second = line()?;
    drop(hidden);
    if first == second { Ok(first) } else { Err(CommandError::invalid("the two passwords differ")) }
}

fn line() -> Result<String, CommandError> {
    let mut text = String::new();
    let read = io::stdin().lock().take(MAX).read_line(&mut text);
    read.map_err(|error| CommandError::invalid("cannot read the password").because(error))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Hidden(rustix::termios::Termios);

impl Hidden {
    fn new() -> Result<Self, CommandError> {
        let cannot =
            |error| CommandError::internal("cannot hide what is typed; use a pipe").because(io::Error::from(error));
        let before = tcgetattr(io::stdin()).map_err(cannot)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent).map_err(cannot)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}
