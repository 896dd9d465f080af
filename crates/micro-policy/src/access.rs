//! What the config says about who may call what, compiled: one value that every front's calls and lists go by.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use micro_core::EndpointDescriptor;

use crate::{
    Caller, Denied, Overrides, PolicySet, Requirement, Roles, Rule, Scopes, Tenants, ToolSet, Why,
    cedar::{Principal, Resource},
    tenant::Owners,
};

/// Who may call what. Calls are decided in this order: tenant, intent, scopes, policies. All must agree.
#[derive(Debug, Default)]
pub struct Access {
    /// Scopes that the config asks for in place of those that services declare.
    pub overrides: Overrides,
    /// What roles come to.
    pub roles: Roles,
    /// Which tools each tenant has.
    pub tenants: Tenants,
    /// Policies in the Cedar language, if there are any.
    pub policies: Option<PolicySet>,
}

/// What [`Access`] says about one tool, worked out when the tool comes into the catalog.
#[derive(Debug, Clone)]
pub struct Gate {
    /// The scopes that are asked for.
    pub requirement: Requirement,
    /// Every scope that is named there.
    pub scopes: Scopes,
    tool: Arc<str>,
    owners: Owners,
    resource: Option<Arc<Resource>>,
}

/// What a decision may depend on beside caller and tool.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The way in, as audit records call it.
    pub front: &'a str,
    /// The arguments as they came, a JSON object; `None` is an empty one.
    pub arguments: Option<&'a str>,
    /// The time.
    pub now: Timestamp,
}

/// One rule that was asked, and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What kind of rule: `tenant`, `intent`, `scopes` or `policies`.
    pub kind: &'static str,
    /// The rule that decided, or why the call is denied.
    pub said: Result<Rule, Denied>,
}

/// Everything that a caller's list of tools depends on: who has the same, sees the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct View {
    scopes: Option<Scopes>,
    tenant: Option<Arc<str>>,
    tools: Option<ToolSet>,
    /// Where there are policies.
    who: Option<Who>,
}

/// What policies may tell callers apart by, beside scopes and tenant. Nobody has none of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Who {
    account: Arc<str>,
    roles: BTreeSet<Arc<str>>,
    actors: Vec<Arc<str>>,
    issuer: Option<Arc<str>>,
}

/// A caller about to be asked about many tools.
#[derive(Debug)]
pub struct Viewer<'a> {
    access: &'a Access,
    caller: &'a Caller,
    principal: Option<Principal>,
}

impl Access {
    /// What is decided about a tool without knowing who calls. `input` is its arguments' schema.
    pub fn gate(&self, tool: &str, service: &str, endpoint: &EndpointDescriptor) -> Gate {
        let requirement = self.overrides.requirement(tool, || endpoint.scopes.iter().collect());
        let owners = self.tenants.owners(tool);
        let scopes = requirement.scopes();
        let resource = self
            .policies
            .as_ref()
            .map(|policies| Arc::new(policies.resource(tool, service, endpoint, &scopes, owners.iter())));
        Gate { requirement, scopes, tool: tool.into(), owners, resource }
    }

    /// Whether a caller may make this call, and the rule that decided.
    ///
    /// # Errors
    /// When it may not.
    pub fn decide(&self, caller: &Caller, gate: &Gate, question: Question<'_>) -> Result<Rule, Denied> {
        gate.owners.check(caller)?;
        gate.intent(caller)?;
        gate.requirement.check(caller.scopes())?;
        match self.policies.as_ref().zip(gate.resource.as_ref()) {
            Some((policies, resource)) => policies.decide(&policies.principal(caller), resource, question),
            None => Ok(gate.requirement.rule.clone()),
        }
    }

    /// What each rule says about a call, those behind a refusal too. The first that denies it decides.
    pub fn explain(&self, caller: &Caller, gate: &Gate, question: Question<'_>) -> Vec<Step> {
        let step = |kind, said| Step { kind, said };
        let mut steps = Vec::new();
        if !self.tenants.is_empty() {
            let tenant = caller.identity().and_then(|identity| identity.tenant.as_deref());
            let rule = Rule::named(format!("tenant:{}", tenant.unwrap_or_default()));
            steps.push(step("tenant", gate.owners.check(caller).map(|()| rule)));
        }
        if let Some(intent) = caller.identity().and_then(|identity| identity.intent.as_ref()) {
            let rule = Rule::named(format!("intent:{}", intent.id));
            steps.push(step("intent", gate.intent(caller).map(|()| rule)));
        }
        let scopes = gate.requirement.check(caller.scopes());
        steps.push(step("scopes", scopes.map(|()| gate.requirement.rule.clone())));
        if let Some((policies, resource)) = self.policies.as_ref().zip(gate.resource.as_ref()) {
            steps.push(step("policies", policies.decide(&policies.principal(caller), resource, question)));
        }
        steps
    }

    /// What a caller's list depends on, given the scopes that some tool asks for. `None` when it sees everything.
    pub fn view(&self, caller: &Caller, asked: &Scopes) -> Option<View> {
        let Caller::Account(identity) = caller else {
            // Policies may tell apart who is nobody, too.
            let who = Some(Who::default());
            return self.policies.as_ref().map(|_| View { scopes: None, tenant: None, tools: None, who });
        };
        let all = self.policies.is_some();
        let relevant = |scopes: &Scopes| if all { scopes.clone() } else { scopes.shared_with(asked) };
        let view = View {
            scopes: identity.scopes.as_ref().map(relevant),
            tenant: identity.tenant.clone().filter(|_| all || !self.tenants.is_empty()),
            tools: identity.intent.as_ref().and_then(|intent| intent.tools.clone()),
            who: all.then(|| Who {
                account: identity.account.clone(),
                roles: identity.roles.clone(),
                actors: identity.actors.clone(),
                issuer: identity.issuer.clone(),
            }),
        };
        let everything = view.scopes.is_none() && view.tenant.is_none() && view.tools.is_none() && !all;
        (!everything).then_some(view)
    }

    /// To ask about many tools for one caller.
    pub fn viewer<'a>(&'a self, caller: &'a Caller) -> Viewer<'a> {
        Viewer { access: self, caller, principal: self.policies.as_ref().map(|policies| policies.principal(caller)) }
    }

    /// What is wrong with the policies, given the tools there are: a text each, with file and line.
    pub fn check_policies<'a>(&self, gates: impl Iterator<Item = &'a Gate>) -> Vec<String> {
        let Some(policies) = &self.policies else { return Vec::new() };
        policies.check(gates.filter_map(|gate| gate.resource.as_deref()))
    }
}

impl Gate {
    /// What would have to be different for a call that was denied.
    pub fn needed(&self, why: &Why) -> String {
        match why {
            Why::Tenant => {
                let owners: Vec<&str> = self.owners.iter().map(|owner| &**owner).collect();
                match owners.is_empty() {
                    true => "an account of no tenant, or a tenant that has the tool".to_owned(),
                    false => format!("an account of the tenant {}", owners.join(" or ")),
                }
            }
            Why::Intent => format!("an intent that names {}", self.tool),
            Why::Scopes { any_of, all_of } => {
                let list = |scopes: &Scopes| scopes.iter().collect::<Vec<_>>().join(", ");
                let all = (!all_of.is_empty()).then(|| format!("all of {}", list(all_of)));
                let any = (!any_of.is_empty()).then(|| format!("any one of {}", list(any_of)));
                all.into_iter().chain(any).collect::<Vec<_>>().join(" and ")
            }
            Why::Forbidden => "that policy not to apply".to_owned(),
            Why::NotPermitted => "a policy that permits it".to_owned(),
            Why::Unjudged(why) => format!("a call of which one cannot say: {why}"),
        }
    }

    fn intent(&self, caller: &Caller) -> Result<(), Denied> {
        let intent = caller.identity().and_then(|identity| identity.intent.as_ref());
        match intent.filter(|intent| !intent.allows(&self.tool)) {
            None => Ok(()),
            Some(intent) => Err(Denied { rule: Rule::named(format!("intent:{}", intent.id)), why: Why::Intent }),
        }
    }
}

impl Viewer<'_> {
    /// Whether the caller's list shows a tool: some call of it may be allowed.
    pub fn sees(&self, gate: &Gate) -> bool {
        let policies = || match (&self.access.policies, &self.principal, &gate.resource) {
            (Some(policies), Some(principal), Some(resource)) => policies.shows(principal, resource),
            _ => true,
        };
        gate.owners.check(self.caller).is_ok()
            && gate.intent(self.caller).is_ok()
            && gate.requirement.check(self.caller.scopes()).is_ok()
            && policies()
    }
}
