//! `micro auth key`: API keys of agents.

use std::{str::FromStr, time::Duration};

use clap::Subcommand;
use jiff::Timestamp;
use micro_gateway::{ApiKeyRecord, ApiKeys, NewApiKey};
use serde_json::{Value, json};

use super::{grant::Grant, place::Place};
use crate::{cx::Cx, error::CommandError, tools, ui::Ui, words};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro auth key create assistant --scope blog:read --expires 90d
  KEY=$(micro auth key create reporter --tenant acme --role reader)
  micro auth key list --json
  micro auth key rotate 7hJ2kQmZx0Pf --grace 1h     The old key goes on for an hour
  micro auth key revoke 7hJ2kQmZx0Pf                It ends at once, at every gateway of the store

The store is the gateway's: `store` in its `[gateway]` table, or --store.";

/// Make, list, change and take back the API keys of agents
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a key, and print it: it is not to be seen again
    Create(Create),
    /// List the keys, those too that ended in the last month
    List(List),
    /// Take a key back: within a second nobody is let in with it
    Revoke(Revoke),
    /// Make a key that takes the place of another
    Rotate(Rotate),
}

#[derive(Debug, clap::Args)]
struct Create {
    /// The account that the key stands for
    account: String,
    #[command(flatten)]
    grant: Grant,
    /// How long it is good, for example 90d, 12h or 30m [default: until it is revoked]
    #[arg(long, value_name = "TIME")]
    expires: Option<Span>,
    /// Print JSON
    #[arg(long)]
    json: bool,
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
struct Revoke {
    /// The key's id, or the key itself
    id: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, clap::Args)]
struct Rotate {
    /// The key's id, or the key itself
    id: String,
    /// How long the old key is still good, for example 1h
    #[arg(long, value_name = "TIME", default_value = "0s")]
    grace: Span,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// A time in a table: whole seconds, so that a column is as wide for one key as for another.
const SECONDS: &str = "%Y-%m-%dT%H:%M:%SZ";

/// A length of time: digits, and one of `s`, `m`, `h`, `d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span(Duration);

impl FromStr for Span {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "a time is digits and one of s, m, h, d, for example 90d; the longest is 36500d";
        let unit = text.chars().last().ok_or(wrong)?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return Err(wrong),
        };
        let count: u64 = text[..text.len() - 1].parse().map_err(|_| wrong)?;
        let seconds = count.checked_mul(seconds).filter(|seconds| *seconds <= 36_500 * 86_400).ok_or(wrong)?;
        Ok(Self(Duration::from_secs(seconds)))
    }
}

pub(crate) async fn run(ui: &mut Ui, _: &Cx, args: Args) -> Result<(), CommandError> {
    let now = Timestamp::now();
    match args.command {
        Command::Create(args) => create(ui, args, now).await,
        Command::List(args) => list(ui, &args, now).await,
        Command::Revoke(args) => revoke(ui, &args, now).await,
        Command::Rotate(args) => rotate(ui, &args, now).await,
    }
}

async fn create(ui: &mut Ui, args: Create, now: Timestamp) -> Result<(), CommandError> {
    let expires = args.expires.map(|Span(time)| now.saturating_add(time)).transpose();
    let new = NewApiKey {
        account: args.account,
        scopes: args.grant.scopes.into_iter().collect(),
        roles: args.grant.roles,
        tenant: args.grant.tenant,
        expires: expires.map_err(|error| CommandError::invalid("the key would never end").because(error))?,
    };
    let (key, record) = keys(&args.place)?.create(new, now).await.map_err(tools::failed)?;
    show(ui, args.json, key.reveal(), &record);
    Ok(())
}

async fn list(ui: &mut Ui, args: &List, now: Timestamp) -> Result<(), CommandError> {
    let keys = keys(&args.place)?.list().await.map_err(tools::failed)?;
    if args.json {
        ui.json(&keys.iter().map(|key| in_json(key, now)).collect::<Vec<_>>());
    } else if keys.is_empty() {
        ui.note("no keys; make one with `micro auth key create ACCOUNT`");
    } else {
        let row = |key: &ApiKeyRecord| {
            let (scopes, roles) = (words::cell(&key.scopes.iter().collect::<Vec<_>>()), words::cell(&key.roles));
            let tenant = key.tenant.clone().unwrap_or_else(|| "-".to_owned());
            let until = key.expires.map_or_else(|| "-".to_owned(), |expires| expires.strftime(SECONDS).to_string());
            [key.id.clone(), key.account.clone(), scopes, roles, tenant, until, state(key, now).to_owned()]
        };
        ui.table(["id", "account", "scopes", "roles", "tenant", "expires", "state"], keys.iter().map(row));
    }
    Ok(())
}

async fn revoke(ui: &mut Ui, args: &Revoke, now: Timestamp) -> Result<(), CommandError> {
    let id = id(&args.id);
    let record = keys(&args.place)?.revoke(id, now).await.map_err(tools::failed)?;
    let record = record.ok_or_else(|| unknown(id))?;
    ui.note(format_args!("key {} of {} is revoked", record.id, record.account));
    Ok(())
}

async fn rotate(ui: &mut Ui, args: &Rotate, now: Timestamp) -> Result<(), CommandError> {
    let id = id(&args.id);
    let made = keys(&args.place)?.rotate(id, args.grace.0, now).await.map_err(tools::failed)?;
    let (key, record) = made.ok_or_else(|| unknown(id).hint("a key that has ended cannot be rotated; create one"))?;
    show(ui, args.json, key.reveal(), &record);
    Ok(())
}

/// The keys, hashed as the gateway hashes them.
fn keys(place: &Place) -> Result<ApiKeys, CommandError> {
    let pepper = place.gateway()?.auth.keys.pepper(|name| std::env::var(name).ok());
    let pepper = pepper.map_err(|error| CommandError::invalid(error.to_string()))?;
    Ok(ApiKeys::new(place.open()?, pepper))
}

/// The key itself is data; all else is for people.
fn show(ui: &mut Ui, as_json: bool, key: &str, record: &ApiKeyRecord) {
    if as_json {
        let mut shown = in_json(record, record.created);
        shown["key"] = key.into();
        ui.json(&shown);
    } else {
        ui.data(key);
        ui.note(format_args!("key {} of {}; it is shown this once", record.id, record.account));
    }
}

fn in_json(key: &ApiKeyRecord, now: Timestamp) -> Value {
    json!({
        "id": key.id,
        "account": key.account,
        "scopes": key.scopes,
        "roles": key.roles,
        "tenant": key.tenant,
        "created": key.created,
        "expires": key.expires,
        "revoked": key.revoked,
        "replaced_by": key.replaced_by,
        "state": state(key, now),
    })
}

fn state(key: &ApiKeyRecord, now: Timestamp) -> &'static str {
    match (key.revoked, key.expires) {
        (Some(since), _) if since <= now => "revoked",
        (_, Some(expires)) if expires <= now => "expired",
        (Some(_), _) => "ending",
        _ => "good",
    }
}

/// Whoever has the key at hand need not look for its id.
fn id(text: &str) -> &str {
    text.strip_prefix("mk_").and_then(|key| key.split('_').next()).unwrap_or(text)
}

fn unknown(id: &str) -> CommandError {
    CommandError::not_found(format!("there is no key `{id}`")).hint("`micro auth key list` shows those there are")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_digits_and_a_unit() {
        for (text, seconds) in [("0s", Some(0)), ("90d", Some(7_776_000)), ("12h", Some(43_200)), ("5m", Some(300))] {
            assert_eq!(text.parse().ok(), seconds.map(|seconds| Span(Duration::from_secs(seconds))), "{text}");
        }
        for text in ["", "d", "5", "-5m", "5w", "1.5h", "99999999999999999999d", "36501d", "5ä"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
