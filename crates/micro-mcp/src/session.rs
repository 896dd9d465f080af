//! Legacy sessions without a store: the id is a sealed token that says all there is to know.

mod kept;

use std::{collections::HashMap, sync::Arc, time::Duration};

use micro_mcp_proto::{ClientCapabilities, Id, LogLevel, Revision};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use self::kept::{Kept, Watched};
use crate::{KeyRing, Principal, ask::Pending, outlet::Outlet, seal::NONCE, time::unix};

/// What `initialize` agreed on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Session {
    name: Name,
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
    pub(crate) fn name(&self) -> Name {
        self.name
    }

    /// Its place among what is kept of sessions.
    fn key(&self) -> kept::Key {
        (self.expires, self.name)
    }

    /// Whether it came out of a sealed id.
    pub(crate) fn is_sealed(&self) -> bool {
        self.expires != u64::MAX
    }

    /// How long its id is still known.
    pub(crate) fn left(&self) -> Duration {
        Duration::from_secs(self.expires).saturating_sub(unix())
    }
}

/// Seals and opens session ids, remembers which were ended, and which of their requests run.
pub(crate) struct Sessions {
    keys: KeyRing,
    ttl: Duration,
    /// Questions to clients that wait for answers.
    pub(crate) asks: Arc<Pending>,
    /// Places for calls that go on after their clients left.
    pub(crate) detached: Arc<Semaphore>,
    /// By the first byte of a session's name, so that no lock is everyone's.
    shards: [Mutex<Shard>; 16],
}

struct Shard {
    running: HashMap<(Name, Box<str>), Arc<Outlet>>,
    /// Sessions that were ended before they expired.
    ended: Kept<()>,
    /// What `logging/setLevel` asked for; without it, or once it is forgotten, the default applies.
    levels: Kept<LogLevel>,
    /// What `resources/subscribe` named.
    watched: Kept<Watched>,
}

/// What tells a session from others: the nonce of its token.
type Name = [u8; NONCE];

/// Bytes of a sealed session: format, issued, expires, revision, capabilities, digest of the subject.
const SEALED: usize = 1 + 8 + 8 + 1 + 1 + 16;
const FORMAT: u8 = 1;
const PURPOSE: &str = "mcp-session";
/// What is kept in each shard, in bytes: of ended sessions and of levels, and of watched resources.
const MAX_KEPT: usize = 512 << 10;
const MAX_WATCHED: usize = 1 << 20;
/// Calls that go on after their clients left; beyond, they end with them.
const MAX_DETACHED: usize = 1000;
/// The name under which a session's stream of changes runs. Ids of requests are never empty.
const STREAM: &str = "";
/// The log level of a session that set none.
const DEFAULT_LEVEL: LogLevel = LogLevel::Info;

impl Sessions {
    pub(crate) fn new(keys: KeyRing, ttl: Duration) -> Self {
        let shard = |_| {
            Mutex::new(Shard {
                running: HashMap::new(),
                ended: Kept::new(MAX_KEPT),
                levels: Kept::new(MAX_KEPT),
                watched: Kept::new(MAX_WATCHED),
            })
        };
        let asks = Arc::new(Pending::new(keys.clone()));
        let detached = Arc::new(Semaphore::new(MAX_DETACHED));
        Self { keys, ttl, asks, detached, shards: std::array::from_fn(shard) }
    }

    /// A new session id, bound to the subject. Visible ASCII only.
    pub(crate) fn issue(&self, revision: Revision, capabilities: ClientCapabilities, principal: &Principal) -> String {
        let now = unix().as_secs();
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
        let session = Session { name, revision, capabilities, expires };
        let alive = plain[0] == FORMAT && !session.left().is_zero() && plain[19..] == digest(principal);
        let ended = || self.shard(&name).lock().ended.get(session.key()).is_some();
        (alive && !ended()).then_some(session)
    }

    /// Ends a session: its id is unknown from now on, and what runs in it is cancelled.
    pub(crate) fn end(&self, session: &Session) {
        let mut shard = self.shard(&session.name).lock();
        shard.ended.put(session.key(), ());
        shard.levels.remove(session.key());
        shard.watched.remove(session.key());
        shard.running.iter().filter(|((name, _), _)| *name == session.name).for_each(|(_, outlet)| outlet.cancel());
    }

    /// Notes that a request runs, so that it can be cancelled, until the guard is dropped.
    pub(crate) fn run(self: &Arc<Self>, session: &Session, id: Id<'_>, outlet: &Arc<Outlet>) -> Run {
        self.enter(session, id.as_str(), outlet.clone()).0
    }

    /// Notes that a session's stream of changes runs, which takes over from the one before: a message must
    /// not go to two of them (`basic/transports`, "Multiple Connections", 2025-11-25).
    pub(crate) fn stream(self: &Arc<Self>, session: &Session) -> Run {
        let (run, before) = self.enter(session, STREAM, Arc::default());
        if let Some(outlet) = before {
            outlet.cancel();
        }
        run
    }

    fn enter(self: &Arc<Self>, session: &Session, id: &str, outlet: Arc<Outlet>) -> (Run, Option<Arc<Outlet>>) {
        let key = (session.name, Box::from(id));
        let before = self.shard(&session.name).lock().running.insert(key.clone(), outlet.clone());
        (Run { sessions: self.clone(), key, outlet }, before)
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
        self.shard(&session.name).lock().levels.get(session.key()).copied().unwrap_or(DEFAULT_LEVEL)
    }

    /// Notes what `logging/setLevel` asked for.
    pub(crate) fn set_level(&self, session: &Session, level: LogLevel) {
        self.shard(&session.name).lock().levels.put(session.key(), level);
    }

    /// Notes that a session watches a resource; false when it watches too much.
    ///
    /// This is known to this process alone: with replicas, the one that has the client's GET stream must
    /// be the one that was asked, so balancers should keep legacy sessions where they are.
    pub(crate) fn watch(&self, session: &Session, uri: &str) -> bool {
        self.shard(&session.name).lock().watched.change(session.key(), |watched| watched.add(uri))
    }

    /// Notes that it no longer does.
    pub(crate) fn unwatch(&self, session: &Session, uri: &str) {
        self.shard(&session.name).lock().watched.change(session.key(), |watched| watched.remove(uri));
    }

    /// What a session watches.
    pub(crate) fn watched(&self, session: &Session) -> Vec<String> {
        let shard = self.shard(&session.name).lock();
        shard.watched.get(session.key()).map(Watched::all).unwrap_or_default()
    }

    fn shard(&self, name: &Name) -> &Mutex<Shard> {
        &self.shards[usize::from(name[0]) % self.shards.len()]
    }
}

/// A request that can be cancelled.
pub(crate) struct Run {
    sessions: Arc<Sessions>,
    key: (Name, Box<str>),
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
}
