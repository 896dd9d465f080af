//! Documents at addresses that strangers name, for authorization servers: the metadata of clients whose name is a URL
//! (draft-ietf-oauth-client-id-metadata-document).

use bytes::Bytes;
use url::Url;

use super::{
    error::{Document, Error},
    fetch::{Fetch, Switches},
};

/// Reads documents for a server. Asks public addresses, and those no more private than the server's own; by https, or
/// http on this machine; not for long and not for much. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Documents(Fetch);

impl Documents {
    /// Reads for the server at this address.
    ///
    /// # Errors
    /// [`Error::Malformed`] when this program cannot do TLS.
    pub fn new(server: &Url) -> Result<Self, Error> {
        Fetch::new(server, Switches::default()).map(Self).map_err(|_| Error::Malformed(Document::Client))
    }

    /// The document at this very address: redirects are not followed. `None` when there is none.
    ///
    /// # Errors
    /// [`Error::Blocked`] when the address must not be asked, else why it could not be.
    pub async fn get(&self, url: &Url) -> Result<Option<Bytes>, Error> {
        self.0.at(Document::Client, url).await
    }
}
