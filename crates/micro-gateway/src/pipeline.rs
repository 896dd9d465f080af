//! The way of a call, the same for every front.
//!
//! Read from top to bottom:
//! 1. `audit`: sees every call, refused ones too;
//! 2. `authenticate` (`identity.rs`): who calls, found out before a front sees the request;
//! 3. `tenant`: which catalog they see;
//! 4. `authorize`: may they call this tool (intent, scopes, policies);
//! 5. `validate`: are these arguments the tool can take;
//! 6. `intent`: one call fewer is left of what the user asked for;
//! 7. `limit`, `cache`, `breaker` (later rooms);
//! 8. upstream.

mod audit;
mod intent;
mod policies;
mod upstream;

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use jiff::Timestamp;
use micro_core::{TraceContext, Violation};
use micro_mcp_proto::is_json;
use micro_policy::{Asserter, Caller, Denied, Question, Rejection, Rule, Verdict, Why, audit::Steps};
use micro_rpc::Client;
use micro_store::Store;
use serde_json::value::RawValue;

pub use self::audit::{AuditFail, AuditLocation, AuditLog, AuditReader, AuditSink, AuditText, AuditTo, Resumed};
pub(crate) use self::{audit::Audit, intent::reserve, policies::Policies};
use crate::{
    Catalog, Tool,
    identity::{Identities, Shown, Verified},
    oauth,
};

/// Every policy, and what they are applied to.
pub(crate) struct Pipeline {
    pub(crate) catalog: Catalog,
    pub(crate) identities: Identities,
    pub(crate) audit: Audit,
    pub(crate) client: Client,
    /// Signs what services are told of a caller.
    pub(crate) asserter: Option<Asserter>,
    /// State that other gateways may share.
    pub(crate) store: Store,
    /// The authorization server, when the gateway is one.
    pub(crate) oauth: Option<Arc<oauth::Server>>,
}

/// One call of a tool, as a front hands it in.
pub(crate) struct Call<'a> {
    /// The way in.
    pub(crate) front: &'static str,
    /// The tool, by any of its names.
    pub(crate) tool: &'a str,
    /// Its arguments as they came; `None` means none.
    pub(crate) arguments: Option<&'a str>,
    /// The caller's trace, or a new one.
    pub(crate) trace: TraceContext,
    /// Where the items of a streaming endpoint go while it runs.
    pub(crate) progress: &'a dyn Progress,
}

/// Hears of a streaming endpoint's items as they come.
pub(crate) trait Progress: Send + Sync {
    /// Item number `n`, beginning at 1, as JSON. The stream waits until this is done.
    fn item<'a>(&'a self, n: u64, json: &'a str) -> BoxFuture<'a, ()>;
}

/// Nobody listens: items are only collected.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Silent;

impl Progress for Silent {
    fn item<'a>(&'a self, _: u64, _: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// A service's answer, known to be JSON. Checked once, then only copied.
#[derive(Debug, Clone)]
pub(crate) struct Json(Bytes);

impl Json {
    fn checked(bytes: Bytes) -> Result<Self, serde_json::Error> {
        if !is_json(&bytes) {
            serde_json::from_slice::<&RawValue>(&bytes)?; // says what is wrong, or that it is only nested deep
        }
        Ok(Self(bytes))
    }

    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("JSON is UTF-8")
    }

    /// The same as bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes themselves.
    pub(crate) fn into_bytes(self) -> Bytes {
        self.0
    }
}

/// Why a call was not answered with a result.
#[derive(Debug, Clone)]
pub(crate) enum Error {
    /// No credential, or not a good one.
    Unauthenticated(Rejection),
    /// The caller may not use this tool.
    Forbidden(Denied),
    /// The user's intent has no calls left.
    IntentSpent,
    /// Whether it has cannot be found out now.
    IntentUncounted,
    /// No such tool.
    UnknownTool,
    /// The arguments do not fit; the tool was not called.
    InvalidArguments(Vec<Violation>),
    /// The service, or the way to it, failed.
    Upstream(micro_core::Error),
    /// There is no record of the call, and without one there is no answer.
    Unrecorded,
    /// The caller left before there was an answer.
    Abandoned,
}

/// What the catalog and the rules of one moment say to a call.
struct Decision {
    tool: Option<Arc<Tool>>,
    rule: Rule,
    said: Result<(), Error>,
}

impl Pipeline {
    /// Who calls, if it is somebody. `needed` is what the socket asks for.
    pub(crate) fn authenticate(&self, shown: &Shown, needed: bool) -> Result<Option<Arc<Verified>>, Error> {
        self.identities.admit(shown, needed).map_err(Error::Unauthenticated)
    }

    /// Records a call that was refused before it could be made.
    pub(crate) fn refuse(&self, call: &Call<'_>, error: &Error) {
        let tool = self.catalog.load().find(call.tool).cloned();
        let mut entry = self.audit.begin(call, None);
        entry.tool(tool.as_deref());
        entry.refused(error);
    }

    /// Makes a call: the result is the service's JSON, untouched.
    pub(crate) async fn call(&self, caller: &Caller, call: Call<'_>) -> Result<Json, Error> {
        let (tool, rule, said); // outlive the record
        let mut entry = self.audit.begin(&call, Some(caller));
        Decision { tool, rule, said } = self.decide(caller, &call);
        entry.decided(tool.as_deref(), &rule);
        let answer = match (&tool, said) {
            (Some(tool), Ok(())) => self.validate_and_call(caller, &call, tool, &mut entry.steps).await,
            (_, Err(error)) => Err(error),
            (None, Ok(())) => Err(Error::UnknownTool),
        };
        entry.end(answer).await
    }

    /// The tool, if there is one for this caller, and whether it may be called like this. One snapshot says both.
    fn decide(&self, caller: &Caller, call: &Call<'_>) -> Decision {
        let catalog = self.catalog.load();
        let unknown = |rule| Decision { tool: None, rule, said: Err(Error::UnknownTool) };
        let Some(tool) = catalog.find(call.tool) else { return unknown(Rule::named("catalog")) };
        let question = Question { front: call.front, arguments: call.arguments, now: Timestamp::now() };
        match catalog.access().decide(caller, &tool.gate, question) {
            Ok(rule) => Decision { tool: Some(tool.clone()), rule, said: Ok(()) },
            Err(Denied { rule, why: Why::Tenant }) => unknown(rule),
            // A tool outside the caller's scopes is not in their list either, but saying "forbidden"
            // tells an operator what to grant.
            Err(denied) => {
                Decision { tool: Some(tool.clone()), rule: denied.rule.clone(), said: Err(Error::Forbidden(denied)) }
            }
        }
    }

    async fn validate_and_call(
        &self,
        caller: &Caller,
        call: &Call<'_>,
        tool: &Arc<Tool>,
        steps: &mut Steps,
    ) -> Result<Json, Error> {
        let intent = caller.identity().and_then(|identity| identity.intent.as_ref());
        let arguments = call.arguments.unwrap_or("{}");
        let valid = tool.validator.check(arguments);
        steps.took("validate", Instant::now());
        valid.map_err(Error::InvalidArguments)?;

        // Last, so that a call that is refused costs none.
        if let Some(intent) = intent {
            let taken = intent::take(&self.store, intent).await;
            steps.took("intent", Instant::now());
            taken?;
        }

        let answer = upstream::call(&self.client, self.asserter.as_ref(), caller, call, tool, arguments).await;
        steps.took("upstream", Instant::now());
        answer.map_err(|error| {
            if let Some(source) = error.source() {
                tracing::warn!(tool = tool.name.canonical, trace_id = %call.trace.id, source = %source, "call failed");
            }
            Error::Upstream(error)
        })
    }
}

impl Error {
    /// What the audit record says.
    fn verdict(&self) -> Verdict {
        match self {
            Self::Unauthenticated(rejection) => Verdict::Denied(rejection.reason()),
            Self::Forbidden(denied) => Verdict::Denied(denied.why.reason()),
            Self::IntentSpent => Verdict::Denied("intent exhausted"),
            Self::IntentUncounted => Verdict::Denied("intent cannot be counted"),
            Self::UnknownTool => Verdict::Denied("unknown tool"),
            Self::InvalidArguments(_) => Verdict::Denied("invalid arguments"),
            Self::Upstream(_) | Self::Unrecorded | Self::Abandoned => Verdict::Allowed,
        }
    }

    /// The rule that refused the call, if it was none of those that say who may call what.
    fn rule(&self) -> Option<&'static str> {
        match self {
            Self::Unauthenticated(_) => Some("authenticate"),
            Self::IntentSpent | Self::IntentUncounted => Some("intent"),
            Self::InvalidArguments(_) => Some("schema"),
            // What had been decided before holds.
            Self::Forbidden(_) | Self::UnknownTool | Self::Upstream(_) | Self::Unrecorded | Self::Abandoned => None,
        }
    }
}
