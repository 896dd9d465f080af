//! The keys that sign tokens: in the store, shared by all who share it, taking turns.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwapOption;
use aws_lc_rs::{rand::SystemRandom, signature};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use micro_policy::{
    KeySet,
    oauth::{Claims, KeyAction, KeySchedule, SigningKey},
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::{
    Failure, LONGEST,
    records::{Kept, Records, now, random},
};

/// Where the ring is.
const RING: &str = "oauth/keys";

/// How old what is known of the ring may be. Far less than a key's lead, so that nobody meets a key it has not seen.
const FRESH: Duration = Duration::from_secs(60);

/// A key signs for 30 days and is published ten minutes before.
const SCHEDULE: KeySchedule = KeySchedule { turn: 30 * 24 * 3600, lead: 600, tail: LONGEST.as_secs() };

/// What is kept: keys, the oldest first, and the secret that consent pages are bound with.
#[derive(Serialize, Deserialize)]
struct Ring {
    keys: Vec<SigningKey>,
    pages: String,
}

/// The keys as they are used.
pub(crate) struct Keys {
    records: Records,
    current: ArcSwapOption<Current>,
    /// One reads the store at a time.
    reading: Mutex<()>,
}

/// What was last read of the ring.
pub(crate) struct Current {
    read: Instant,
    signer: (String, EncodingKey),
    /// The public halves, as `/oauth/jwks` shows them.
    pub(crate) jwks: String,
    /// The same, to check tokens with.
    pub(crate) public: KeySet,
    /// What consent pages are bound with.
    pub(crate) pages: aws_lc_rs::hmac::Key,
}

impl Keys {
    pub(crate) fn new(records: Records) -> Self {
        Self { records, current: ArcSwapOption::empty(), reading: Mutex::new(()) }
    }

    /// The keys of this minute.
    pub(crate) async fn current(&self) -> Result<Arc<Current>, Failure> {
        let fresh = || self.current.load_full().filter(|current| current.read.elapsed() < FRESH);
        if let Some(current) = fresh() {
            return Ok(current);
        }
        let _one = self.reading.lock().await;
        if let Some(current) = fresh() {
            return Ok(current);
        }
        let current = Arc::new(Current::new(&self.ring().await?)?);
        self.current.store(Some(current.clone()));
        Ok(current)
    }

    /// The ring as it must be now. Of several who change it, one does, and the others read what came of it.
    async fn ring(&self) -> Result<Ring, Failure> {
        loop {
            let kept: Option<Kept<Ring>> = self.records.get(RING).await?;
            let Some(kept) = kept else {
                let first = Ring { keys: vec![generate(now())?], pages: random::<32>() };
                self.records.create(RING, &first, None).await?;
                continue;
            };
            let mut keys = kept.value.keys.clone();
            let now = now();
            match SCHEDULE.action(&keys, now) {
                KeyAction::Keep => return Ok(kept.value),
                KeyAction::Add => keys.push(generate(now)?),
                KeyAction::DropOldest => drop(keys.remove(0)),
            }
            let ring = Ring { keys, pages: kept.value.pages.clone() };
            self.records.replace(RING, &kept, &ring, None).await?;
        }
    }
}

impl Current {
    fn new(ring: &Ring) -> Result<Self, Failure> {
        let signer = SCHEDULE.signer(&ring.keys, now()).ok_or(Failure::Internal)?;
        let mut jwks = Vec::new();
        for key in &ring.keys {
            let mut jwk = Jwk::from_encoding_key(&private(key)?, Algorithm::ES256).map_err(|_| Failure::Internal)?;
            jwk.common.key_id = Some(key.kid.clone());
            jwk.common.public_key_use = Some(jsonwebtoken::jwk::PublicKeyUse::Signature);
            jwks.push(jwk);
        }
        let jwks = serde_json::json!({ "keys": jwks }).to_string();
        Ok(Self {
            read: Instant::now(),
            signer: (signer.kid.clone(), private(signer)?),
            public: KeySet::parse(jwks.as_bytes()).map_err(|_| Failure::Internal)?,
            jwks,
            pages: aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, ring.pages.as_bytes()),
        })
    }

    /// An access token (RFC 9068 §2).
    pub(crate) fn sign(&self, claims: &Claims) -> Result<String, Failure> {
        let (kid, key) = &self.signer;
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(kid.clone());
        encode(&header, claims, key).map_err(|_| Failure::Internal)
    }
}

fn private(key: &SigningKey) -> Result<EncodingKey, Failure> {
    let der = URL_SAFE_NO_PAD.decode(&key.pkcs8).map_err(|_| Failure::Internal)?;
    Ok(EncodingKey::from_ec_der(&der))
}

/// A fresh key (P-256).
fn generate(created: u64) -> Result<SigningKey, Failure> {
    let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
    let document = signature::EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new());
    let pkcs8 = URL_SAFE_NO_PAD.encode(document.map_err(|_| Failure::Internal)?.as_ref());
    Ok(SigningKey { kid: random::<8>(), created, pkcs8 })
}
