//! Tenants: namespaces, each with a catalog of its own.

use std::{collections::BTreeMap, sync::Arc};

use crate::{Caller, Denied, Rule, ToolSet, Why};

/// Which tools each tenant has.
#[derive(Debug, Clone, Default)]
pub struct Tenants(BTreeMap<Arc<str>, ToolSet>);

/// The tenants that have a tool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Owners {
    /// There are no tenants.
    #[default]
    Everyone,
    /// These, which may be none.
    Tenants(Vec<Arc<str>>),
}

impl Tenants {
    /// Adds a tenant and its tools.
    pub fn add(&mut self, name: impl Into<Arc<str>>, tools: ToolSet) {
        self.0.insert(name.into(), tools);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Who has a tool, by its canonical name.
    pub fn owners(&self, tool: &str) -> Owners {
        if self.0.is_empty() {
            return Owners::Everyone;
        }
        Owners::Tenants(self.0.iter().filter(|(_, tools)| tools.has(tool)).map(|(name, _)| name.clone()).collect())
    }
}

impl Owners {
    /// Whether a caller sees the tool: its tenant has it. An account of no tenant sees what no tenant has; one that may
    /// do everything, and everybody where nobody is asked for a credential, sees all.
    ///
    /// # Errors
    /// When it does not.
    pub fn check(&self, caller: &Caller) -> Result<(), Denied> {
        let (Self::Tenants(owners), Caller::Account(identity)) = (self, caller) else { return Ok(()) };
        let sees = match &identity.tenant {
            Some(tenant) => owners.contains(tenant),
            None => owners.is_empty() || identity.scopes.is_none(),
        };
        if sees {
            return Ok(());
        }
        let tenant = identity.tenant.as_deref().unwrap_or_default();
        Err(Denied { rule: Rule::named(format!("tenant:{tenant}")), why: Why::Tenant })
    }

    /// Their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<str>> {
        match self {
            Self::Everyone => [].iter(),
            Self::Tenants(owners) => owners.iter(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identity;

    fn caller(tenant: &str, everything: bool) -> Caller {
        let identity = Identity::named("a", "token/1");
        let scopes = if everything { None } else { identity.scopes.clone() };
        let tenant = (!tenant.is_empty()).then(|| tenant.into());
        Caller::Account(Arc::new(Identity { tenant, scopes, ..identity }))
    }

    #[test]
    fn a_tenant_sees_its_own_tools_and_nobody_elses() {
        let mut tenants = Tenants::default();
        tenants.add("acme", ToolSet::new(["billing.*", "mail.Mail.Send"]).unwrap());
        tenants.add("umbrella", ToolSet::new(["mail.*"]).unwrap());
        for (tool, acme, umbrella, nobody) in [
            ("billing.Invoices.Pay", true, false, false),
            ("mail.Mail.Send", true, true, false),
            ("mail.Mail.Read", false, true, false),
            ("weather.Weather.Now", false, false, true),
        ] {
            let owners = tenants.owners(tool);
            for (who, sees) in [
                (caller("acme", false), acme),
                (caller("umbrella", false), umbrella),
                (caller("", false), nobody),
                (caller("made-up", false), false),
                (caller("acme", true), acme),
                (caller("", true), true),
                (Caller::Trusted, true),
            ] {
                assert_eq!(owners.check(&who).is_ok(), sees, "{tool} {who:?}");
            }
        }
    }

    #[test]
    fn where_there_are_no_tenants_nobody_is_kept_apart() {
        let owners = Tenants::default().owners("a.A.X");
        assert_eq!(owners.check(&caller("acme", false)), Ok(()));
        assert_eq!(owners.check(&caller("", false)), Ok(()));
    }
}
