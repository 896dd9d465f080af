//! When the keys that sign tokens take turns.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A key that signs, and when it was made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKey {
    /// Its name in tokens.
    pub kid: String,
    /// Seconds since 1970.
    pub created: u64,
    /// The private key, PKCS#8 in base64url.
    pub pkcs8: String,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).field("created", &self.created).finish_non_exhaustive()
    }
}

/// How keys take turns. All times are in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySchedule {
    /// How long a key signs.
    pub turn: u64,
    /// How long a key is published before it signs, so that everybody who checks tokens has seen it.
    pub lead: u64,
    /// How long the last token that a key signed is good.
    pub tail: u64,
}

/// What must be done with the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAction {
    /// Nothing.
    Keep,
    /// A new one must be made.
    Add,
    /// The oldest one is of no more use.
    DropOldest,
}

impl KeySchedule {
    /// What must be done with these keys, the oldest first.
    pub fn action(&self, keys: &[SigningKey], now: u64) -> KeyAction {
        match keys {
            [] => KeyAction::Add,
            [.., newest] if newest.created.saturating_add(self.turn).saturating_sub(self.lead) <= now => KeyAction::Add,
            // The next one signs since its lead was over; what the oldest signed until then has ended.
            [_, next, ..] if next.created.saturating_add(self.lead).saturating_add(self.tail) <= now => {
                KeyAction::DropOldest
            }
            _ => KeyAction::Keep,
        }
    }

    /// The key that signs now: the newest that everybody has seen, else the oldest.
    pub fn signer<'a>(&self, keys: &'a [SigningKey], now: u64) -> Option<&'a SigningKey> {
        let seen = |key: &&SigningKey| key.created.saturating_add(self.lead) <= now;
        keys.iter().rev().find(seen).or(keys.first())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEDULE: KeySchedule = KeySchedule { turn: 1000, lead: 10, tail: 100 };

    #[test]
    fn a_key_is_seen_before_it_signs_and_kept_until_its_tokens_have_ended() {
        let mut keys: Vec<SigningKey> = Vec::new();
        let mut course = Vec::new();
        for now in 0..2200 {
            loop {
                match SCHEDULE.action(&keys, now) {
                    KeyAction::Keep => break,
                    KeyAction::Add => {
                        let kid = format!("k{now}");
                        course.push((now, format!("+{kid}")));
                        keys.push(SigningKey { kid, created: now, pkcs8: String::new() });
                    }
                    KeyAction::DropOldest => {
                        course.push((now, format!("-{}", keys.remove(0).kid)));
                    }
                }
            }
            let signer = &SCHEDULE.signer(&keys, now).unwrap().kid;
            if course.last().is_none_or(|(_, last)| last != signer) && !course.iter().any(|(_, c)| c == signer) {
                course.push((now, signer.clone()));
            }
        }
        let course: Vec<_> = course.iter().map(|(at, what)| format!("{at} {what}")).collect();
        assert_eq!(
            course,
            ["0 +k0", "0 k0", "990 +k990", "1000 k990", "1100 -k0", "1980 +k1980", "1990 k1980", "2090 -k990"]
        );
    }

    #[test]
    fn debug_shows_no_key() {
        let key = SigningKey { kid: "k".into(), created: 0, pkcs8: "s3cret".into() };
        assert!(!format!("{key:?}").contains("s3cret"));
    }
}
