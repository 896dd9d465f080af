//! Legacy sessions without a store: the id is a sealed token that says all there is to know.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use micro_mcp_proto::{ClientCapabilities, Id, LogLevel, Revision};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use crate::{KeyRing, Principal, ask::Pending, outlet::Outlet, seal::NONCE};

/// What `initialize` agreed on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Session {
    /// Which session; the nonce of its token.
    name: [u8; NONCE],
    pub(crate) revision: Revision,
    pub(crate) capabilities: ClientCapabilities,
    /// Unix seconds after which the id is unknown.
    expires: u64,
}

impl Session {
    /// The one session of a pipe, or what is assumed of a client that shows no id.
    pub(crate) fn local(revision: Revision, capabilities: ClientCapabilities) -> Self {
        Self { name: [0; NONCE], revision, capabilities, expires: u64::MAX }
    }

    /// Whether it is this one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.name == other.name
    }

    /// Whether its clients may be sent away before the answer, to come back for it (since 2025-11-25).
    pub(crate) fn polls(&self) -> bool {
        self.revision >= Revision::V2025_11_25
    }

    /// What tells it from others.
    pub(crate) fn name(&self) -> [u8; NONCE] {
        self.name
    }

    /// Whether it came out of a sealed id.
    pub(crate) fn is_sealed(&self) -> bool {
        self.expires != u64::MAX
    }
}

/// Seals and opens session ids, remembers which were ended, and which of their requests run.
pub(crate) struct Sessions {
    keys: KeyRing,
    ttl: Duration,
    /// Questions to clients that wait for answers.
    pub(crate) asks: Arc<Pending>,
    /// By the first byte of a session's name, so that no lock is everyone's.
    shards: [Mutex<Shard>; 16],
}

#[derive(Default)]
struct Shard {
    /// Ended sessions until they would have expired.
    ended: HashMap<[u8; NONCE], u64>,
    running: HashMap<([u8; NONCE], Box<str>), Arc<Outlet>>,
    /// What `logging/setLevel` asked for. Forgotten by a restart or by too many others: the default
    /// then applies again.
    levels: HashMap<[u8; NONCE], LogLevel>,
    /// The resources that `resources/subscribe` named, and when the session expires.
    watched: HashMap<[u8; NONCE], (u64, HashSet<Box<str>>)>,
}

/// Bytes of a sealed session: format, issued, expires, revision, capabilities, digest of the subject.
const SEALED: usize = 1 + 8 + 8 + 1 + 1 + 16;
const FORMAT: u8 = 1;
const PURPOSE: &str = "mcp-session";
/// Ended sessions kept in each shard; beyond, those nearest to their expiry are forgotten.
const MAX_ENDED: usize = 4096;
/// Log levels kept in each shard; beyond, all are forgotten.
const MAX_LEVELS: usize = 4096;
/// Resources that a session may watch, and sessions of a shard that may watch any.
const MAX_WATCHED: usize = 256;
const MAX_WATCHERS: usize = 1024;
/// Longest URI that can be watched, in bytes.
const MAX_URI: usize = 4096;
/// The log level of a session that set none.
const DEFAULT_LEVEL: LogLevel = LogLevel::Info;

impl Sessions {
    pub(crate) fn new(keys: KeyRing, ttl: Duration) -> Self {
        let asks = Arc::new(Pending::new(keys.clone()));
        Self { keys, ttl, asks, shards: Default::default() }
    }

    /// A new session id, bound to the subject. Visible ASCII only.
    pub(crate) fn issue(&self, revision: Revision, capabilities: ClientCapabilities, principal: &Principal) -> String {
        let now = now();
        let mut plain = Vec::with_capacity(SEALED);
        plain.push(FORMAT);
        plain.extend(now.to_be_bytes());
        plain.extend((now + self.ttl.as_secs()).to_be_bytes());
        plain.push(revision as u8);
        plain.push(capabilities.to_bits());
        plain.extend(digest(principal));
        self.keys.seal(PURPOSE, &plain)
    }

    /// The session of an id; `None` when it is not ours, expired, ended, or somebody else's.
    pub(crate) fn open(&self, id: &str, principal: &Principal) -> Option<Session> {
        let (name, plain) = self.keys.open(PURPOSE, id)?;
        let plain: [u8; SEALED] = plain.try_into().ok()?;
        let expires = u64::from_be_bytes(plain[9..17].try_into().ok()?);
        let revision = Revision::ALL.into_iter().find(|r| *r as u8 == plain[17])?;
        let capabilities = ClientCapabilities::from_bits(plain[18]);
        let alive = plain[0] == FORMAT && now() < expires && plain[19..] == digest(principal);
        let ended = || self.shard(&name).lock().ended.contains_key(&name);
        (alive && !ended()).then_some(Session { name, revision, capabilities, expires })
    }

    /// Ends a session: its id is unknown from now on, and what runs in it is cancelled.
    pub(crate) fn end(&self, session: &Session) {
        let mut shard = self.shard(&session.name).lock();
        if shard.ended.len() >= MAX_ENDED {
            let now = now();
            shard.ended.retain(|_, expires| *expires > now);
        }
        if shard.ended.len() >= MAX_ENDED {
            let nearest = shard.ended.iter().min_by_key(|(_, expires)| **expires).map(|(name, _)| *name);
            nearest.map(|name| shard.ended.remove(&name));
        }
        shard.ended.insert(session.name, session.expires);
        shard.levels.remove(&session.name);
        shard.watched.remove(&session.name);
        shard.running.iter().filter(|((name, _), _)| *name == session.name).for_each(|(_, outlet)| outlet.cancel());
    }

    /// Notes that a request runs, so that it can be cancelled, until the guard is dropped.
    pub(crate) fn run(self: &Arc<Self>, session: &Session, id: Id<'_>, outlet: &Arc<Outlet>) -> Run {
        let key = (session.name, Box::from(id.as_str()));
        self.shard(&session.name).lock().running.insert(key.clone(), outlet.clone());
        Run { sessions: self.clone(), key, outlet: outlet.clone() }
    }

    /// Cancels a request. Unknown and finished ones are ignored.
    pub(crate) fn cancel(&self, session: &Session, id: Id<'_>) {
        let key = (session.name, Box::from(id.as_str()));
        if let Some(outlet) = self.shard(&session.name).lock().running.get(&key) {
            outlet.cancel();
        }
    }

    /// From which level on a session gets log messages.
    pub(crate) fn level(&self, session: &Session) -> LogLevel {
        self.shard(&session.name).lock().levels.get(&session.name).copied().unwrap_or(DEFAULT_LEVEL)
    }

    /// Notes what `logging/setLevel` asked for.
    pub(crate) fn set_level(&self, session: &Session, level: LogLevel) {
        let mut shard = self.shard(&session.name).lock();
        if shard.levels.len() >= MAX_LEVELS {
            shard.levels.clear();
        }
        shard.levels.insert(session.name, level);
    }

    /// Notes that a session watches a resource; false when it, or all of them, watch too many.
    ///
    /// This is known to this process alone: with replicas, the one that has the client's GET stream must
    /// be the one that was asked, so balancers should keep legacy sessions where they are.
    pub(crate) fn watch(&self, session: &Session, uri: &str) -> bool {
        let mut shard = self.shard(&session.name).lock();
        let known = shard.watched.contains_key(&session.name);
        if !known && shard.watched.len() >= MAX_WATCHERS {
            let now = now();
            shard.watched.retain(|_, (expires, _)| *expires > now);
        }
        if uri.len() > MAX_URI || (!known && shard.watched.len() >= MAX_WATCHERS) {
            return false;
        }
        let (_, uris) = shard.watched.entry(session.name).or_insert_with(|| (session.expires, HashSet::new()));
        uris.contains(uri) || (uris.len() < MAX_WATCHED && uris.insert(uri.into()))
    }

    /// Notes that it no longer does.
    pub(crate) fn unwatch(&self, session: &Session, uri: &str) {
        let mut shard = self.shard(&session.name).lock();
        if let Some((_, uris)) = shard.watched.get_mut(&session.name) {
            uris.remove(uri);
            if uris.is_empty() {
                shard.watched.remove(&session.name);
            }
        }
    }

    /// What a session watches.
    pub(crate) fn watched(&self, session: &Session) -> Vec<String> {
        let shard = self.shard(&session.name).lock();
        let uris = shard.watched.get(&session.name).map(|(_, uris)| uris);
        uris.into_iter().flatten().map(|uri| uri.to_string()).collect()
    }

    fn shard(&self, name: &[u8; NONCE]) -> &Mutex<Shard> {
        &self.shards[usize::from(name[0]) % self.shards.len()]
    }
}

/// A request that can be cancelled.
pub(crate) struct Run {
    sessions: Arc<Sessions>,
    key: ([u8; NONCE], Box<str>),
    outlet: Arc<Outlet>,
}

impl Run {
    /// Resolves when the client cancels the request, for what goes on after the exchange.
    pub(crate) async fn cancelled(self) {
        self.outlet.cancelled().await;
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let mut shard = self.sessions.shard(&self.key.0).lock();
        // A client that used the id twice has put another request in its place.
        if shard.running.get(&self.key).is_some_and(|outlet| Arc::ptr_eq(outlet, &self.outlet)) {
            shard.running.remove(&self.key);
        }
    }
}

/// What stands for a caller in sealed and stored things.
pub(crate) fn digest(principal: &Principal) -> [u8; 16] {
    let mut hash = Sha256::new();
    if let Some(subject) = &principal.subject {
        hash.update([1]); // nobody is not the same as an empty name
        hash.update(subject.as_bytes());
    }
    hash.finalize()[..16].try_into().expect("half of a digest")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions(keys: &KeyRing, ttl: u64) -> Sessions {
        Sessions::new(keys.clone(), Duration::from_secs(ttl))
    }

    #[test]
    fn a_session_belongs_to_its_subject_and_key() {
        let keys = KeyRing::random();
        let ours = sessions(&keys, 60);
        let (ann, bob) = (Principal::named("ann"), Principal::named("bob"));
        let id = ours.issue(Revision::V2025_06_18, ClientCapabilities::from_bits(0b101), &ann);
        let session = sessions(&keys, 5).open(&id, &ann).expect("a replica with the same key knows it");
        assert_eq!((session.revision, session.capabilities.to_bits()), (Revision::V2025_06_18, 0b101));
        assert!(ours.open(&id, &bob).is_none());
        assert!(ours.open(&id, &Principal::anonymous()).is_none());
        assert!(sessions(&KeyRing::random(), 60).open(&id, &ann).is_none());
    }

    #[test]
    fn an_expired_or_ended_session_is_unknown() {
        let keys = KeyRing::random();
        let nobody = Principal::anonymous();
        let id = sessions(&keys, 0).issue(Revision::V2025_06_18, ClientCapabilities::default(), &nobody);
        assert!(sessions(&keys, 60).open(&id, &nobody).is_none());

        let ours = sessions(&keys, 60);
        let id = ours.issue(Revision::V2025_06_18, ClientCapabilities::default(), &nobody);
        let session = ours.open(&id, &nobody).unwrap();
        ours.end(&session);
        assert!(ours.open(&id, &nobody).is_none());
    }

    #[test]
    fn the_set_of_ended_sessions_is_bounded() {
        let ours = sessions(&KeyRing::random(), 60);
        for i in 0..=MAX_ENDED as u64 {
            let mut session = Session::local(Revision::V2025_06_18, ClientCapabilities::default());
            session.name[4..].copy_from_slice(&i.to_be_bytes());
            session.expires = u64::MAX - i;
            ours.end(&session);
        }
        assert_eq!(ours.shards[0].lock().ended.len(), MAX_ENDED);
    }
}
