//! How the client gets its tokens in the suite's auth scenarios.

use anyhow::{Context, Result, bail};
use micro_mcp::auth::{Consent, ConsentError, IdentityProvider, KnownClient, OAuth, SubjectToken};
use reqwest::{Url, header::LOCATION, redirect};
use serde::Deserialize;

/// The name of this client where authorization servers read metadata documents; the suite knows it.
const CLIENT_URL: &str = "https://conformance-test.local/client-metadata.json";

/// Where users are sent back to. Nobody listens: [`visit`] reads the redirect instead of following it.
const REDIRECT_URI: &str = "http://localhost:3000/callback";

/// What the suite tells about the client and its providers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Known {
    client_id: Option<String>,
    client_secret: Option<String>,
    private_key_pem: Option<String>,
    issuer: Option<String>,
    idp_client_id: Option<String>,
    idp_id_token: Option<String>,
    idp_issuer: Option<String>,
    valid_jwt: Option<String>,
}

/// Credentials for a scenario whose name begins with `auth/`.
pub(crate) fn credentials(url: &str, scenario: &str, known: &Known) -> Result<OAuth> {
    let builder = match scenario {
        "auth/client-credentials-basic" | "auth/client-credentials-jwt" => OAuth::for_machine(url, known.client()?),
        "auth/wif-jwt-bearer" => {
            let token = known.valid_jwt.clone().context("the context has a token of the workload")?;
            OAuth::for_workload(url, known.client()?, SubjectToken::fixed(token))
        }
        "auth/enterprise-managed-authorization" => {
            let missing = "the context knows the identity provider";
            let client = KnownClient::public(known.idp_client_id.clone().context(missing)?);
            let token = SubjectToken::fixed(known.idp_id_token.clone().context(missing)?);
            let provider = IdentityProvider::new(known.idp_issuer.clone().context(missing)?, client, token);
            OAuth::for_enterprise(url, known.client()?, provider)
        }
        _ => {
            let user = OAuth::for_user(url)
                .name("everything-client")
                .client_metadata_url(CLIENT_URL)
                .consent(Consent::callback(REDIRECT_URI, visit));
            if known.client_id.is_some() { user.known_client(known.client()?) } else { user }
        }
    };
    Ok(builder.build()?)
}

impl Known {
    /// The client as it was registered beforehand.
    fn client(&self) -> Result<KnownClient> {
        let Some(id) = self.client_id.clone() else { bail!("the context names the client") };
        let client = match (&self.client_secret, &self.private_key_pem) {
            (Some(secret), _) => KnownClient::with_secret(id, secret.as_str()),
            (None, Some(pem)) => KnownClient::with_key(id, pem)?,
            (None, None) => KnownClient::public(id),
        };
        Ok(match &self.issuer {
            Some(issuer) => client.at(issuer),
            None => client,
        })
    }
}

/// A user who agrees at once, with a browser that stops where it would be sent back to the client.
async fn visit(url: Url) -> Result<Url, ConsentError> {
    let redirected = async {
        let browser = reqwest::Client::builder().redirect(redirect::Policy::none()).build().ok()?;
        let response = browser.get(url).send().await.ok()?;
        Url::parse(response.headers().get(LOCATION)?.to_str().ok()?).ok()
    };
    redirected.await.ok_or(ConsentError::Declined)
}
