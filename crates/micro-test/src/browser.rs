//! A browser without a window: shows a page, fills in its form, and says where that leads.

use anyhow::{Context, Result, ensure};

use crate::http::{Response, request};

/// A page with a form on it, and the cookies that came with it.
#[derive(Debug)]
pub struct Page {
    origin: String,
    cookies: Vec<String>,
    /// What the form sends unless it is filled in otherwise.
    fields: Vec<(String, String)>,
    action: String,
}

impl Page {
    /// Goes to a URL.
    ///
    /// # Errors
    /// When there is no page with a form.
    pub fn open(url: &str) -> Result<Self> {
        let shown = request("GET", url, &[], &[])?;
        let html = shown.text();
        ensure!(shown.status() == 200, "no page but {}: {html}", shown.status());
        let path = url.find("://").and_then(|at| url[at + 3..].find('/').map(|slash| at + 3 + slash));
        let origin = url[..path.unwrap_or(url.len())].to_owned();
        let cookies = shown.head.headers.iter().filter(|(name, _)| name == "set-cookie");
        let cookies = cookies.map(|(_, value)| value.split(';').next().unwrap_or_default().to_owned()).collect();
        let form = html.split_once("<form").context("the page has no form")?.1;
        let form = form.split_once("</form>").context("the form has no end")?.0;
        let action = attribute(form, "action").context("the form leads nowhere")?;
        let inputs = form.split("<input").skip(1).map(|input| input.split_once('>').map_or(input, |(tag, _)| tag));
        let fields =
            inputs.filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value").unwrap_or_default())));
        Ok(Self { origin, cookies, fields: fields.collect(), action })
    }

    /// Fills these fields in and sends the form, as the button of this name and value does.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn send(&self, filled: &[(&str, &str)], button: (&str, &str)) -> Result<Response> {
        let mut body = String::new();
        let given = |name: &str| filled.iter().find(|(field, _)| *field == name).map(|(_, value)| *value);
        let fields = self.fields.iter().map(|(name, value)| (name.as_str(), given(name).unwrap_or(value)));
        for (name, value) in fields.chain([button]) {
            if !body.is_empty() {
                body.push('&');
            }
            body += &format!("{}={}", encoded(name), encoded(value));
        }
        let cookies = self.cookies.join("; ");
        let headers = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Origin", self.origin.as_str()),
            ("Sec-Fetch-Site", "same-origin"),
            ("Cookie", &cookies),
        ];
        request("POST", &format!("{}{}", self.origin, self.action), &headers, body.as_bytes())
    }
}

/// Where an answer sends the browser.
///
/// # Errors
/// When it sends it nowhere.
pub fn redirect(answer: &Response) -> Result<String> {
    let location = answer.head.header("location").map(str::to_owned);
    location.with_context(|| format!("no redirect but {}: {}", answer.status(), answer.text()))
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let from = tag.find(&format!("{name}=\""))? + name.len() + 2;
    let value = tag[from..].split('"').next()?;
    let text = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    Some(text.iter().fold(value.to_owned(), |value, (entity, c)| value.replace(entity, c)))
}

fn encoded(text: &str) -> String {
    let byte = |b: u8| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    };
    text.bytes().map(byte).collect()
}
