//! `micro help-markdown`: the whole command line as one page, for the reference in `docs/`.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory};

use crate::{cli::Cli, cx::Cx, error::CommandError, ui::Ui};

/// Print the reference of the command line as Markdown
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(crate) struct Args {}

pub(crate) async fn run(ui: &mut Ui, _cx: &Cx, _args: Args) -> Result<(), CommandError> {
    ui.data(render().trim_end());
    Ok(())
}

/// The page. It depends on the code alone: on no variable, terminal or machine.
fn render() -> String {
    let mut root = Cli::command();
    root.build(); // hands the global flags down and completes the usage lines
    let mut page = String::from(
        "<!-- Made by `cargo xtask generate` from the help texts. Do not edit. -->\n\n# The command line\n",
    );
    command(&mut page, &root, "micro");
    page
}

fn command(page: &mut String, command: &Command, path: &str) {
    let _ = write!(page, "\n## {path}\n\n{}\n", about(command));
    let usage = command.clone().render_usage().to_string();
    let _ = write!(page, "\n```text\n{}\n```\n", usage.trim_start_matches("Usage:").trim());
    let subcommands: Vec<_> = command.get_subcommands().filter(|sub| !sub.is_hide_set()).collect();
    list(page, "Commands", &subcommands, |page, sub| {
        let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(page, "- `{path} {}`: {about}", sub.get_name());
    });
    // The global flags are told once, at the root.
    let told = |arg: &&Arg| {
        !arg.is_hide_set()
            && !matches!(arg.get_id().as_str(), "help" | "version")
            && (path == "micro" || !arg.is_global_set())
    };
    let positional: Vec<_> = command.get_positionals().filter(told).collect();
    list(page, "Arguments", &positional, |page, arg| argument(page, arg));
    let options: Vec<_> =
        command.get_opts().chain(command.get_arguments().filter(|a| is_flag(a))).filter(told).collect();
    list(page, "Options", &options, |page, arg| argument(page, arg));
    if let Some(after) = command.get_after_long_help().or(command.get_after_help()) {
        let _ = write!(page, "\n```text\n{after}\n```\n");
    }
    for sub in subcommands {
        self::command(page, sub, &format!("{path} {}", sub.get_name()));
    }
}

fn about(command: &Command) -> String {
    command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default()
}

fn list<T>(page: &mut String, title: &str, items: &[T], each: impl Fn(&mut String, &T)) {
    if items.is_empty() {
        return;
    }
    let _ = write!(page, "\n{title}:\n\n");
    for item in items {
        each(page, item);
    }
}

/// One argument: its form, what it does, and what it is when not given.
fn argument(page: &mut String, arg: &Arg) {
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    // Paragraphs after the first stay in the same list item.
    let help = help.trim_end().replace("\n\n", "\n\n  ");
    let _ = write!(page, "- `{}`: {help}", form(arg));
    let values = arg.get_possible_values();
    if !values.is_empty() && !is_flag(arg) {
        let names: Vec<_> = values.iter().filter(|v| !v.is_hide_set()).map(|v| format!("`{}`", v.get_name())).collect();
        let _ = write!(page, " [one of {}]", names.join(", "));
    }
    if let Some(default) = arg.get_default_values().first().filter(|_| !is_flag(arg)) {
        let _ = write!(page, " [default: `{}`]", default.to_string_lossy());
    }
    if let Some(variable) = arg.get_env() {
        let _ = write!(page, " [variable: `{}`]", variable.to_string_lossy());
    }
    page.push('\n');
}

/// `-v, --verbose`, `--registry <LOCATION>`, `[DIR]...`
fn form(arg: &Arg) -> String {
    if arg.is_positional() {
        return arg.to_string();
    }
    let short = arg.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
    format!("{short}{arg}")
}

fn is_flag(arg: &Arg) -> bool {
    !arg.is_positional() && !arg.get_action().takes_values()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_reference_is_the_same_every_time_and_tells_every_command() {
        let page = super::render();
        assert_eq!(page, super::render());
        for part in ["\n## micro\n", "\n## micro new\n", "\n## micro run\n", "--registry <LOCATION>", "MICRO_REGISTRY"]
        {
            assert!(page.contains(part), "{part} is missing:\n{page}");
        }
        assert!(!page.contains("help-markdown"), "hidden commands stay hidden");
    }
}
