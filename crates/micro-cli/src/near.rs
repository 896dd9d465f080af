//! What somebody may have meant by a name that is not there.

use micro_runtime::config::nearest;

use crate::error::CommandError;

/// Names listed when none is near.
const LISTED: usize = 8;

/// Adds the hint that helps most: the names that are near the wanted one, or else what there is.
pub(crate) fn hint<'a>(error: CommandError, wanted: &str, names: impl IntoIterator<Item = &'a str>) -> CommandError {
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_unstable();
    names.dedup();
    let near: Vec<String> =
        nearest(wanted, names.iter().copied()).into_iter().map(|name| format!("`{name}`")).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_near_name_what_there_is_is_told() {
        let hints = |names: &[&str]| hint(CommandError::not_found("x"), "billing", names.iter().copied()).hints;
        assert_eq!(hints(&["users", "posts"]), ["there are: posts, users"]);
        assert_eq!(hints(&[]), [""; 0]);
    }
}
