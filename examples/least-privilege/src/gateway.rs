//! Tokens: of a program, of a user, and for what the user asked.

use anyhow::{Context, Result, bail};
use micro_mcp::{
    auth::{Consent, OAuth},
    client::Client,
};
use serde::Deserialize;
use serde_json::Value;

use crate::{agent::Agent, browser};

/// The gateway, which is the authorization server too.
pub(crate) struct Gateway {
    url: String,
    http: reqwest::Client,
}

/// What a token endpoint gives.
#[derive(Deserialize)]
pub(crate) struct Token {
    pub(crate) access_token: String,
    /// The name of the intent, which every record of a call with this token has.
    #[serde(default)]
    pub(crate) intent: String,
}

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

impl Gateway {
    pub(crate) fn new(url: &str) -> Self {
        Self { url: url.trim_end_matches('/').to_owned(), http: reqwest::Client::new() }
    }

    /// A program's own token.
    pub(crate) async fn machine(&self, id: &str) -> Result<String> {
        let secret = format!("the secret of the {id}");
        let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", &secret)];
        Ok(self.token(&form).await?.access_token)
    }

    /// A user's token. The client finds the authorization server, registers there and asks the user, as any MCP client
    /// would; only the browser is played.
    pub(crate) async fn sign_in(&self, user: &'static str, password: &'static str) -> Result<String> {
        let mcp = format!("{}/mcp", self.url);
        let consent =
            Consent::callback(browser::BACK, move |page| async move { browser::agree(page, user, password).await });
        let oauth =
            OAuth::for_user(&mcp).name("Chat").scopes("blog:read blog:write blog:admin").consent(consent).build()?;
        let client = Client::builder().credentials(oauth.clone()).connect(&mcp).await?;
        println!("  {user:<10} may call {} tools", client.tools().await?.len());
        Ok(oauth.access_token().await?.context("the gateway gives bearer tokens")?.expose().to_owned())
    }

    /// A token for what was asked, in exchange for one that can do more (RFC 8693). `actor` shows who will act with it, if
    /// that is somebody else than whose it is.
    pub(crate) async fn exchange(&self, subject: &str, actor: Option<&str>, asked: &[(&str, &str)]) -> Result<Token> {
        let mut form = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", subject),
            ("subject_token_type", ACCESS_TOKEN),
        ];
        form.extend(actor.iter().flat_map(|actor| [("actor_token", *actor), ("actor_token_type", ACCESS_TOKEN)]));
        form.extend(asked);
        self.token(&form).await
    }

    async fn token(&self, form: &[(&str, &str)]) -> Result<Token> {
        let response = self.http.post(format!("{}/oauth/token", self.url)).form(form).send().await?;
        let is_given = response.status().is_success();
        let body = response.bytes().await?;
        if !is_given {
            let refused: Value = serde_json::from_slice(&body)?;
            bail!("refused: {}", refused["error_description"].as_str().unwrap_or("without a reason"));
        }
        Ok(serde_json::from_slice(&body)?)
    }

    /// Somebody who calls tools with a token.
    pub(crate) async fn agent(&self, name: &'static str, token: &str) -> Result<Agent> {
        let client = Client::builder().bearer(token)?.connect(&format!("{}/mcp", self.url)).await?;
        let agent = Agent { name, client };
        agent.tools().await?;
        Ok(agent)
    }
}
