//! TLS, and clients that show certificates.

use std::{fs, path::Path, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use micro::Drain;
use micro_gateway::Config;
use micro_registry::MemoryRegistry;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType};
use reqwest::{Certificate, Client, Identity, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::issuers::Signer;
use crate::fixture::{serve, until};

/// Makes certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key, in PEM, and its digest.
struct Certified {
    certificate: String,
    key: String,
    digest: [u8; 32],
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn certify(&self, common_name: &str, names: Vec<SanType>) -> Certified {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.subject_alt_names = names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let digest = Sha256::digest(certificate.der()).into();
        Certified { certificate: certificate.pem(), key: key.serialize_pem(), digest }
    }

    fn agent(&self, common_name: &str, spiffe: Option<&str>) -> Certified {
        self.certify(common_name, spiffe.map(|id| SanType::URI(id.try_into().unwrap())).into_iter().collect())
    }
}

/// A gateway with TLS in front of `notes`.
struct Running {
    url: String,
    drain: Drain,
    server: Authority,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.drain.begin();
    }
}

async fn start(folder: &Path, clients: &Authority, more: &str) -> Running {
    let server = Authority::new();
    let own = server.certify("gateway", vec![SanType::IpAddress([127, 0, 0, 1].into())]);
    let write = |name: &str, text: &str| {
        fs::write(folder.join(name), text).unwrap();
        folder.join(name).display().to_string()
    };
    let (certificate, key) = (write("gateway.pem", &own.certificate), write("gateway.key", &own.key));
    let authority = write("clients.pem", &clients.pem);
    let mut config: Config = toml::from_str(&format!(
        r#"
        [tls]
        certificate = "{certificate}"
        key = "{key}"
        client_ca = "{authority}"
        [auth]
        mode = "on"
        {more}
        "#
    ))
    .unwrap();
    config.address = ([127, 0, 0, 1], 0).into();
    let (registry, drain) = (MemoryRegistry::default(), Drain::new());
    serve(&registry, "notes", drain.clone());
    let gateway = config.build(Arc::new(registry)).await.unwrap();
    assert_eq!((gateway.scheme(), gateway.generated_token()), ("https", None));
    until(&gateway.catalog(), |tools| tools > 0).await;
    let url = format!("https://{}", gateway.address());
    tokio::spawn(gateway.run(drain.clone()));
    Running { url, drain, server }
}

impl Running {
    fn client(&self, shown: Option<&Certified>) -> Client {
        let root = Certificate::from_pem(self.server.pem.as_bytes()).unwrap();
        let client = Client::builder().tls_certs_only([root]).no_proxy();
        let pem = shown.map(|shown| format!("{}{}", shown.certificate, shown.key));
        match pem {
            Some(pem) => client.identity(Identity::from_pem(pem.as_bytes()).unwrap()).build().unwrap(),
            None => client.build().unwrap(),
        }
    }

    /// Calls `Keep`: the status and the text.
    async fn keep(&self, client: &Client, token: Option<&str>) -> (u16, String) {
        let request = client.post(format!("{}/api/notes/Notes.Keep", self.url)).body(r#"{"text":"a"}"#);
        let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

const MAPPING: &str = r#"
[[auth.certificates]]
name = "spiffe://acme.example/agent/*"
scopes = ["notes:write"]
tenant = "acme"
[[auth.certificates]]
name = "batch"
account = "nightly"
scopes = ["notes:write"]
"#;

#[tokio::test]
async fn a_client_is_whom_its_certificate_names() {
    let (folder, clients) = (tempfile::tempdir().unwrap(), Authority::new());
    let gateway = start(folder.path(), &clients, MAPPING).await;
    for (shown, status, account) in [
        (Some(clients.agent("batch", Some("spiffe://acme.example/agent/7"))), 200, "spiffe://acme.example/agent/7"),
        (Some(clients.agent("batch", None)), 200, "nightly"),
        (Some(clients.agent("stranger", None)), 403, "stranger"),
        (Some(clients.agent("batch", Some("spiffe://acme.example/other"))), 403, "spiffe://acme.example/other"),
        (Some(clients.agent("spiffe://acme.example/agent/7", None)), 401, ""),
        (None, 401, ""),
    ] {
        let client = gateway.client(shown.as_ref());
        let (given, text) = gateway.keep(&client, None).await;
        assert_eq!(given, status, "{account}: {text}");
        if status != 401 {
            let answer = client.post(format!("{}/api/notes/Notes.Whoami", gateway.url)).send().await.unwrap();
            let pairs: Vec<(String, String)> = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            let named = pairs.iter().find(|(key, _)| key == "mcp-account-id").map(|(_, name)| name.as_str());
            assert_eq!(named, Some(account));
        }
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_does_not_connect() {
    let (folder, clients) = (tempfile::tempdir().unwrap(), Authority::new());
    let gateway = start(folder.path(), &clients, MAPPING).await;
    let forged = Authority::new().agent("batch", Some("spiffe://acme.example/agent/7"));
    let sent = gateway.client(Some(&forged)).get(format!("{}/health", gateway.url)).send().await;
    assert!(sent.is_err(), "{sent:?}");
    let health = gateway.client(None).get(format!("{}/health", gateway.url)).send().await.unwrap();
    assert_eq!(health.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_certificate_is_good_with_it_alone() {
    let (folder, clients) = (tempfile::tempdir().unwrap(), Authority::new());
    let (signer, issuer) = (Signer::new(), "https://login.example");
    fs::write(folder.path().join("keys.json"), json!({"keys": [signer.published()]}).to_string()).unwrap();
    let keys = folder.path().join("keys.json").display().to_string();
    let more = format!("[[auth.issuers]]\nissuer = \"{issuer}\"\naudience = [\"micro\"]\njwks_file = \"{keys}\"");
    let gateway = start(folder.path(), &clients, &more).await;
    let (holder, thief) = (clients.agent("holder", None), clients.agent("thief", None));
    let bound = |digest: &[u8; 32]| -> Value { json!({ "x5t#S256": URL_SAFE_NO_PAD.encode(digest) }) };
    let claims = json!({
        "iss": issuer, "aud": "micro", "sub": "alice", "scope": "notes:write", "exp": 4_000_000_000u32,
        "cnf": bound(&holder.digest),
    });
    let token = signer.sign(&json!({"alg": "ES256", "kid": "k"}), &claims);
    for (shown, status) in [(Some(&holder), 200), (Some(&thief), 401), (None, 401), (Some(&holder), 200)] {
        let (given, text) = gateway.keep(&gateway.client(shown), Some(&token)).await;
        assert_eq!(given, status, "{text}");
        assert_eq!(text.contains("bound to another key"), status == 401, "{text}");
    }
}

#[tokio::test]
async fn new_certificates_are_taken_without_a_restart() {
    let (folder, clients) = (tempfile::tempdir().unwrap(), Authority::new());
    let mut gateway = start(folder.path(), &clients, MAPPING).await;
    let old = gateway.client(None);
    let next = Authority::new();
    let own = next.certify("gateway", vec![SanType::IpAddress([127, 0, 0, 1].into())]);
    fs::write(folder.path().join("gateway.key"), &own.key).unwrap();
    fs::write(folder.path().join("gateway.pem"), &own.certificate).unwrap();
    gateway.server = next;
    let health = format!("{}/health", gateway.url);
    let taken = async {
        while gateway.client(None).get(&health).send().await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await; // between two looks
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), taken).await.expect("the new certificate is shown");
    assert!(old.get(&health).send().await.is_err(), "the old authority is not believed any more");
}
