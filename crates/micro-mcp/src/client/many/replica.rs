//! Replicas of one server: whose turn it is, and who is ill.

use std::{
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_core::future::BoxFuture;
use parking_lot::Mutex;
use tokio::time::{Instant, timeout};

use super::unavailable;
use crate::client::{Client, Error, pause};

/// Failures in a row after which a replica is left alone for a while.
const FAILURES: u32 = 3;
/// For this long at first; longer each time.
const OPEN: Duration = Duration::from_secs(5);
const MAX_OPEN: Duration = Duration::from_secs(300);
/// How long a replica may take to answer a check.
const CHECK_PATIENCE: Duration = Duration::from_secs(5);

/// What a replica is asked; perhaps several, one after the other.
pub(super) type Question<'q, T> = dyn Fn(Client) -> BoxFuture<'static, Result<T, Error>> + Send + Sync + 'q;

/// How calls are spread over the replicas of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Balance {
    /// One after the other.
    RoundRobin,
    /// Whoever has the fewest calls in flight.
    LeastInFlight,
    /// The less busy of two that are drawn: almost as even as the least busy of all, and never a stampede.
    PowerOfTwo,
    /// Whoever is drawn.
    Random,
    /// The same one for the same key, for as long as it is well; round robin without a key.
    Sticky,
}

/// The replicas of one server.
pub(super) struct Group {
    pub(super) name: String,
    balance: Balance,
    pub(super) replicas: Vec<Arc<Replica>>,
    turn: AtomicUsize,
}

/// One replica, connected to when it is needed.
pub(super) struct Replica {
    connect: Box<dyn Fn() -> BoxFuture<'static, Result<Client, Error>> + Send + Sync>,
    client: tokio::sync::Mutex<Option<Client>>,
    in_flight: AtomicUsize,
    breaker: Mutex<Breaker>,
}

/// Lets nobody through for a while after several failures; then lets one try.
#[derive(Debug, Default)]
struct Breaker {
    failures: u32,
    /// How often in a row it was opened.
    opened: u32,
    until: Option<Instant>,
}

impl Group {
    pub(super) fn new(name: &str, balance: Balance, first: Arc<Replica>) -> Self {
        Self { name: name.to_owned(), balance, replicas: vec![first], turn: AtomicUsize::new(0) }
    }

    /// Whose turn it is among those that are well and were not tried yet.
    pub(super) fn pick(&self, key: Option<&str>, tried: &[usize]) -> Option<usize> {
        let well = |i: &usize| !tried.contains(i) && self.replicas[*i].breaker.lock().lets_through();
        let well: Vec<usize> = (0..self.replicas.len()).filter(well).collect();
        if well.is_empty() {
            return None;
        }
        let busy = |i: &usize| self.replicas[*i].in_flight.load(Ordering::Relaxed);
        let turn = || self.turn.fetch_add(1, Ordering::Relaxed);
        let next = || well[turn() % well.len()];
        Some(match (self.balance, key) {
            (Balance::RoundRobin, _) | (Balance::Sticky, None) => next(),
            (Balance::Random, _) => well[draw(well.len())],
            (Balance::LeastInFlight, _) => {
                // Among equals the next in turn, or the first would get everything that is quick.
                let from = turn() % well.len();
                let (later, sooner) = well.split_at(from);
                *sooner.iter().chain(later).min_by_key(|i| busy(i)).unwrap_or(&well[0])
            }
            (Balance::PowerOfTwo, _) => {
                let one = draw(well.len());
                let other = (one + 1 + draw(well.len().saturating_sub(1).max(1))) % well.len();
                [well[one], well[other]].into_iter().min_by_key(busy).unwrap_or(well[one])
            }
            // Rendezvous hashing: a replica that falls out moves its own keys only.
            (Balance::Sticky, Some(key)) => {
                let hasher = BuildHasherDefault::<DefaultHasher>::default();
                *well.iter().max_by_key(|i| hasher.hash_one((key, **i))).unwrap_or(&well[0])
            }
        })
    }

    /// Asks one replica, and others in its place when it fails: before it was reached always, after that only
    /// what may be done twice.
    pub(super) async fn run<T>(&self, key: Option<&str>, repeatable: bool, ask: &Question<'_, T>) -> Result<T, Error> {
        let (mut tried, mut last) = (Vec::new(), None);
        while let Some(i) = self.pick(key, &tried) {
            tried.push(i);
            let replica = &self.replicas[i];
            let _busy = Busy::one(&replica.in_flight);
            let client = match replica.client().await {
                Ok(client) => client,
                Err(error) => {
                    last = Some(error);
                    continue;
                }
            };
            match ask(client.clone()).await {
                Err(error) if is_illness(&error) => {
                    replica.failed();
                    replica.lost(&client, &error).await;
                    let never_arrived = matches!(error, Error::SessionLost | Error::Closed);
                    last = Some(error);
                    if !repeatable && !never_arrived {
                        break;
                    }
                }
                outcome => {
                    replica.breaker.lock().succeeded();
                    return outcome;
                }
            }
        }
        Err(last.unwrap_or_else(unavailable))
    }
}

impl Replica {
    pub(super) fn new(connect: Box<dyn Fn() -> BoxFuture<'static, Result<Client, Error>> + Send + Sync>) -> Self {
        let (client, breaker) = (tokio::sync::Mutex::default(), Mutex::default());
        Self { connect, client, in_flight: AtomicUsize::new(0), breaker }
    }

    /// The client there is, or a new one.
    pub(super) async fn client(&self) -> Result<Client, Error> {
        let mut client = self.client.lock().await;
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        match (self.connect)().await {
            Ok(connected) => Ok(client.insert(connected).clone()),
            Err(error) => {
                self.failed();
                Err(error)
            }
        }
    }

    /// Lets go of a client that will not connect again.
    async fn lost(&self, lost: &Client, error: &Error) {
        if matches!(error, Error::Closed) {
            let mut client = self.client.lock().await;
            client.take_if(|client| Arc::ptr_eq(&client.0, &lost.0));
        }
    }

    pub(super) fn is_ill(&self) -> bool {
        self.breaker.lock().failures > 0
    }

    /// Asks whether it is well again.
    pub(super) async fn check(&self) {
        let well = async {
            let client = self.client().await?;
            let outcome = client.check().await;
            if let Err(error) = &outcome {
                self.lost(&client, error).await;
            }
            outcome
        };
        match timeout(CHECK_PATIENCE, well).await {
            Ok(Ok(())) => self.breaker.lock().succeeded(),
            Ok(Err(error)) => tracing::debug!(%error, "a replica is still ill"),
            Err(_) => tracing::debug!("a replica does not answer"),
        }
    }

    fn failed(&self) {
        self.breaker.lock().failed();
    }
}

impl Breaker {
    fn lets_through(&mut self) -> bool {
        match self.until {
            Some(until) if Instant::now() < until => false,
            Some(_) => {
                // One may try; the others wait as long again, unless it succeeds before.
                self.until = Some(Instant::now() + OPEN);
                true
            }
            None => true,
        }
    }

    fn failed(&mut self) {
        self.failures += 1;
        if self.failures >= FAILURES {
            self.until = Some(Instant::now() + pause(OPEN, self.opened, MAX_OPEN));
            self.opened += 1;
        }
    }

    fn succeeded(&mut self) {
        *self = Self::default();
    }
}

/// Whether an error says something about the server, rather than about what was asked.
fn is_illness(error: &Error) -> bool {
    error.is_transient() || matches!(error, Error::Closed)
}

/// One more call in flight, until it is dropped.
struct Busy<'a>(&'a AtomicUsize);

impl<'a> Busy<'a> {
    fn one(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A number below `n`. A little uneven, which does no harm here.
fn draw(n: usize) -> usize {
    let mut bytes = [0; 8];
    let _ = getrandom::fill(&mut bytes);
    usize::from_ne_bytes(bytes) % n.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(balance: Balance, replicas: usize) -> Group {
        let replica = || Arc::new(Replica::new(Box::new(|| Box::pin(async { Err(Error::Closed) }))));
        let mut group = Group::new("s", balance, replica());
        group.replicas.extend((1..replicas).map(|_| replica()));
        group
    }

    fn picks(group: &Group, key: Option<&str>) -> Vec<usize> {
        (0..200).map(|_| group.pick(key, &[]).unwrap()).collect()
    }

    #[tokio::test]
    async fn each_strategy_spreads_in_its_way() {
        assert_eq!(picks(&group(Balance::RoundRobin, 3), None)[..4], [0, 1, 2, 0]);
        for balance in [Balance::Random, Balance::PowerOfTwo, Balance::LeastInFlight, Balance::Sticky] {
            let seen = picks(&group(balance, 3), None);
            assert!((0..3).all(|i| seen.contains(&i)), "{balance:?}: everyone has his turn");
        }
        for balance in [Balance::LeastInFlight, Balance::PowerOfTwo] {
            let group = group(balance, 2);
            group.replicas[0].in_flight.store(1, Ordering::Relaxed);
            assert!(picks(&group, None).iter().all(|i| *i == 1), "{balance:?}: the idle one");
        }
    }

    #[tokio::test]
    async fn a_key_sticks_and_moves_only_when_its_replica_falls_out() {
        let group = group(Balance::Sticky, 4);
        let keys: Vec<String> = (0..100).map(|i| format!("user-{i}")).collect();
        let home = |key: &String| group.pick(Some(key), &[]).unwrap();
        let homes: Vec<usize> = keys.iter().map(home).collect();
        assert!((0..4).all(|i| homes.contains(&i)) && keys.iter().map(home).eq(homes.iter().copied()));
        let without_2: Vec<usize> = keys.iter().map(|key| group.pick(Some(key), &[2]).unwrap()).collect();
        assert!(homes.iter().zip(&without_2).all(|(was, is)| was == is || *was == 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_replica_that_fails_is_left_alone_for_a_while() {
        let group = group(Balance::RoundRobin, 2);
        (0..FAILURES).for_each(|_| group.replicas[0].failed());
        assert!(picks(&group, None).iter().all(|i| *i == 1) && group.replicas[0].is_ill());
        tokio::time::advance(OPEN + Duration::from_millis(1)).await;
        let tries = picks(&group, None).iter().filter(|i| **i == 0).count();
        assert_eq!(tries, 1, "one may try, the others wait for what becomes of it");
        group.replicas[0].failed();
        tokio::time::advance(OPEN + Duration::from_millis(1)).await;
        assert!(picks(&group, None).iter().all(|i| *i == 1), "longer each time");
        group.replicas[0].breaker.lock().succeeded();
        assert_eq!(picks(&group, None).iter().filter(|i| **i == 0).count(), 100);
    }
}
