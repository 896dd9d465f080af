//! Policies in the [Cedar](https://docs.cedarpolicy.com) language.
//!
//! | in a policy | is |
//! | --- | --- |
//! | `principal` | `Account::"alice"`, in `Role::"…"` for each of its roles and in `Tenant::"…"`; `Account::""` for a caller without a credential where none is needed |
//! | `action` | `Action::"billing.Invoices.Pay"`, the tool's canonical name, in `Action::"call"` |
//! | `resource` | `Tool::"billing.Invoices.Pay"`, in `Service::"billing"` and in the `Tenant`s that have it |
//! | `context` | `front`, `time`, `weekday`, `intent` and `arguments`, typed as the tool's schema says |
//!
//! As Cedar has it, a call needs a `permit`, and one `forbid` overrules all of them. A `forbid` that cannot be
//! evaluated counts as if it applied.

mod parse;
mod schema;
mod value;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, LazyLock},
};

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision, Effect, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    PolicyId, Request, Response, RestrictedExpression,
};
use micro_core::EndpointDescriptor;

pub use self::parse::InvalidPolicies;
use self::{schema::Shape, value::Node};
use crate::{Caller, Denied, Question, Rule, Scopes, Why};

/// Policies, compiled.
#[derive(Debug)]
pub struct PolicySet {
    all: cedar_policy::PolicySet,
    /// What can be said without knowing more of a call than caller and tool: may some call be allowed?
    listing: cedar_policy::PolicySet,
    policies: BTreeMap<PolicyId, Named>,
    files: Vec<(String, String)>,
    /// The members of the context that policies look at; others are not made.
    context: BTreeSet<String>,
}

/// The context itself, not one of its members.
const WHOLE: &str = "*";

/// A policy as it is named in records.
#[derive(Debug)]
struct Named {
    rule: Rule,
    file: usize,
    forbids: bool,
}

/// Who asks.
#[derive(Debug)]
pub(crate) struct Principal {
    entity: Entity,
    intent: Option<RestrictedExpression>,
}

/// What is asked for: one tool.
#[derive(Debug)]
pub(crate) struct Resource {
    tool: EntityUid,
    action: EntityUid,
    entities: Entities,
    arguments: Shape,
}

/// No policy permits it.
const DEFAULT: &str = "policy:default";

impl PolicySet {
    pub(crate) fn resource<'a>(
        &self,
        tool: &str,
        service: &str,
        endpoint: &EndpointDescriptor,
        scopes: &Scopes,
        tenants: impl Iterator<Item = &'a Arc<str>>,
    ) -> Resource {
        let (uid_of_tool, action) = (uid(&KINDS.tool, tool), uid(&KINDS.action, tool));
        let hints = &endpoint.hints;
        // The defaults are those of MCP's tool annotations.
        let attributes = [
            ("service", string(service)),
            ("endpoint", string(&endpoint.name)),
            ("scopes", strings(scopes.iter())),
            ("read_only", RestrictedExpression::new_bool(hints.read_only)),
            ("idempotent", RestrictedExpression::new_bool(hints.idempotent)),
            ("destructive", RestrictedExpression::new_bool(hints.destructive.unwrap_or(!hints.read_only))),
            ("open_world", RestrictedExpression::new_bool(hints.open_world.unwrap_or(true))),
        ];
        let parents = tenants.map(|tenant| uid(&KINDS.tenant, tenant)).chain([uid(&KINDS.service, service)]);
        let entities = [
            entity(uid_of_tool.clone(), attributes.into_iter(), parents.collect()),
            Entity::new_no_attrs(action.clone(), [uid(&KINDS.action, "call")].into()),
        ];
        let entities = Entities::from_entities(entities, None).expect("two entities that do not know each other");
        Resource { tool: uid_of_tool, action, entities, arguments: Shape::of(endpoint.input.as_str()) }
    }

    pub(crate) fn principal(&self, caller: &Caller) -> Principal {
        let Caller::Account(identity) = caller else {
            let attributes = [
                ("scopes", strings(std::iter::empty())),
                ("actors", strings(std::iter::empty())),
                ("unrestricted", RestrictedExpression::new_bool(true)),
            ];
            return Principal {
                entity: entity(uid(&KINDS.account, ""), attributes.into_iter(), HashSet::new()),
                intent: None,
            };
        };
        let optional = |name, value: &Option<Arc<str>>| value.as_deref().map(|value| (name, string(value)));
        let attributes = [
            ("scopes", strings(identity.scopes.iter().flat_map(Scopes::iter))),
            ("actors", strings(identity.actors.iter().map(|actor| &**actor))),
            ("unrestricted", RestrictedExpression::new_bool(identity.scopes.is_none())),
        ];
        let attributes = attributes
            .into_iter()
            .chain(optional("tenant", &identity.tenant))
            .chain(optional("issuer", &identity.issuer));
        let roles = identity.roles.iter().map(|role| uid(&KINDS.role, role));
        let parents = roles.chain(identity.tenant.iter().map(|tenant| uid(&KINDS.tenant, tenant))).collect();
        let intent = identity.intent.as_ref().map(|intent| {
            record([
                ("id", string(&intent.id)),
                ("message_sha256", string(&intent.message.to_string())),
                ("calls", RestrictedExpression::new_long(intent.calls.into())),
            ])
        });
        Principal { entity: entity(uid(&KINDS.account, &identity.account), attributes, parents), intent }
    }

    /// Whether a call is permitted, and by which policy.
    pub(crate) fn decide(
        &self,
        principal: &Principal,
        resource: &Resource,
        question: Question<'_>,
    ) -> Result<Rule, Denied> {
        let mut context = vec![("front", string(question.front))];
        if self.looks_at("arguments") {
            let arguments = match question.arguments {
                None => resource.arguments.expression(&Node::Object(Vec::new())),
                // What is no JSON is refused by the validator, with a better word for it.
                Some(json) => Node::parse(json).and_then(|node| resource.arguments.expression(&node)),
            };
            let unjudged = |why| Denied { rule: Rule::named("policy:arguments"), why: Why::Unjudged(why) };
            context.push(("arguments", arguments.map_err(unjudged)?));
        }
        if self.looks_at("time") {
            // Cedar parses the name of this type each time, which costs a third of a decision.
            let time = question.now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
            context.push(("time", RestrictedExpression::new_datetime(time)));
        }
        if self.looks_at("weekday") {
            context.push(("weekday", string(&question.now.strftime("%A").to_string().to_ascii_lowercase())));
        }
        let context = context.into_iter().chain(principal.intent.clone().map(|intent| ("intent", intent)));
        self.read(&self.ask(&self.all, principal, resource, context))
    }

    fn looks_at(&self, member: &str) -> bool {
        self.context.contains(member) || self.context.contains(WHOLE)
    }

    /// Whether some call may be permitted.
    pub(crate) fn shows(&self, principal: &Principal, resource: &Resource) -> bool {
        self.read(&self.ask(&self.listing, principal, resource, std::iter::empty())).is_ok()
    }

    fn ask(
        &self,
        policies: &cedar_policy::PolicySet,
        principal: &Principal,
        resource: &Resource,
        context: impl Iterator<Item = (&'static str, RestrictedExpression)>,
    ) -> Option<Response> {
        let context = Context::from_pairs(context.map(|(name, value)| (name.to_owned(), value))).ok()?;
        let who = principal.entity.uid();
        let request = Request::new(who, resource.action.clone(), resource.tool.clone(), context, None).ok()?;
        let entities = resource.entities.clone().add_entities([principal.entity.clone()], None).ok()?;
        Some(Authorizer::new().is_authorized(&request, policies, &entities))
    }

    fn read(&self, response: &Option<Response>) -> Result<Rule, Denied> {
        let Some(response) = response else {
            return Err(Denied {
                rule: Rule::named(DEFAULT),
                why: Why::Unjudged("the request has no form for policies"),
            });
        };
        let named = |id: &PolicyId| self.policies.get(id);
        let failed = response.diagnostics().errors().find_map(|error| {
            let AuthorizationError::PolicyEvaluationError(error) = error;
            named(error.policy_id()).filter(|policy| policy.forbids)
        });
        if let Some(policy) = failed {
            return Err(Denied { rule: policy.rule.clone(), why: Why::Unjudged("a policy cannot be evaluated") });
        }
        // The first in the order of files and lines speaks for all.
        let decided = response.diagnostics().reason().min().and_then(named).map(|policy| policy.rule.clone());
        match (response.decision(), decided) {
            (Decision::Allow, rule) => Ok(rule.unwrap_or_else(|| Rule::named(DEFAULT))),
            (Decision::Deny, Some(rule)) => Err(Denied { rule, why: Why::Forbidden }),
            (Decision::Deny, None) => Err(Denied { rule: Rule::named(DEFAULT), why: Why::NotPermitted }),
        }
    }
}

impl Named {
    fn new(rule: Rule, file: usize, effect: Effect) -> Self {
        Self { rule, file, forbids: effect == Effect::Forbid }
    }
}

/// The kinds of entities, whose names Cedar would parse for each one.
struct Kinds {
    account: EntityTypeName,
    action: EntityTypeName,
    role: EntityTypeName,
    service: EntityTypeName,
    tenant: EntityTypeName,
    tool: EntityTypeName,
}

static KINDS: LazyLock<Kinds> = LazyLock::new(|| {
    let kind = |name: &str| name.parse().expect("a plain word");
    Kinds {
        account: kind("Account"),
        action: kind("Action"),
        role: kind("Role"),
        service: kind("Service"),
        tenant: kind("Tenant"),
        tool: kind("Tool"),
    }
});

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn entity(
    uid: EntityUid,
    attributes: impl Iterator<Item = (&'static str, RestrictedExpression)>,
    parents: HashSet<EntityUid>,
) -> Entity {
    let attributes: HashMap<_, _> = attributes.map(|(name, value)| (name.to_owned(), value)).collect();
    Entity::new(uid, attributes, parents).expect("texts, sets and numbers evaluate to themselves")
}

fn string(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn strings<'a>(texts: impl Iterator<Item = &'a str>) -> RestrictedExpression {
    RestrictedExpression::new_set(texts.map(string))
}

fn record<'a>(fields: impl IntoIterator<Item = (&'a str, RestrictedExpression)>) -> RestrictedExpression {
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
    RestrictedExpression::new_record(fields).expect("no field is there twice")
}

#[cfg(test)]
mod tests;
