//! The audit log as people read it: found, followed, filtered, in words.

mod filter;
mod words;

use std::{io, time::Duration};

use micro_gateway::{AuditLocation, AuditReader, AuditText};
use micro_policy::audit::Entry;

pub(crate) use self::{
    filter::Filter,
    words::{line, step, time, took, who},
};
use crate::{
    config::Reading,
    error::{CommandError, Kind},
};

/// Where the log is.
#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// The log: a folder, a file of lines, or `sqlite:FILE` [default: `audit.to` of the micro.toml here, else `audit`]
    #[arg(long, value_name = "WHERE")]
    log: Option<AuditLocation>,
}

/// How often somebody who follows looks for more.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Place {
    /// Opens the log.
    pub(crate) fn open(&self) -> Result<AuditReader, CommandError> {
        let location = self.location()?;
        AuditReader::open(&location).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => CommandError::not_found(format!("there is no audit log at {location}"))
                .hint("name it with --log; a gateway writes one with --audit or `[gateway.audit] to`"),
            io::ErrorKind::InvalidInput => CommandError::usage(error.to_string()),
            _ => CommandError::unavailable(format!("cannot read the audit log {location}")).because(error),
        })
    }

    fn location(&self) -> Result<AuditLocation, CommandError> {
        if let Some(location) = &self.log {
            return Ok(location.clone());
        }
        let settings = Reading::of(None).load()?.value;
        Ok(settings.gateway.audit.to.unwrap_or_else(|| AuditLocation::Folder("audit".into())))
    }
}

/// One line, as it stands in the log and as what it says.
pub(crate) struct Read {
    pub(crate) text: String,
    pub(crate) entry: Entry,
}

/// The next line that can be read; `None` at the end so far.
pub(crate) fn next(reader: &mut AuditReader) -> Result<Option<Read>, CommandError> {
    loop {
        let Some(text) = reader.read().map_err(unreadable)? else { return Ok(None) };
        let AuditText::Line(line) = text else { continue };
        if let (Some(entry), Ok(text)) = (Entry::parse(&line), String::from_utf8(line.to_vec())) {
            return Ok(Some(Read { text, entry }));
        }
    }
}

/// The next line, as soon as there is one.
pub(crate) async fn follow(reader: &mut AuditReader) -> Result<Read, CommandError> {
    loop {
        match next(reader)? {
            Some(read) => return Ok(read),
            None => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}

/// Reading broke off.
pub(crate) fn unreadable(error: io::Error) -> CommandError {
    CommandError::new(Kind::Unavailable, "cannot read the audit log").because(error)
}
