//! From an authorization server that is known to tokens in the hand.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{
    Inner,
    consent::Visit,
    discovery::{self, Found},
    dpop::{Dpop, Proofs},
    error::{ConsentError, Document, Error},
    grants::{self, Grant, User},
    metadata::ServerMetadata,
    pkce::{self, Pkce},
    registration::{ClientAuth, KnownClient, Request, register},
    scopes::Scopes,
    token::{Endpoint, Granted, Scheme, Tokens},
};

/// Tokens in use.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) tokens: Tokens,
    /// The key they are bound to.
    pub(crate) proofs: Option<Arc<Proofs>>,
    /// Whether they come from a refresh, rather than from a grant.
    refreshed: bool,
    /// Whether they are new and the server has not taken them yet.
    untried: AtomicBool,
}

impl Active {
    /// The server took them.
    pub(crate) fn accepted(&self) {
        if self.untried.load(Ordering::Relaxed) {
            self.untried.store(false, Ordering::Relaxed);
        }
    }

    /// Whether the server refuses what a grant has just given: another grant would give the same.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.untried.load(Ordering::Relaxed) && !self.refreshed
    }

    /// Whether a refresh may give something that the server takes. After one that did not, it will not.
    pub(crate) fn is_refreshable(&self) -> bool {
        self.tokens.refresh.is_some() && !self.untried.load(Ordering::Relaxed)
    }

    /// The same without a refresh token, which is of no more use.
    pub(crate) fn without_refresh(&self) -> Self {
        let tokens = Tokens { refresh: None, ..self.tokens.clone() };
        Self { tokens, proofs: self.proofs.clone(), refreshed: false, untried: AtomicBool::new(false) }
    }
}

type Form = Vec<(&'static str, String)>;

impl Inner {
    /// The tokens that were kept, as they were.
    pub(crate) async fn kept(&self) -> Result<Option<Active>, Error> {
        let Some(tokens) = self.vault.tokens().await? else { return Ok(None) };
        let proofs = match tokens.scheme {
            Scheme::Bearer => None,
            Scheme::Dpop => Some(Arc::new(self.vault.proofs(&tokens.issuer).await?)),
        };
        Ok(Some(Active { tokens, proofs, refreshed: false, untried: AtomicBool::new(false) }))
    }

    /// Gets tokens by the client's grant.
    pub(crate) async fn obtain(&self, found: &Found, scopes: Option<Scopes>) -> Result<Active, Error> {
        let issuer = &found.server.issuer;
        let bound = match self.dpop {
            Dpop::Never => false,
            Dpop::Always => true,
            Dpop::Auto => found.dpop && found.server.takes_dpop(),
        };
        let proofs = if bound { Some(Arc::new(self.vault.proofs(issuer).await?)) } else { None };
        let granted = match &self.grant {
            Grant::User(user) => self.ask_user(user, found, scopes.as_ref(), proofs.as_deref()).await?,
            grant @ (Grant::Machine(client) | Grant::Workload(client, _) | Grant::Enterprise(client, _)) => {
                if !self.knows(client, issuer).await? {
                    return Err(Error::Moved);
                }
                let client = ClientAuth::known(client, &found.server)?;
                let mut form = grants::parameters(&self.fetch, grant, found, scopes.as_ref()).await?;
                form.push(("resource", found.resource.clone()));
                form.extend(scopes.as_ref().map(|scopes| ("scope", scopes.to_string())));
                self.ask_endpoint(&found.server, &client, proofs.as_deref(), &form).await?
            }
        };
        let scheme = granted.scheme()?;
        if scheme == Scheme::Bearer && self.dpop == Dpop::Always {
            return Err(Error::NoDpop);
        }
        let tokens = Tokens {
            scheme,
            fresh_until: granted.fresh_until(),
            granted: granted.scopes().or_else(|| scopes.clone()),
            access: granted.access_token,
            refresh: granted.refresh_token,
            requested: scopes,
            resource: found.resource.clone(),
            issuer: issuer.clone(),
            legacy: found.legacy,
        };
        self.activate(tokens, proofs, false).await
    }

    /// Gets the next access token without the user (RFC 6749 section 6). The old refresh token goes on when the
    /// answer has no new one. `None` when the tokens are of no more use.
    pub(crate) async fn refresh(&self, active: &Active) -> Result<Option<Active>, Error> {
        // Another process with the same store may have been here: its refresh ended the old token.
        if let Some(kept) = self.newer_than(active).await? {
            return Ok(Some(kept));
        }
        let Some(refresh) = &active.tokens.refresh else { return Ok(None) };
        let old = &active.tokens;
        let server = discovery::authorization_server(&self.fetch, &old.issuer, old.legacy).await?;
        let Some(client) = self.present_client(&server).await? else { return Ok(None) };
        let form = vec![
            ("grant_type", "refresh_token".to_owned()),
            ("refresh_token", refresh.expose().to_owned()),
            ("resource", old.resource.clone()),
        ];
        let granted = match self.ask_endpoint(&server, &client, active.proofs.as_deref(), &form).await {
            Ok(granted) => granted,
            Err(error) if is_over(&error) => return self.newer_than(active).await,
            Err(error) => return Err(error),
        };
        let tokens = Tokens {
            scheme: granted.scheme()?,
            fresh_until: granted.fresh_until(),
            granted: granted.scopes().or_else(|| old.granted.clone()),
            access: granted.access_token,
            refresh: granted.refresh_token.or_else(|| old.refresh.clone()),
            ..old.clone()
        };
        if tokens.scheme == Scheme::Bearer && self.dpop == Dpop::Always {
            return Err(Error::NoDpop);
        }
        self.activate(tokens, active.proofs.clone(), true).await.map(Some)
    }

    /// Fresh tokens in the store that are others than these.
    async fn newer_than(&self, active: &Active) -> Result<Option<Active>, Error> {
        let kept = self.kept().await?;
        Ok(kept.filter(|kept| kept.tokens.access != active.tokens.access && kept.tokens.is_fresh()))
    }

    async fn activate(&self, tokens: Tokens, proofs: Option<Arc<Proofs>>, refreshed: bool) -> Result<Active, Error> {
        let proofs = match tokens.scheme {
            Scheme::Bearer => None,
            Scheme::Dpop => Some(proofs.ok_or(Error::Malformed(Document::Token))?),
        };
        self.vault.save_tokens(&tokens).await?;
        Ok(Active { tokens, proofs, refreshed, untried: AtomicBool::new(true) })
    }

    async fn ask_endpoint(
        &self,
        server: &ServerMetadata,
        client: &ClientAuth,
        proofs: Option<&Proofs>,
        form: &Form,
    ) -> Result<Granted, Error> {
        let url = self.fetch.url(Document::AuthorizationServer, &server.token_endpoint)?;
        let endpoint = Endpoint { fetch: &self.fetch, url, issuer: &server.issuer, client, proofs };
        Granted::parse(&endpoint.ask(form).await?)
    }

    /// Authorization code with PKCE (RFC 6749 section 4.1, RFC 7636).
    async fn ask_user(
        &self,
        user: &User,
        found: &Found,
        scopes: Option<&Scopes>,
        proofs: Option<&Proofs>,
    ) -> Result<Granted, Error> {
        found.server.authorization_endpoint()?; // before anybody hears of this client
        let visit = user.consent.prepare().await?;
        let redirect_uri = visit.redirect_uri().to_owned();
        let client = self.client_for(user, &found.server, &redirect_uri).await?;
        let granted = self.visit(visit, &client, found, scopes, proofs).await;
        if let Err(error) = &granted
            && is_strange(error)
        {
            self.vault.forget_registration(&found.server.issuer).await?;
        }
        granted
    }

    async fn visit(
        &self,
        visit: Visit,
        client: &ClientAuth,
        found: &Found,
        scopes: Option<&Scopes>,
        proofs: Option<&Proofs>,
    ) -> Result<Granted, Error> {
        let (server, pkce, state) = (&found.server, Pkce::new(), pkce::random());
        let redirect_uri = visit.redirect_uri().to_owned();
        let mut url = self.fetch.url(Document::AuthorizationServer, server.authorization_endpoint()?)?;
        let mut query: Form = vec![
            ("response_type", "code".to_owned()),
            ("client_id", client.id.clone()),
            ("redirect_uri", redirect_uri.clone()),
            ("code_challenge", pkce.challenge),
            ("code_challenge_method", "S256".to_owned()),
            ("state", state.clone()),
            ("resource", found.resource.clone()),
        ];
        if let Some(scopes) = scopes {
            query.push(("scope", scopes.to_string()));
            if scopes.contains("offline_access") {
                query.push(("prompt", "consent".to_owned())); // OpenID Connect section 11
            }
        }
        if let Some(proofs) = proofs {
            query.push(("dpop_jkt", proofs.thumbprint()?));
        }
        url.query_pairs_mut().extend_pairs(query);
        let redirect = visit.go(url, &state).await?;
        let code = redirect.code(&server.issuer, server.authorization_response_iss_parameter_supported)?;
        let form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", pkce.verifier.expose().to_owned()),
            ("resource", found.resource.clone()),
        ];
        self.ask_endpoint(server, client, proofs, &form).await
    }

    /// As whom the client asks: registered beforehand, named by a URL, registered by itself, in this order.
    async fn client_for(&self, user: &User, server: &ServerMetadata, redirect_uri: &str) -> Result<ClientAuth, Error> {
        if let Some(client) = self.standing_client(server).await? {
            return Ok(client);
        }
        if let Some(registration) = self.vault.registration(&server.issuer).await?
            && registration.serves(redirect_uri)
        {
            return ClientAuth::registered(registration, server);
        }
        let endpoint = server.registration_endpoint.as_deref().ok_or(Error::NotRegistered)?;
        let registration = register(&self.fetch, endpoint, &Request::new(&user.name, redirect_uri, server)).await?;
        self.vault.save_registration(&server.issuer, &registration).await?;
        ClientAuth::registered(registration, server)
    }

    /// The client as the server knows it already.
    async fn present_client(&self, server: &ServerMetadata) -> Result<Option<ClientAuth>, Error> {
        if let Some(client) = self.standing_client(server).await? {
            return Ok(Some(client));
        }
        let registration = self.vault.registration(&server.issuer).await?;
        registration.map(|registration| ClientAuth::registered(registration, server)).transpose()
    }

    /// The client that needs no registration: registered beforehand at this very issuer, or named by a URL.
    async fn standing_client(&self, server: &ServerMetadata) -> Result<Option<ClientAuth>, Error> {
        if let Some(client) = self.grant.known()
            && self.knows(client, &server.issuer).await?
        {
            return ClientAuth::known(client, server).map(Some);
        }
        match &self.grant {
            Grant::User(User { client_url: Some(url), .. }) if server.client_id_metadata_document_supported => {
                Ok(Some(ClientAuth::url(url)))
            }
            _ => Ok(None),
        }
    }

    /// Whether this issuer is the one that knows the client.
    async fn knows(&self, client: &KnownClient, issuer: &str) -> Result<bool, Error> {
        match &client.issuer {
            Some(named) => Ok(named == issuer),
            None => Ok(self.vault.bind(&client.id, issuer).await? == issuer),
        }
    }
}

/// Whether the refresh token is of no more use. What else goes wrong passes, or is not the token's fault.
fn is_over(error: &Error) -> bool {
    matches!(error, Error::Refused(_, code) if matches!(code.as_str(), "invalid_grant" | "invalid_client" | "unauthorized_client"))
}

/// Whether the server seems to have forgotten the client: it says so, or shows the user a page instead of going on.
fn is_strange(error: &Error) -> bool {
    match error {
        Error::Refused(_, code) => matches!(code.as_str(), "invalid_client" | "unauthorized_client"),
        Error::Consent(ConsentError::TimedOut) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::error::Code;

    #[test]
    fn only_a_refusal_of_the_token_or_its_client_ends_a_refresh_token() {
        for (error, over) in [
            (Error::Refused(Document::Token, Code::of("invalid_grant")), true),
            (Error::Refused(Document::Token, Code::of("invalid_client")), true),
            (Error::Refused(Document::Token, Code::of("unauthorized_client")), true),
            (Error::Refused(Document::Token, Code::of("temporarily_unavailable")), false),
            (Error::Refused(Document::Token, Code::of("server_error")), false),
            (Error::Refused(Document::Token, Code::of("rate_limited")), false),
            (Error::Malformed(Document::Token), false),
        ] {
            assert_eq!(is_over(&error), over, "{error}");
        }
    }
}
