//! Doc comments as texts for readers: lines were broken for the width of a source file.

/// Joins the lines of each paragraph and of each list entry. Everything else (fences, headings, tables,
/// quotes, indented code) keeps its lines.
pub(super) fn flow(text: &str) -> String {
    let mut flowing = String::with_capacity(text.len());
    let mut fenced = false;
    let mut open = false; // the line before goes on in the next one
    for line in text.lines() {
        let trimmed = line.trim();
        let fence = trimmed.starts_with("```") || trimmed.starts_with("~~~");
        let entry = !fenced && is_entry(trimmed);
        let prose = !fenced && !fence && !entry && !trimmed.is_empty() && is_prose(trimmed);
        if open && prose {
            flowing.push(' ');
            flowing.push_str(trimmed);
        } else {
            flowing.push_str(if flowing.is_empty() { "" } else { "\n" });
            flowing.push_str(line.trim_end());
        }
        let indented_code = prose && !open && line.starts_with("    ");
        open = (prose || entry) && !indented_code && !trimmed.ends_with('\\');
        fenced ^= fence;
    }
    flowing
}

/// `- …`, `* …`, `+ …`, `1. …`, `1) …`.
fn is_entry(line: &str) -> bool {
    let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = number.len() < line.len() && number.starts_with([')', '.']);
    let after = if numbered { &number[1..] } else { line.strip_prefix(['-', '*', '+']).unwrap_or("") };
    after.starts_with(' ')
}

/// Neither a heading, a table, a quote nor a rule.
fn is_prose(line: &str) -> bool {
    !line.starts_with(['#', '|', '>']) && !line.chars().all(|c| matches!(c, '-' | '=' | '*' | '_' | ' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, flowing: &str) {
        assert_eq!(flow(text), flowing);
    }

    #[test]
    fn the_lines_of_a_paragraph_become_one() {
        check(
            "Retrieve a user\nby ID.\n\nReturns the\n full profile.",
            "Retrieve a user by ID.\n\nReturns the full profile.",
        );
        check("", "");
    }

    #[test]
    fn entries_of_a_list_stay_apart() {
        check("One of\n- a, the\n  first\n- b\n\n1. x\n2) y\nz", "One of\n- a, the first\n- b\n\n1. x\n2) y z");
        check("at least\n-5 or\n*all* of 3.5\n4", "at least -5 or *all* of 3.5 4");
    }

    #[test]
    fn what_has_lines_of_its_own_keeps_them() {
        for text in [
            "```\na\nb\n```\nafter",
            "# Limits\nten",
            "| a | b |\n|---|---|\n| 1 | 2 |",
            "> a\n> b",
            "so:\n\n    a\n    b\n",
            "hard\\\nbreak",
            "title\n=====",
        ] {
            check(text, text.trim_end());
        }
    }
}
