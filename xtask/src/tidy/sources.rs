//! Rules of Rust files that no lint knows.

use super::Problem;

/// Past this a file is split.
const LONG: usize = 600;
/// Past this even a table is split.
const TOO_LONG: usize = 1000;

/// What nobody may leave behind, and what to do. Written in halves, so that this file does not find itself.
const MARKS: &[(&str, &str)] = &[
    (concat!("tod", "o!("), "finish it"),
    (concat!("unimple", "mented!("), "finish it"),
    (concat!("FIX", "ME"), "mend it, or open an issue and delete the mark"),
    (concat!("XX", "X"), "mend it, or open an issue and delete the mark"),
    (concat!("#[ig", "nore"), "a test runs or does not exist; long ones belong to a named suite of `cargo xtask test`"),
];

/// What makes a secret readable. Comparing it then takes the longer, the more of it was right.
const REVEALED: [&str; 2] = [".reveal()", ".expose()"];

/// Everything wrong with one file.
pub(super) fn check(path: &str, text: &str) -> Vec<Problem> {
    let mut found = Vec::new();
    if !text.lines().next().is_some_and(|line| line.starts_with("//! ")) {
        found.push(Problem::new(path, "open with a `//!` line that says what lives here"));
    }
    let lines = text.lines().count();
    let excused = text.lines().take_while(|line| line.starts_with("//!")).any(|line| line.contains("Long because: "));
    if lines > TOO_LONG || (lines > LONG && !excused) {
        found
            .push(Problem::new(path, format!("{lines} lines; split it (the bound is {LONG}, {TOO_LONG} for a table)")));
    }
    for (at, line) in text.lines().enumerate() {
        for (mark, advice) in MARKS {
            if line.contains(mark) {
                found.push(Problem::new(format!("{path}:{}", at + 1), format!("`{mark}` stands here; {advice}")));
            }
        }
    }
    let product = text.lines().take_while(|line| line.trim() != "#[cfg(test)]" && path.contains("/src/"));
    for (at, line) in product.enumerate() {
        let compared = line.contains(" == ") || line.contains(" != ");
        if compared && REVEALED.iter().any(|call| line.contains(call)) {
            let advice = "a secret is compared by its digest, or in constant time";
            found.push(Problem::new(format!("{path}:{}", at + 1), advice));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn says(text: &str, expect: &[&str]) {
        let found = check("a.rs", text);
        assert_eq!(found.len(), expect.len(), "{found:?}");
        for (problem, part) in found.iter().zip(expect) {
            assert!(problem.to_string().contains(part), "{problem:?} does not say {part}");
        }
    }

    #[test]
    fn a_file_with_an_opening_line_is_fine() {
        says("//! Words.\n\nfn main() {}\n", &[]);
    }

    #[test]
    fn a_file_without_an_opening_line_is_refused() {
        says("fn main() {}\n", &["a.rs: open with"]);
        says("", &["a.rs: open with"]);
        says("// Words.\n", &["a.rs: open with"]);
    }

    #[test]
    fn long_files_are_refused_unless_they_are_a_table() {
        let body = "//\n".repeat(LONG);
        says(&format!("//! Words.\n{body}"), &["601 lines"]);
        says(&format!("//! Words.\n//! Long because: one table.\n{body}"), &[]);
        says(&format!("//! Words.\n//! Long because: one table.\n{body}{body}"), &["1202 lines"]);
    }

    #[test]
    fn secrets_are_not_compared_in_the_open() {
        let found = |path: &str, line: &str| check(path, &format!("//! Words.\n{line}\n")).len();
        for (line, problems) in [
            ("if shown.reveal() == kept {", 1),
            ("if given != self.secret.expose() {", 1),
            ("if shown.digest() == kept.digest() {", 0),
            ("send(secret.reveal());", 0),
            ("#[cfg(test)]\nassert!(a.reveal() == b);", 0),
        ] {
            assert_eq!(found("crates/a/src/b.rs", line), problems, "{line}");
        }
        assert_eq!(found("crates/a/tests/it/b.rs", "assert!(a.reveal() == b);"), 0);
    }

    #[test]
    fn unfinished_marks_are_found_with_their_line() {
        let marks: String = MARKS.iter().map(|(mark, _)| format!("    {mark}\n")).collect();
        says(&format!("//! Words.\n{marks}"), &["a.rs:2", "a.rs:3", "a.rs:4", "a.rs:5", "a.rs:6"]);
    }
}
