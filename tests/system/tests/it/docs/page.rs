//! A page as a list of fenced blocks, and what is done with them.

use std::fs;

use anyhow::{Context, Result, bail, ensure};
use micro_test::workspace;

/// A Markdown file.
pub(super) struct Page {
    pub(super) blocks: Vec<Block>,
}

/// A fenced block.
pub(super) struct Block {
    /// Where its text begins.
    pub(super) line: usize,
    /// The first word behind the fence; what follows a comma is for rustdoc.
    pub(super) tag: String,
    /// The file to write it to.
    pub(super) file: Option<String>,
    /// What stands in it, with the last line's end.
    pub(super) text: String,
}

/// Something a reader does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Write { line: usize, file: String, text: String },
    Run { line: usize, command: String, expected: Vec<String> },
}

impl Page {
    pub(super) fn read(path: &str) -> Result<Self> {
        let text = fs::read_to_string(workspace::root()?.join(path)).with_context(|| format!("cannot read {path}"))?;
        Self::parse(&text).with_context(|| path.to_owned())
    }

    fn parse(text: &str) -> Result<Self> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut inside = false;
        for (at, line) in text.lines().enumerate() {
            match (inside, line.strip_prefix("```")) {
                (false, Some(info)) => {
                    let mut words = info.split_whitespace();
                    let tag = words.next().with_context(|| format!("line {}: a block without a tag", at + 1))?;
                    let file = words.find_map(|word| word.strip_prefix("file:"));
                    let tag = tag.split(',').next().unwrap_or(tag);
                    let (tag, file, text) = (tag.to_owned(), file.map(str::to_owned), String::new());
                    blocks.push(Block { line: at + 2, tag, file, text });
                    inside = true;
                }
                (true, Some("")) => inside = false,
                (true, _) => {
                    let block = blocks.last_mut().context("the line is inside of one")?;
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                (false, None) => {}
            }
        }
        ensure!(!inside, "the last block has no end");
        Ok(Self { blocks })
    }

    /// What a reader of this page does, from the top down.
    pub(super) fn steps(&self) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        for block in &self.blocks {
            if let Some(file) = &block.file {
                steps.push(Step::Write { line: block.line, file: file.clone(), text: block.text.clone() });
            } else if block.tag == "console" {
                steps.extend(commands(block)?);
            }
        }
        Ok(steps)
    }
}

fn commands(block: &Block) -> Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    let mut goes_on = false;
    for (at, text) in block.text.lines().enumerate() {
        match (text.strip_prefix("$ "), steps.last_mut()) {
            (None, Some(Step::Run { command, .. })) if goes_on => {
                command.push('\n');
                command.push_str(text);
            }
            (Some(command), _) => {
                steps.push(Step::Run { line: block.line + at, command: command.to_owned(), expected: Vec::new() });
            }
            (None, Some(Step::Run { expected, .. })) => expected.push(text.to_owned()),
            (None, _) => bail!("line {}: no command prints this", block.line + at),
        }
        let in_command = matches!(steps.last(), Some(Step::Run { expected, .. }) if expected.is_empty());
        goes_on = in_command && text.ends_with('\\');
    }
    Ok(steps)
}

/// Targets of the links that stay in the repository.
pub(super) fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://"))
}

/// Whether lines are what a page says, where `…` stands for any text and, alone, for any lines.
pub(super) fn matches(expected: &[String], lines: &[&str]) -> bool {
    match (expected, lines) {
        ([], _) => lines.iter().all(|line| line.trim().is_empty()),
        ([any, rest @ ..], _) if any.trim() == "…" => (0..=lines.len()).any(|skip| matches(rest, &lines[skip..])),
        ([first, rest @ ..], [line, others @ ..]) => fits(first.trim_end(), line.trim_end()) && matches(rest, others),
        ([_, ..], []) => false,
    }
}

fn fits(pattern: &str, line: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('…') else { return pattern == line };
    let Some(line) = line.strip_prefix(head) else { return false };
    let mut ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
    ends.any(|at| fits(rest, &line[at..]))
}

#[test]
fn a_page_is_read_as_its_reader_would() -> Result<()> {
    let text =
        "Words.\n```toml file:a.toml\nx = 1\n```\n\n```console\n$ a \\\n  b\nsays a\n$ c &\n```\n```text\n$ no\n```\n";
    let run = |line, command: &str, expected: &[&str]| Step::Run {
        line,
        command: command.to_owned(),
        expected: expected.iter().map(ToString::to_string).collect(),
    };
    let write = Step::Write { line: 3, file: "a.toml".into(), text: "x = 1\n".into() };
    assert_eq!(Page::parse(text)?.steps()?, [write, run(7, "a \\\n  b", &["says a"]), run(10, "c &", &[])]);
    assert!(Page::parse("```\nno tag\n```\n").is_err());
    assert!(Page::parse("```text\nno end\n").is_err());
    assert!(Page::parse("```console\nno command\n```\n")?.steps().is_err());
    Ok(())
}

#[test]
fn an_ellipsis_stands_for_text_and_alone_for_lines() {
    let check = |expected: &str, lines: &str| {
        let expected: Vec<_> = expected.lines().map(str::to_owned).collect();
        matches(&expected, &lines.lines().collect::<Vec<_>>())
    };
    assert!(check("took … ms", "took 3.1 ms"));
    assert!(check("a…b…", "aXbYb"));
    assert!(check("…\nlast", "first\nsecond\nlast"));
    assert!(check("first\n…", "first"));
    assert!(!check("took … ms", "took 3.1 s"));
    assert!(!check("a…b", "aXbc"));
    assert!(!check("first", "first\nsecond"));
    assert!(!check("first\nsecond", "first"));
    assert!(!check("…\nlast", "last\nnot last"));
}

#[test]
fn links_to_the_world_are_not_followed() {
    let text = "[a](docs/a.md), [b](https://example.org/b) and [c](#c)";
    assert_eq!(links(text).collect::<Vec<_>>(), ["docs/a.md", "#c"]);
}
