//! What somebody may have meant by a name that is not there.

/// The names that are near, nearest first; at most three.
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let near = names.into_iter().filter_map(|name| Some((distance(wanted, name)?, name)));
    let mut near: Vec<_> = near.collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(OFFERED).map(|(_, name)| name).collect()
}

/// Names offered at once.
const OFFERED: usize = 3;

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
        assert_eq!(nearest("usesr", names), ["users"]);
        assert_eq!(nearest("Users", names), ["users"]);
        assert_eq!(nearest("user", names), ["user-accounts", "users"]);
        assert_eq!(nearest("billing", names), [""; 0]);
    }
}
