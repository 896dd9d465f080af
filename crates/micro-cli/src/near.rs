//! What somebody may have meant by a name that is not there.

use crate::error::CommandError;

/// Names offered at once.
const OFFERED: usize = 3;
/// Names listed when none is near.
const LISTED: usize = 8;

/// Adds the hint that helps most: the names that are near the wanted one, or else what there is.
pub(crate) fn hint<'a>(error: CommandError, wanted: &str, names: impl IntoIterator<Item = &'a str>) -> CommandError {
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_unstable();
    names.dedup();
    let near: Vec<String> = nearest(wanted, &names).into_iter().map(|name| format!("`{name}`")).collect();
    if !near.is_empty() {
        return error.hint(format!("did you mean {}?", near.join(" or ")));
    }
    if names.is_empty() {
        return error;
    }
    let more = if names.len() > LISTED { format!(" and {} more", names.len() - LISTED) } else { String::new() };
    names.truncate(LISTED);
    error.hint(format!("there are: {}{more}", names.join(", ")))
}

/// The names that are near, nearest first.
fn nearest<'a>(wanted: &str, names: &[&'a str]) -> Vec<&'a str> {
    let mut near: Vec<_> = names.iter().filter_map(|name| Some((distance(wanted, name)?, *name))).collect();
    near.sort_unstable();
    near.into_iter().take(OFFERED).map(|(_, name)| name).collect()
}

/// How far two names are apart; none when too far. Case does not count, and a part of a name is as
/// near as one slip of the finger.
fn distance(wanted: &str, name: &str) -> Option<usize> {
    let (wanted, name) = (wanted.to_lowercase(), name.to_lowercase());
    if wanted.len() > 2 && (name.contains(&wanted) || wanted.contains(&name)) {
        return Some(1);
    }
    let distance = edits(&wanted, &name);
    (distance <= wanted.chars().count().div_ceil(3)).then_some(distance)
}

/// Levenshtein's distance: characters to insert, remove or replace.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.chars().count()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_case_and_parts_are_near_and_the_rest_is_not() {
        let names = ["users", "posts", "comments", "user-accounts"];
        assert_eq!(nearest("usesr", &names), ["users"]);
        assert_eq!(nearest("Users", &names), ["users"]);
        assert_eq!(nearest("user", &names), ["user-accounts", "users"]);
        assert_eq!(nearest("billing", &names), [""; 0]);
    }

    #[test]
    fn without_a_near_name_what_there_is_is_told() {
        let hints = |names: &[&str]| hint(CommandError::not_found("x"), "billing", names.iter().copied()).hints;
        assert_eq!(hints(&["users", "posts"]), ["there are: posts, users"]);
        assert_eq!(hints(&[]), [""; 0]);
    }
}
