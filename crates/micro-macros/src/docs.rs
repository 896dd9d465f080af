//! Reads doc comments: the text, and the tags `@example`, `@param`, `@return`.

use proc_macro2::Span;
use serde_json::{Map, Value};
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

use crate::{errors::Errors, near};

const TAGS: [&str; 3] = ["example", "param", "return"];

/// A method's doc comment, taken apart.
#[derive(Default)]
pub(crate) struct Docs {
    /// Everything but the tags.
    pub(crate) description: String,
    pub(crate) examples: Vec<Example>,
    pub(crate) params: Vec<Param>,
    pub(crate) returns: Option<String>,
}

/// `@example {…}`, or a ```` ```json ```` block under `# Example`.
pub(crate) struct Example {
    pub(crate) arguments: Map<String, Value>,
    pub(crate) span: Span,
}

/// `@param name text`.
pub(crate) struct Param {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// One line of a doc comment, with the place it came from.
struct Line {
    text: String,
    span: Span,
}

/// The text of a doc comment as it stands.
pub(crate) fn text(attributes: &[Attribute]) -> String {
    tidy(lines(attributes).iter().map(|line| line.text.as_str()))
}

/// Takes a method's doc comment apart.
pub(crate) fn parse(attributes: &[Attribute], errors: &mut Errors) -> Docs {
    let lines = lines(attributes);
    let mut docs = Docs::default();
    let mut prose = Prose::default();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let trimmed = line.text.trim();
        if let Some(language) = fence(trimmed) {
            let end = (at + 1..lines.len()).find(|&i| fence(lines[i].text.trim()) == Some("")).unwrap_or(lines.len());
            if language == "json" && prose.example_heading.is_some() {
                let source: Vec<_> = lines[at + 1..end].iter().map(|line| line.text.as_str()).collect();
                let first = lines.get(at + 1).unwrap_or(line).span;
                docs.examples.extend(example(&source.join("\n"), &lines[at + 1..], first, errors));
            } else {
                prose.lines.extend(lines[at..lines.len().min(end + 1)].iter().map(|line| line.text.as_str()));
            }
            at = end + 1;
            continue;
        }
        if let Some(tag) = trimmed.strip_prefix('@') {
            let (word, rest) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
            let end = match word {
                "example" => tagged_example(rest, &lines, at, &mut docs, errors),
                "param" => tagged_param(rest, &lines, at, &mut docs, errors),
                "return" => tagged_return(rest, &lines, at, &mut docs, errors),
                _ => at,
            };
            if end > at {
                at = end;
                continue;
            }
            if let Some(meant) = TAGS.into_iter().find(|known| near::distance(word, known) <= 1) {
                errors.at(line.span, format!("unknown tag `@{word}`; did you mean `@{meant}`?"));
            }
        }
        prose.push(&line.text);
        at += 1;
    }
    prose.close_examples();
    docs.description = tidy(prose.lines.into_iter());
    docs
}

/// The part of a doc comment that is for reading.
#[derive(Default)]
struct Prose<'a> {
    lines: Vec<&'a str>,
    /// Where the heading `# Example` stands, inside its section.
    example_heading: Option<usize>,
}

impl<'a> Prose<'a> {
    fn push(&mut self, line: &'a str) {
        if let Some(heading) = line.trim().strip_prefix('#') {
            self.close_examples();
            let title = heading.trim_start_matches('#').trim();
            if title.eq_ignore_ascii_case("example") || title.eq_ignore_ascii_case("examples") {
                self.example_heading = Some(self.lines.len());
            }
        }
        self.lines.push(line);
    }

    /// A section of which only the heading is left goes away with its examples.
    fn close_examples(&mut self) {
        if let Some(heading) = self.example_heading.take()
            && self.lines[heading + 1..].iter().all(|line| line.trim().is_empty())
        {
            self.lines.truncate(heading);
        }
    }
}

/// `@example {…}`: as many lines as the JSON needs.
fn tagged_example(rest: &str, lines: &[Line], at: usize, docs: &mut Docs, errors: &mut Errors) -> usize {
    let mut source = rest.trim().to_owned();
    let mut end = at + 1;
    while serde_json::from_str::<Value>(&source).is_err_and(|e| e.is_eof()) {
        let Some(next) = lines.get(end).filter(|next| !starts_block(&next.text)) else { break };
        source = format!("{source}\n{}", next.text);
        end += 1;
    }
    docs.examples.extend(example(&source, &lines[at..], lines[at].span, errors));
    end
}

/// `@param name text`, up to a blank line or the next tag.
fn tagged_param(rest: &str, lines: &[Line], at: usize, docs: &mut Docs, errors: &mut Errors) -> usize {
    let (text, end) = paragraph(rest, lines, at);
    let (name, text) = text.split_once(char::is_whitespace).unwrap_or((&text, ""));
    let name = name.trim_matches(['`', ':']).to_owned();
    let text = text.trim_start_matches(['-', ':', '–', '—']).trim().to_owned();
    if name.is_empty() || text.is_empty() {
        errors.at(lines[at].span, "`@param` wants a name and a text: `@param id The user's ID.`");
    } else if docs.params.iter().any(|known| known.name == name) {
        errors.at(lines[at].span, format!("`{name}` is described twice"));
    } else {
        docs.params.push(Param { name, text, span: lines[at].span });
    }
    end
}

/// `@return text`, up to a blank line or the next tag.
fn tagged_return(rest: &str, lines: &[Line], at: usize, docs: &mut Docs, errors: &mut Errors) -> usize {
    let (text, end) = paragraph(rest, lines, at);
    if text.is_empty() {
        errors.at(lines[at].span, "`@return` wants a text: `@return The user's profile.`");
    } else if docs.returns.replace(text).is_some() {
        errors.at(lines[at].span, "there is one `@return`");
    }
    end
}

fn paragraph(first: &str, lines: &[Line], at: usize) -> (String, usize) {
    let more = lines[at + 1..].iter().take_while(|line| !line.text.trim().is_empty() && !starts_block(&line.text));
    let texts: Vec<_> = std::iter::once(first.trim()).chain(more.map(|line| line.text.trim())).collect();
    (texts.join(" ").trim().to_owned(), at + texts.len())
}

/// A tag, a heading or a fence.
fn starts_block(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with(['@', '#']) || fence(line).is_some()
}

/// The language of a fence, empty when it has none.
fn fence(line: &str) -> Option<&str> {
    line.strip_prefix("```").or_else(|| line.strip_prefix("~~~")).map(str::trim)
}

/// Checks an example's syntax. `lines` are those its text came from.
fn example(source: &str, lines: &[Line], span: Span, errors: &mut Errors) -> Option<Example> {
    match serde_json::from_str(source) {
        Ok(Value::Object(arguments)) => return Some(Example { arguments, span }),
        Ok(_) => errors.at(span, r#"an example is the whole arguments object: `@example {"key": "value"}`"#),
        Err(error) => {
            let text = error.to_string();
            let reason = text.split(" at line ").next().unwrap_or(&text);
            let place = lines.get(error.line().saturating_sub(1)).map_or(span, |line| line.span);
            errors.at(place, format!("this example is not JSON: {reason}"));
        }
    }
    None
}

/// The lines of all doc comments, without the indentation they share.
fn lines(attributes: &[Attribute]) -> Vec<Line> {
    let mut lines = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        let Meta::NameValue(meta) = &attribute.meta else { continue };
        let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &meta.value else { continue };
        let value = text.value();
        let starred = value.lines().skip(1).all(|line| line.trim_start().starts_with('*') || line.trim().is_empty());
        lines.extend(value.split('\n').enumerate().map(|(i, line)| {
            let line = if i > 0 && starred { line.trim_start().trim_start_matches('*') } else { line };
            Line { text: line.trim_end().to_owned(), span: text.span() }
        }));
    }
    let indent = |line: &Line| line.text.len() - line.text.trim_start_matches([' ', '\t']).len();
    let shared = lines.iter().filter(|line| !line.text.is_empty()).map(indent).min().unwrap_or(0);
    for line in &mut lines {
        line.text.drain(..shared.min(line.text.len()));
    }
    lines
}

/// Joins lines into text: no blank lines around it, and one at most between paragraphs.
fn tidy<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for line in lines {
        if !(line.trim().is_empty() && (text.is_empty() || text.ends_with("\n\n"))) {
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    text.trim_end().to_owned()
}
