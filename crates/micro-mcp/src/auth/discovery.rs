//! From a server that refuses to an authorization server that helps.

use url::Url;

use super::{
    challenge::Challenge,
    error::{Document, Error},
    fetch::Fetch,
    metadata::{ResourceMetadata, ServerMetadata, resource_metadata_urls, server_metadata_urls},
    scopes::Scopes,
};

/// What was found out about a server.
#[derive(Debug)]
pub(crate) struct Found {
    /// What tokens are asked for (RFC 8707): as published, else the server's URL.
    pub(crate) resource: String,
    /// Scopes that the resource knows.
    pub(crate) scopes: Option<Scopes>,
    /// Whether the resource takes DPoP.
    pub(crate) dpop: bool,
    /// Its authorization server.
    pub(crate) server: ServerMetadata,
    /// Whether nobody published where the authorization server is (MCP 2025-03-26).
    pub(crate) legacy: bool,
}

/// Finds the authorization server of an MCP server. Of several, the first that `prefer` names is taken.
pub(crate) async fn discover(
    fetch: &Fetch,
    server: &Url,
    challenge: Option<&Challenge>,
    prefer: &[&str],
) -> Result<Found, Error> {
    let bound = challenge.is_some_and(|challenge| challenge.is("DPoP"));
    let Some(metadata) = resource(fetch, server, challenge).await? else {
        let origin = server.origin().ascii_serialization();
        let server_metadata = authorization_server(fetch, &origin, true).await?;
        let resource = canonical(server);
        return Ok(Found { resource, scopes: None, dpop: bound, server: server_metadata, legacy: true });
    };
    metadata.check(server)?;
    let offered = &metadata.authorization_servers;
    let issuer = prefer.iter().find_map(|issuer| offered.iter().find(|o| o == issuer)).unwrap_or(&offered[0]);
    let server = authorization_server(fetch, issuer, false).await?;
    let dpop = bound
        || metadata.dpop_bound_access_tokens_required
        || metadata.dpop_signing_alg_values_supported.iter().any(|alg| alg == "ES256");
    Ok(Found { resource: metadata.resource, scopes: metadata.scopes_supported, dpop, server, legacy: false })
}

/// The resource's metadata: where the challenge says, else for the server's path, else at the root.
async fn resource(
    fetch: &Fetch,
    server: &Url,
    challenge: Option<&Challenge>,
) -> Result<Option<ResourceMetadata>, Error> {
    let what = Document::ProtectedResource;
    if let Some(named) = challenge.and_then(Challenge::resource_metadata) {
        let url = fetch.url(what, named)?;
        let json = fetch.document(what, &url).await?.ok_or(Error::Malformed(what))?;
        return ResourceMetadata::parse(&json).map(Some);
    }
    for url in resource_metadata_urls(server) {
        if let Some(json) = fetch.document(what, &url).await? {
            return ResourceMetadata::parse(&json).map(Some);
        }
    }
    Ok(None)
}

/// The metadata of an issuer. With `legacy` the issuer was guessed from the server's address, and when it publishes
/// nothing its endpoints are guessed too.
pub(crate) async fn authorization_server(fetch: &Fetch, issuer: &str, legacy: bool) -> Result<ServerMetadata, Error> {
    let what = Document::AuthorizationServer;
    let url = fetch.url(Document::ProtectedResource, issuer)?;
    for url in server_metadata_urls(&url) {
        let Some(json) = fetch.document(what, &url).await? else { continue };
        let metadata = ServerMetadata::parse(&json)?;
        // A guessed issuer has no spelling of its own; with or without the last slash it is the same guess.
        let guessed = legacy && metadata.issuer.strip_suffix('/') == Some(issuer);
        if !guessed {
            metadata.check(issuer)?;
        }
        return Ok(metadata);
    }
    if legacy { Ok(ServerMetadata::fallback(issuer)) } else { Err(Error::NoMetadata) }
}

/// A server's URL as the name of a resource: without fragment, and without a slash that says nothing.
fn canonical(server: &Url) -> String {
    let mut url = server.clone();
    url.set_fragment(None);
    let text = url.as_str();
    if url.query().is_none() { text.trim_end_matches('/').to_owned() } else { text.to_owned() }
}
