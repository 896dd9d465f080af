//! Opening the user's browser.

use std::process::{Command, Stdio};

use url::Url;

use super::ConsentError;

/// Shows the URL in the user's browser. No shell is between, so nothing in the URL can be a command.
pub(super) fn open(url: &Url) -> Result<(), ConsentError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(ConsentError::NoBrowser);
    }
    let (program, before): (_, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else {
        ("xdg-open", &[])
    };
    let mut command = Command::new(program);
    command.args(before).arg(url.as_str()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|_| ConsentError::NoBrowser)?;
    // The program ends when the browser has the URL; somebody must see it end.
    std::thread::spawn(move || child.wait());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_are_opened() {
        for url in ["file:///etc/passwd", "javascript:alert(1)", "ms-settings:", "data:text/html,x"] {
            assert_eq!(open(&Url::parse(url).unwrap()), Err(ConsentError::NoBrowser), "{url}");
        }
    }
}
