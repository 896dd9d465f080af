//! What people give to commands: JSON, times, headers.

use std::time::Duration;

use serde::de::IgnoredAny;
use tokio::io::AsyncReadExt;

use crate::error::CommandError;

/// The JSON that an argument holds, or stdin when it is `-`. Its text is left as it is.
pub(crate) async fn json(given: &str) -> Result<String, CommandError> {
    let text = match given {
        "-" => {
            let mut text = String::new();
            let read = tokio::io::stdin().read_to_string(&mut text).await;
            read.map_err(|e| CommandError::invalid("cannot read the arguments from stdin").because(e))?;
            text
        }
        given => given.to_owned(),
    };
    match serde_json::from_str::<IgnoredAny>(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(CommandError::invalid(format!("the arguments are not JSON: {error}"))
            .hint(r#"quote them for the shell, '{"id": "7"}', or give `-` and send them to stdin"#)),
    }
}

/// Reads `500ms`, `5s`, `2m`.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let number: u32 = number.parse().map_err(|_| "write it as `500ms`, `5s` or `2m`".to_owned())?;
    match unit {
        _ if number == 0 => Err("it must be more than nothing".to_owned()),
        "ms" => Ok(Duration::from_millis(number.into())),
        "s" => Ok(Duration::from_secs(number.into())),
        "m" => Ok(Duration::from_secs(u64::from(number) * 60)),
        _ => Err("the unit is `ms`, `s` or `m`".to_owned()),
    }
}

/// Reads `key=value`.
pub(crate) fn header(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as `key=value`")?;
    let key = http::HeaderName::try_from(key.trim()).map_err(|_| format!("`{key}` cannot be a key"))?;
    http::HeaderValue::try_from(value).map_err(|_| "the value has characters that cannot be sent".to_owned())?;
    Ok((key.as_str().to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(time("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(time("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "5", "s", "-1s", "0s", "5h", "99999999999s"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn metadata_that_cannot_be_sent_is_refused_before_the_call() {
        assert_eq!(header("Tenant=a=b"), Ok(("tenant".to_owned(), "a=b".to_owned())));
        for wrong in ["tenant", "=x", "a b=c", "a=b\nc"] {
            assert!(header(wrong).is_err(), "{wrong:?}");
        }
    }
}
