//! TLS for the accept loop: the server's certificate, and those of clients where an authority for them is named.

use std::{
    io,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;
use tokio::{net::TcpStream, time::Instant};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::WebPkiClientVerifier,
    },
    server::TlsStream,
};

/// How long a client may take to shake hands.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(5);

/// Whose certificate a listener shows, and whose it takes. All files are PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The listener's certificate, and those between it and a root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authorities whose client certificates are taken; without it none is asked for.
    pub client_authority: Option<PathBuf>,
    /// Whether a client without a certificate is turned away.
    pub client_required: bool,
}

/// TLS on a listener. Clones are the same.
///
/// New files are taken as they come: certificates that live for an hour need no restart.
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    files: TlsFiles,
    current: Mutex<Current>,
}

struct Current {
    config: Arc<ServerConfig>,
    written: Vec<SystemTime>,
    looked: Instant,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or has not what it is named for.
    #[error("cannot use {0}")]
    File(PathBuf, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// Certificate and key do not fit.
    #[error("the certificate and the key cannot be used together")]
    Config(#[source] tokio_rustls::rustls::Error),
}

/// The certificate of the client at the other end, in DER, checked against the listener's authorities. Handlers find it
/// in the request's extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate(pub Arc<[u8]>);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tls").field(&self.0.files).finish()
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// When one is missing, or they do not fit together.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let current = Current { config: files.read()?, written: files.written(), looked: Instant::now() };
        Ok(Self(Arc::new(Shared { files, current: Mutex::new(current) })))
    }

    /// Shakes hands, and says whose certificate the client has shown.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
    ) -> io::Result<(TlsStream<TcpStream>, Option<ClientCertificate>)> {
        let acceptor = TlsAcceptor::from(self.config());
        let stream = tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await??;
        let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let certificate = shown.map(|der| ClientCertificate(der.as_ref().into()));
        Ok((stream, certificate))
    }

    /// What the files say now. Files that are being written are taken when they are whole.
    fn config(&self) -> Arc<ServerConfig> {
        let mut current = self.0.current.lock();
        if current.looked.elapsed() >= EVERY {
            current.looked = Instant::now();
            let written = self.0.files.written();
            if written != current.written {
                match self.0.files.read() {
                    Ok(config) => {
                        (current.config, current.written) = (config, written);
                        tracing::info!(certificate = %self.0.files.certificate.display(), "certificates read again");
                    }
                    Err(error) => tracing::warn!(%error, "new certificates cannot be used; the old ones stay"),
                }
            }
        }
        current.config.clone()
    }
}

impl TlsFiles {
    fn all(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.certificate, &self.key].into_iter().chain(&self.client_authority)
    }

    fn written(&self) -> Vec<SystemTime> {
        self.all().filter_map(|path| path.metadata().ok()?.modified().ok()).collect()
    }

    fn read(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let failed = |path: &PathBuf| {
            let path = path.clone();
            move |error: Box<dyn std::error::Error + Send + Sync>| TlsError::File(path, error)
        };
        let certificates = |path: &PathBuf| -> Result<Vec<CertificateDer<'static>>, TlsError> {
            let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            let read = read.map_err(Into::into).map_err(failed(path))?;
            if read.is_empty() { Err(failed(path)("there is no certificate in it".into())) } else { Ok(read) }
        };
        let chain = certificates(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(Into::into).map_err(failed(&self.key))?;
        let config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Config)?;
        let config = match &self.client_authority {
            None => config.with_no_client_auth(),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for authority in certificates(path)? {
                    roots.add(authority).map_err(Into::into).map_err(failed(path))?;
                }
                let mut verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                if !self.client_required {
                    verifier = verifier.allow_unauthenticated();
                }
                config.with_client_cert_verifier(verifier.build().map_err(Into::into).map_err(failed(path))?)
            }
        };
        let mut config = config.with_single_cert(chain, key).map_err(TlsError::Config)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}
