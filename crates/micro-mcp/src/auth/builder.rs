//! Choosing how a client gets its tokens.

use std::sync::Arc;

use url::Url;

use super::{
    Inner, OAuth,
    consent::Consent,
    dpop::Dpop,
    error::{Document, Error},
    fetch::{Fetch, Switches},
    grants::{Grant, IdentityProvider, SubjectToken, User},
    registration::KnownClient,
    scopes::Scopes,
    store::{CredentialStore, MemoryStore},
    vault::Vault,
};

/// What [`OAuth`] is made of. Everything has a default but the server and on whose behalf it is called.
#[derive(Debug)]
pub struct Builder {
    server: String,
    account: String,
    grant: Grant,
    client_url: Option<String>,
    store: Option<StoreSlot>,
    scopes: Option<Scopes>,
    offline: bool,
    dpop: Dpop,
    private_addresses: bool,
    plain_http: bool,
    system_proxy: bool,
}

/// A store has no `Debug` to offer.
struct StoreSlot(Arc<dyn CredentialStore>);

impl std::fmt::Debug for StoreSlot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl Builder {
    fn new(server: String, grant: Grant) -> Self {
        Self {
            server,
            account: String::new(),
            grant,
            client_url: None,
            store: None,
            scopes: None,
            offline: true,
            dpop: Dpop::Auto,
            private_addresses: false,
            plain_http: false,
            system_proxy: false,
        }
    }

    /// How the user is asked; [`Consent::browser`] if nothing is said. Only for a user's grant.
    #[must_use]
    pub fn consent(mut self, consent: Consent) -> Self {
        if let Grant::User(user) = &mut self.grant {
            user.consent = consent;
        }
        self
    }

    /// The client's name, as the user reads it; `MCP client` if nothing is said. Only for a user's grant.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        if let Grant::User(user) = &mut self.grant {
            user.name = name.into();
        }
        self
    }

    /// A client that was registered beforehand: the first choice where its issuer is met. Only for a user's grant,
    /// the others have one already.
    #[must_use]
    pub fn known_client(mut self, client: KnownClient) -> Self {
        if let Grant::User(user) = &mut self.grant {
            user.client = Some(client);
        }
        self
    }

    /// Where the client's metadata document is (an https URL with a path): the second choice, where the authorization
    /// server reads such documents. The document's `redirect_uris` must allow what [`Self::consent`] uses.
    #[must_use]
    pub fn client_metadata_url(mut self, url: impl Into<String>) -> Self {
        self.client_url = Some(url.into());
        self
    }

    /// Where registrations and tokens are kept; in memory if nothing is said.
    #[must_use]
    pub fn store(mut self, store: impl CredentialStore) -> Self {
        self.store = Some(StoreSlot(Arc::new(store)));
        self
    }

    /// Keeps this account's credentials apart from others in the same store.
    #[must_use]
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = account.into();
        self
    }

    /// Scopes to ask for, with blanks between them. Those that the server demands are asked for as well; without
    /// this, those of the server's first challenge, or else all that it knows.
    #[must_use]
    pub fn scopes(mut self, scopes: &str) -> Self {
        self.scopes = Some(Scopes::parse(scopes)).filter(|scopes| !scopes.is_empty());
        self
    }

    /// Asks for no refresh token (`offline_access`), even where the authorization server has it.
    #[must_use]
    pub fn online_only(mut self) -> Self {
        self.offline = false;
        self
    }

    /// Whether tokens are bound to a key of this client.
    ///
    /// ```
    /// use micro_mcp::auth::{Dpop, OAuth};
    ///
    /// let user = OAuth::for_user("https://mcp.example/mcp").dpop(Dpop::Always).build()?;
    /// # Ok::<(), micro_mcp::auth::Error>(())
    /// ```
    #[must_use]
    pub fn dpop(mut self, dpop: Dpop) -> Self {
        self.dpop = dpop;
        self
    }

    /// Lets a server name addresses that are more private than its own: this machine and private networks.
    #[must_use]
    pub fn allow_private_addresses(mut self) -> Self {
        self.private_addresses = true;
        self
    }

    /// Lets a server name addresses without TLS on other machines. For tests.
    #[must_use]
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Goes through the system's HTTP proxy. What names resolve to is then up to the proxy and its rules.
    #[must_use]
    pub fn use_system_proxy(mut self) -> Self {
        self.system_proxy = true;
        self
    }

    /// Checks it all and makes the credentials. Nothing is asked yet.
    ///
    /// # Errors
    /// When the server's URL or the metadata URL is none, or TLS cannot be set up.
    pub fn build(mut self) -> Result<OAuth, Error> {
        let server = Url::parse(&self.server).map_err(|_| Error::Server)?;
        if let Some(text) = &self.client_url {
            let url = Url::parse(text).map_err(|_| Error::ClientUrl)?;
            if url.scheme() != "https" || url.path() == "/" || url.fragment().is_some() || url.as_str() != text {
                return Err(Error::ClientUrl);
            }
            if let Grant::User(user) = &mut self.grant {
                user.client_url = Some(url);
            }
        }
        let switches =
            Switches { private: self.private_addresses, plain_http: self.plain_http, proxy: self.system_proxy };
        let fetch = Fetch::new(&server, switches)
            .map_err(|error| Error::Unreachable(Document::AuthorizationServer, Some(error)))?;
        let store = self.store.map_or_else(|| Arc::new(MemoryStore::new()) as Arc<dyn CredentialStore>, |slot| slot.0);
        Ok(OAuth(Arc::new(Inner {
            vault: Vault::new(store, self.account, server.as_str().to_owned()),
            server,
            fetch,
            grant: self.grant,
            scopes: self.scopes,
            offline: self.offline,
            dpop: self.dpop,
            current: Default::default(),
            flow: Default::default(),
        })))
    }
}

impl OAuth {
    /// On behalf of a user, who is asked when the server wants a token: `OAuth::for_user(url).build()?` opens the
    /// browser, registers where it must, and refreshes.
    ///
    /// ```no_run
    /// use micro_mcp::{auth::OAuth, client::Client};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let url = "https://mcp.example/mcp";
    /// let user = OAuth::for_user(url).name("Notes").build()?;
    /// let client = Client::builder().credentials(user).connect(url).await?; // opens the browser when the server asks
    /// # Ok(())
    /// # }
    /// ```
    pub fn for_user(server: impl Into<String>) -> Builder {
        let name = "MCP client".to_owned();
        Builder::new(
            server.into(),
            Grant::User(User { consent: Consent::browser(), name, client: None, client_url: None }),
        )
    }

    /// On behalf of the client itself (client credentials): a secret, or a key for `private_key_jwt`.
    ///
    /// ```
    /// use micro_mcp::auth::{KnownClient, OAuth};
    ///
    /// let client = KnownClient::with_secret("reporter", "s3cret").at("https://login.example");
    /// let machine = OAuth::for_machine("https://mcp.example/mcp", client).scopes("reports:read").build()?;
    /// # Ok::<(), micro_mcp::auth::Error>(())
    /// ```
    pub fn for_machine(server: impl Into<String>, client: KnownClient) -> Builder {
        Builder::new(server.into(), Grant::Machine(client))
    }

    /// On behalf of a workload that has a token of its platform (JWT bearer grant, RFC 7523 section 2.1).
    ///
    /// ```
    /// use micro_mcp::auth::{KnownClient, OAuth, SubjectToken};
    ///
    /// let token = SubjectToken::file("/var/run/secrets/tokens/mcp"); // read anew each time
    /// let workload = OAuth::for_workload("https://mcp.example/mcp", KnownClient::public("reporter"), token).build()?;
    /// # Ok::<(), micro_mcp::auth::Error>(())
    /// ```
    pub fn for_workload(server: impl Into<String>, client: KnownClient, token: SubjectToken) -> Builder {
        Builder::new(server.into(), Grant::Workload(client, token))
    }

    /// On behalf of a user whose company's identity provider decides (enterprise-managed authorization): the user's ID
    /// token becomes an ID-JAG there, and that a token at the authorization server, which knows the client as `client`.
    ///
    /// ```
    /// use micro_mcp::auth::{IdentityProvider, KnownClient, OAuth, SubjectToken};
    ///
    /// # fn id_token() -> String { "ey…".into() }
    /// let login = SubjectToken::fixed(id_token());
    /// let provider = IdentityProvider::new("https://idp.example", KnownClient::public("at-the-provider"), login);
    /// let client = KnownClient::with_secret("at-the-server", "s3cret");
    /// let employee = OAuth::for_enterprise("https://mcp.example/mcp", client, provider).build()?;
    /// # Ok::<(), micro_mcp::auth::Error>(())
    /// ```
    pub fn for_enterprise(server: impl Into<String>, client: KnownClient, provider: IdentityProvider) -> Builder {
        Builder::new(server.into(), Grant::Enterprise(client, provider))
    }
}
