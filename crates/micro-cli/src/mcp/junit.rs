//! Results of checks as JUnit XML, which test dashboards read.

use std::{fmt::Write as _, time::Duration};

/// One check and what came of it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// The group it belongs to.
    pub(crate) class: String,
    pub(crate) name: String,
    pub(crate) verdict: Verdict,
    pub(crate) took: Duration,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    /// It failed; this is why.
    Fail(String),
    /// It could not be made; this is why.
    Skip(String),
}

/// One suite of cases as a document.
pub(crate) fn render(suite: &str, cases: &[Case]) -> String {
    let count = |kind: fn(&Verdict) -> bool| cases.iter().filter(|case| kind(&case.verdict)).count();
    let failures = count(|verdict| matches!(verdict, Verdict::Fail(_)));
    let skipped = count(|verdict| matches!(verdict, Verdict::Skip(_)));
    let total: Duration = cases.iter().map(|case| case.took).sum();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<testsuites>\n<testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" time=\"{:.3}\">",
        escaped(suite),
        cases.len(),
        total.as_secs_f64()
    );
    for Case { class, name, verdict, took } in cases {
        let (class, name, took) = (escaped(class), escaped(name), took.as_secs_f64());
        let _ = write!(out, "<testcase classname=\"{class}\" name=\"{name}\" time=\"{took:.3}\"");
        let _ = match verdict {
            Verdict::Pass => writeln!(out, "/>"),
            Verdict::Skip(why) => writeln!(out, "><skipped message=\"{}\"/></testcase>", escaped(why)),
            Verdict::Fail(why) => {
                let first = escaped(why.lines().next().unwrap_or_default());
                writeln!(out, "><failure message=\"{first}\">{}</failure></testcase>", escaped(why))
            }
        };
    }
    out.push_str("</testsuite>\n</testsuites>\n");
    out
}

/// Text that can stand anywhere in XML 1.0; characters that cannot be in it at all become `?`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('?'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_counts_its_cases_and_escapes_what_servers_say() {
        let case = |name: &str, verdict| Case {
            class: "MUST".into(),
            name: name.into(),
            verdict,
            took: Duration::from_millis(2),
        };
        let text = render(
            "a & b",
            &[
                case("one", Verdict::Pass),
                case("two", Verdict::Fail("saw \"<x>\"\u{1b}\nmore".into())),
                case("three", Verdict::Skip("none".into())),
            ],
        );
        let expect = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n\
            <testsuite name=\"a &amp; b\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\" time=\"0.006\">\n\
            <testcase classname=\"MUST\" name=\"one\" time=\"0.002\"/>\n\
            <testcase classname=\"MUST\" name=\"two\" time=\"0.002\"><failure message=\"saw &quot;&lt;x&gt;&quot;?\">\
            saw &quot;&lt;x&gt;&quot;?\nmore</failure></testcase>\n\
            <testcase classname=\"MUST\" name=\"three\" time=\"0.002\"><skipped message=\"none\"/></testcase>\n\
            </testsuite>\n</testsuites>\n";
        assert_eq!(text, expect);
    }
}
