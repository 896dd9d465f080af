//! JSON that people give to commands.

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
