//! `micro new`: a package that builds and runs at once.

mod name;
mod place;

use std::{fs, path::PathBuf};

use crate::{cx::Cx, error::CommandError, ui::Ui};

use self::{name::Name, place::Standing};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro new hello                       One endpoint that greets
  micro new notes --template crud       Create, get, list, update and delete, with scopes
  micro new clock --template stream     An endpoint that answers with a stream";

/// Write a new service that builds and runs at once
///
/// Makes a folder with a Cargo package: a service with documented endpoints, examples and unit tests.
/// Comments in the code become the descriptions that agents read. Where the source of Micro is on this
/// machine the package gets its versions of everything else (Cargo.lock); elsewhere the first build chooses
/// them, as after `cargo new`, and needs the network.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Name of the service: small letters, digits, `-` and `_`
    name: Name,

    /// What to begin with
    #[arg(long, short, value_enum, default_value_t = Template::Default)]
    template: Template,

    /// Folder to make; by default one with the service's name, here
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
}

/// Beginnings of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Template {
    /// One endpoint
    Default,
    /// Create, get, list, update and delete items kept in memory
    Crud,
    /// One endpoint that answers with a stream
    Stream,
}

/// Name and text of a file, before the placeholders are replaced.
type File = (&'static str, &'static str);

macro_rules! template {
    ($name:literal) => {
        [
            ("Cargo.toml", include_str!(concat!("../../templates/", $name, "/Cargo.toml.in"))),
            ("src/main.rs", include_str!(concat!("../../templates/", $name, "/main.rs.in"))),
            (".gitignore", include_str!("../../templates/gitignore")),
        ]
    };
}

impl Template {
    fn files(self) -> [File; 3] {
        match self {
            Self::Default => template!("default"),
            Self::Crud => template!("crud"),
            Self::Stream => template!("stream"),
        }
    }

    /// A method to try, and its arguments.
    fn trial(self) -> (&'static str, &'static str) {
        match self {
            Self::Default => ("Hello", r#"{"name":"Ada"}"#),
            Self::Crud => ("Create", r#"{"title":"Buy milk"}"#),
            Self::Stream => ("Countdown", r#"{"from":3}"#),
        }
    }
}

pub(crate) async fn run(ui: &mut Ui, _cx: &Cx, args: Args) -> Result<(), CommandError> {
    let Args { name, template, path } = args;
    let folder = path.unwrap_or_else(|| name.as_str().into());
    place::check_empty(&folder)?;

    let cannot = |what: &str, e: std::io::Error| CommandError::internal(format!("cannot write {what}")).because(e);
    fs::create_dir_all(folder.join("src")).map_err(|e| cannot(&folder.display().to_string(), e))?;
    let folder = folder.canonicalize().map_err(|e| cannot(&folder.display().to_string(), e))?;
    let standing = place::standing(&folder);
    if standing != Standing::Member
        && let Some(lock) = place::lock()
    {
        fs::write(folder.join("Cargo.lock"), lock).map_err(|e| cannot("Cargo.lock", e))?;
    }
    for (path, text) in template.files() {
        let mut text = text
            .replace("{{name}}", name.as_str())
            .replace("{{Type}}", &name.type_name())
            .replace("{{micro}}", &place::dependency());
        if path == "Cargo.toml" && standing == Standing::Stranger {
            text.push_str("\n# Stands alone, although it lies in the folder of another workspace.\n[workspace]\n");
        }
        fs::write(folder.join(path), text).map_err(|e| cannot(path, e))?;
    }

    let shown = place::shown(&folder);
    let (method, arguments) = template.trial();
    ui.note(format_args!("Wrote the service `{name}` to {shown}. Next:\n"));
    ui.note(format_args!("  cd {shown}"));
    ui.note("  micro run");
    ui.note(format_args!("  micro call {name} {}.{method} '{arguments}'", name.type_name()));
    Ok(())
}
