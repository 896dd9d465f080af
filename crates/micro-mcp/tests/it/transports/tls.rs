//! `https:` and `wss:`: a client trusts whom its system trusts, and nobody else.

use std::{env, net::SocketAddr, path::Path, process::exit, sync::Arc, time::Duration};

use micro_mcp::client::{Client, Error};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    process::Command,
    runtime::Runtime,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivatePkcs8KeyDer},
};

use super::ways::{Place, Way};

/// Makes this program the client of that address, for what a system trusts is read from its environment.
const ADDRESS: &str = "MICRO_TEST_TLS_ADDRESS";
const NOT_TRUSTED: i32 = 77;

#[test]
fn encrypted_ways_trust_what_the_system_trusts_and_nobody_else() {
    let runtime = Runtime::new().unwrap();
    match env::var(ADDRESS) {
        Ok(address) => exit(runtime.block_on(be_client(&address))),
        Err(_) => runtime.block_on(be_server()),
    }
}

async fn be_client(address: &str) -> i32 {
    match Client::connect(address).await {
        Ok(client) => {
            let sum: Value = client.call("add").args(&json!({ "a": 1, "b": 2 })).json().await.unwrap();
            i32::from(sum["sum"] != 3)
        }
        Err(Error::Unreachable(_)) => NOT_TRUSTED,
        Err(error) => panic!("{error:?}"),
    }
}

async fn be_server() {
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    let acceptor = certified(&authority);
    let nobody = folder.path().join("nobody.pem");
    certified(&nobody); // another authority
    for (way, scheme) in [(Way::Http, "https"), (Way::WebSocket, "wss")] {
        let place = Place::open(way).await;
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("{scheme}://{}/mcp", door.local_addr().unwrap());
        let serving = tokio::spawn(lead_to(place.address, door, acceptor.clone()));
        for (trusted, expected) in [(&authority, 0), (&nobody, NOT_TRUSTED)] {
            let status = client_of(&address, trusted).await;
            assert_eq!(status, Some(expected), "{address} trusting {}", trusted.display());
        }
        serving.abort();
    }
}

/// Runs this program as a client that trusts one authority.
async fn client_of(address: &str, authority: &Path) -> Option<i32> {
    let mut client = Command::new(env::current_exe().unwrap());
    let test = "transports::tls::encrypted_ways_trust_what_the_system_trusts_and_nobody_else";
    client.args(["--exact", test]).env(ADDRESS, address);
    client.env("SSL_CERT_FILE", authority).env_remove("SSL_CERT_DIR").kill_on_drop(true);
    let ended = tokio::time::timeout(Duration::from_secs(60), client.status());
    ended.await.expect("it ends in time").unwrap().code()
}

/// A new authority, written where it is told, and whoever shows a certificate of its for this machine.
fn certified(authority: &Path) -> TlsAcceptor {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    std::fs::write(authority, params.self_signed(&key).unwrap().pem()).unwrap();
    let (issuer, key) = (Issuer::new(params, key), KeyPair::generate().unwrap());
    let leaf = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![leaf.into()], key.into());
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

async fn lead_to(behind: SocketAddr, door: TcpListener, acceptor: TlsAcceptor) {
    while let Ok((near, _)) = door.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            if let (Ok(mut near), Ok(mut far)) = (acceptor.accept(near).await, TcpStream::connect(behind).await) {
                let _ = copy_bidirectional(&mut near, &mut far).await;
            }
        });
    }
}
