//! Somebody's token becomes a narrower one (RFC 8693), bound to what the user asked for.

use std::sync::Arc;

use super::{
    authorize::scopes,
    error::{ErrorCode, Refused},
    params::Params,
};
use crate::{
    Digest, Scopes,
    intent::{Intent, IntentRequest, TooWide, ToolSet},
};

/// What is known of a token that is shown: of the user's, or of the actor's.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The account.
    pub account: &'a Arc<str>,
    /// What it was granted; `None` is everything.
    pub scopes: Option<&'a Scopes>,
    /// Who acts for the account, the newest first.
    pub actors: &'a [Arc<str>],
    /// The intent it is bound to.
    pub intent: Option<&'a Intent>,
    /// Until when it is good.
    pub expires: Option<u64>,
}

/// What is asked for.
///
/// | parameter | means |
/// | --- | --- |
/// | `subject_token`, `subject_token_type` | the user's token, or an intent token that is to be narrowed |
/// | `actor_token`, `actor_token_type` | the token of the agent that will act; optional |
/// | `intent_message` | what the user said, as text |
/// | `intent_message_sha256` | or the SHA-256 of it, in hex |
/// | `intent_tools` | canonical names of tools with blanks between, each perhaps with a `*` at its end; optional |
/// | `scope` | the scopes; without it those of the subject |
/// | `intent_calls` | how many calls there may be |
/// | `intent_lifetime` | for how long, in seconds; without it 300 |
/// | `resource` | for which resource |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The scopes.
    pub scopes: Option<Scopes>,
    /// The user's message, when its text is given.
    pub message: Option<String>,
    /// The intent.
    pub intent: IntentRequest,
    /// For how long, in seconds.
    pub lifetime: u64,
}

/// What the new token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchanged {
    /// What it allows.
    pub scopes: Scopes,
    /// Who acts, the newest first.
    pub actors: Vec<Arc<str>>,
    /// The intent.
    pub intent: Intent,
    /// Until when it is good.
    pub expires: u64,
}

/// The type of token that is given and taken (RFC 8693 §3).
pub(super) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Longest message that is read, in bytes.
const MAX_MESSAGE: usize = 16 * 1024;

impl Exchange {
    /// How long an intent is good when nobody says, in seconds.
    pub const LIFETIME: u64 = 300;

    /// How long an intent can be good, in seconds.
    pub const MAX_LIFETIME: u64 = 3600;

    /// The type of token that is given (RFC 8693 §3).
    pub const ISSUED_TYPE: &'static str = ACCESS_TOKEN;

    /// Reads the request, without the tokens.
    ///
    /// # Errors
    /// `invalid_request` when a parameter is missing or makes no sense.
    pub fn read(params: &Params) -> Result<Self, Refused> {
        for (token, kind) in [("subject_token", "subject_token_type"), ("actor_token", "actor_token_type")] {
            let given = params.one(kind)?;
            if params.one(token)?.is_some() && !given.is_some_and(is_access_token) {
                return Err(Refused::request("the tokens that are exchanged must be said to be access tokens"));
            }
        }
        if !params.one("requested_token_type")?.is_none_or(is_access_token) {
            return Err(Refused::request("only access tokens are given"));
        }
        let message = params.one("intent_message")?;
        if message.is_some_and(|message| message.len() > MAX_MESSAGE) {
            return Err(Refused::request("intent_message is too long; intent_message_sha256 is enough"));
        }
        let digest = match (message, params.one("intent_message_sha256")?) {
            (Some(_), Some(_)) => return Err(Refused::request("intent_message and its SHA-256 are both given")),
            (Some(message), None) => Some(Digest::of(message)),
            (None, Some(hex)) => {
                let digest = hex.to_ascii_lowercase().parse();
                Some(digest.map_err(|_| Refused::request("intent_message_sha256 is not 64 hex digits"))?)
            }
            (None, None) => None,
        };
        let tools = params.one("intent_tools")?.map(|names| ToolSet::new(names.split_whitespace())).transpose();
        let calls = params.need("intent_calls", "intent_calls is needed")?;
        let calls = calls.parse().map_err(|_| Refused::request("intent_calls is not a number of calls"))?;
        let lifetime = params.one("intent_lifetime")?.map(str::parse).transpose();
        let lifetime = lifetime.map_err(|_| Refused::request("intent_lifetime is not a number of seconds"))?;
        let lifetime = lifetime.unwrap_or(Self::LIFETIME);
        if !(1..=Self::MAX_LIFETIME).contains(&lifetime) {
            return Err(Refused::request("intent_lifetime is 1 to 3600 seconds"));
        }
        Ok(Self {
            scopes: scopes(params)?,
            message: message.map(str::to_owned),
            intent: IntentRequest {
                message: digest,
                tools: tools.map_err(|_| Refused::request("intent_tools are not names of tools"))?,
                calls,
            },
            lifetime,
        })
    }

    /// What comes out, under this id: nothing that the subject could not do, nor for longer. When the subject has an intent,
    /// `calls` of its calls must be taken from it.
    ///
    /// # Errors
    /// What would be wider.
    pub fn decide(
        self,
        id: Arc<str>,
        subject: Subject<'_>,
        actor: Option<Subject<'_>>,
        now: u64,
    ) -> Result<Exchanged, Refused> {
        let scopes = match (subject.scopes, self.scopes) {
            (Some(held), None) => held.clone(),
            (None, Some(asked)) => asked,
            (Some(held), Some(asked)) if asked.shared_with(held) == asked => asked,
            (Some(_), Some(_)) => {
                return Err(Refused::new(ErrorCode::InvalidScope, "the subject does not have these scopes"));
            }
            (None, None) => return Err(Refused::request("scope is needed: the subject may do everything")),
        };
        let intent = Intent::new(id, subject.intent, self.intent).map_err(refused)?;
        let expires = now.saturating_add(self.lifetime);
        let expires =
            [subject.expires, actor.and_then(|actor| actor.expires)].into_iter().flatten().fold(expires, u64::min);
        if expires <= now {
            return Err(Refused::grant("the token that is exchanged has ended"));
        }
        let newest = actor.map(|actor| actor.account.clone());
        let actors = newest.into_iter().chain(subject.actors.iter().cloned()).collect();
        Ok(Exchanged { scopes, actors, intent, expires })
    }
}

fn is_access_token(kind: &str) -> bool {
    kind == ACCESS_TOKEN || kind == "urn:ietf:params:oauth:token-type:jwt"
}

fn refused(error: TooWide) -> Refused {
    match error {
        TooWide::NoMessage => Refused::request("intent_message or intent_message_sha256 is needed"),
        TooWide::Calls => Refused::request("intent_calls is 1 to 1,000,000"),
        TooWide::Tools => Refused::new(ErrorCode::InvalidScope, "the subject's intent does not allow these tools"),
        TooWide::MoreCalls => Refused::new(ErrorCode::InvalidScope, "the subject's intent has fewer calls"),
        TooWide::Message => {
            Refused::request("a narrower intent has the message of the subject's; leave intent_message out")
        }
        TooWide::Depth => Refused::request("an intent can be narrowed 8 times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: &str = "subject_token=x&subject_token_type=urn:ietf:params:oauth:token-type:access_token";

    fn read(query: &str) -> Result<Exchange, ErrorCode> {
        Exchange::read(&Params::parse(format!("{TYPES}&{query}").as_bytes()).unwrap()).map_err(|refused| refused.code)
    }

    fn set(text: &str) -> Scopes {
        text.split_whitespace().collect()
    }

    #[test]
    fn a_request_says_what_for_how_often_and_for_how_long() {
        let exchange = read("intent_message=hi&intent_calls=3").unwrap();
        assert_eq!((exchange.lifetime, exchange.intent.calls), (300, 3));
        assert_eq!(exchange.intent.message, Some(Digest::of("hi")));
        let digest = Digest::of("hi");
        for hex in [digest.to_string(), digest.to_string().to_uppercase()] {
            let by_digest = read(&format!("intent_message_sha256={hex}&intent_calls=3")).unwrap();
            assert_eq!((by_digest.message, by_digest.intent.message), (None, Some(digest)));
        }
        for query in [
            "intent_message=hi",
            "intent_message=hi&intent_calls=-1",
            "intent_message=hi&intent_calls=1&intent_lifetime=0",
            "intent_message=hi&intent_calls=1&intent_lifetime=3601",
            "intent_message=hi&intent_calls=1&intent_lifetime=x",
            "intent_message=hi&intent_calls=1&intent_message_sha256=00",
            "intent_message_sha256=00&intent_calls=1",
            "intent_message=hi&intent_calls=1&intent_tools=a*b",
            "intent_message=hi&intent_calls=1&requested_token_type=urn:ietf:params:oauth:token-type:refresh_token",
            "intent_message=hi&intent_calls=1&actor_token=x",
            "intent_message=hi&intent_calls=1&actor_token=x&actor_token_type=urn:ietf:params:oauth:token-type:saml2",
        ] {
            assert_eq!(read(query).map(drop), Err(ErrorCode::InvalidRequest), "{query}");
        }
    }

    #[test]
    fn what_comes_out_can_do_no_more_and_lives_no_longer() {
        let (alice, agent): (Arc<str>, Arc<str>) = ("alice".into(), "agent".into());
        let held = Intent::new(
            "i".into(),
            None,
            IntentRequest { message: Some(Digest::of("hi")), tools: Some(ToolSet::new(["a.*"]).unwrap()), calls: 5 },
        )
        .unwrap();
        let scope = ErrorCode::InvalidScope;
        // subject's scopes, its intent, its end, request → scopes and end
        for (scopes, intent, expires, query, expected) in [
            (Some("a b"), None, None, "scope=a&intent_calls=1", Ok(("a", 400))),
            (Some("a b"), None, Some(200), "intent_calls=1", Ok(("a b", 200))),
            (Some("a b"), None, Some(200), "intent_calls=1&intent_lifetime=10", Ok(("a b", 110))),
            (Some("a"), None, None, "scope=a+b&intent_calls=1", Err(scope)),
            (Some(""), None, None, "intent_calls=1", Ok(("", 400))),
            (None, None, None, "scope=a&intent_calls=1", Ok(("a", 400))),
            (None, None, None, "intent_calls=1", Err(ErrorCode::InvalidRequest)),
            (Some("a"), None, Some(100), "intent_calls=1", Err(ErrorCode::InvalidGrant)),
            (Some("a"), Some(&held), None, "intent_calls=5&intent_tools=a.A.X", Ok(("a", 400))),
            (Some("a"), Some(&held), None, "intent_calls=6", Err(scope)),
            (Some("a"), Some(&held), None, "intent_calls=1&intent_tools=b.B.X", Err(scope)),
            (Some("a"), Some(&held), None, "intent_calls=1&intent_tools=*", Err(scope)),
        ] {
            let scopes = scopes.map(set);
            let subject =
                Subject { account: &alice, scopes: scopes.as_ref(), actors: &["before".into()], intent, expires };
            let actor = Subject { account: &agent, scopes: None, actors: &[], intent: None, expires: None };
            let exchange = read(&format!("intent_message=hi&{query}")).unwrap();
            let outcome = exchange.decide("j".into(), subject, Some(actor), 100);
            let outcome = outcome.map_err(|refused| refused.code).map(|exchanged| {
                assert_eq!(exchanged.actors, ["agent".into(), "before".into()]);
                (exchanged.scopes, exchanged.expires)
            });
            assert_eq!(outcome, expected.map(|(scopes, end)| (set(scopes), end)), "{query}");
        }
    }

    #[test]
    fn the_actors_end_is_an_end_too() {
        let (alice, agent): (Arc<str>, Arc<str>) = ("alice".into(), "agent".into());
        let scopes = set("a");
        let subject = Subject { account: &alice, scopes: Some(&scopes), actors: &[], intent: None, expires: None };
        let actor = Subject { account: &agent, expires: Some(150), ..subject };
        let exchange = read("intent_message=hi&intent_calls=1").unwrap();
        assert_eq!(exchange.decide("j".into(), subject, Some(actor), 100).unwrap().expires, 150);
    }
}
