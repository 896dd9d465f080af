//! Roles: names for sets of scopes, which may take over those of others.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{Identity, Scopes};

/// What each role comes to, with everything that it inherits.
#[derive(Debug, Clone, Default)]
pub struct Roles(BTreeMap<Arc<str>, Resolved>);

/// A role as it is written down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Role {
    /// The scopes of its own.
    pub scopes: Scopes,
    /// The roles whose scopes it has too.
    pub inherits: Vec<String>,
}

#[derive(Debug, Clone, Default)]
struct Resolved {
    scopes: Scopes,
    /// Itself and all that it inherits.
    roles: BTreeSet<Arc<str>>,
}

/// Roles that make no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRoles {
    /// A role inherits itself.
    #[error("`{}`: a role cannot inherit itself", .0.join("` → `"))]
    Cycle(Vec<String>),
    /// A role inherits one that is not there.
    #[error("`{role}` inherits `{inherits}`, which is no role")]
    Unknown {
        /// The role.
        role: String,
        /// The one that is not there.
        inherits: String,
    },
}

impl Roles {
    /// Resolves what is written down.
    ///
    /// # Errors
    /// When a role inherits itself, or one that is not there.
    pub fn resolve(roles: &BTreeMap<String, Role>) -> Result<Self, InvalidRoles> {
        let mut resolved = Self::default();
        for name in roles.keys() {
            resolved.add(name, roles, &mut Vec::new())?;
        }
        Ok(resolved)
    }

    fn add(
        &mut self,
        name: &str,
        roles: &BTreeMap<String, Role>,
        way: &mut Vec<String>,
    ) -> Result<Resolved, InvalidRoles> {
        if let Some(known) = self.0.get(name) {
            return Ok(known.clone());
        }
        let role = roles.get(name).ok_or_else(|| InvalidRoles::Unknown {
            role: way.last().cloned().unwrap_or_default(),
            inherits: name.to_owned(),
        })?;
        way.push(name.to_owned());
        if way[..way.len() - 1].iter().any(|above| above == name) {
            return Err(InvalidRoles::Cycle(std::mem::take(way)));
        }
        let mut all = Resolved { scopes: role.scopes.clone(), roles: [Arc::from(name)].into() };
        for other in &role.inherits {
            let other = self.add(other, roles, way)?;
            all.scopes.extend(&other.scopes);
            all.roles.extend(other.roles);
        }
        way.pop();
        self.0.insert(name.into(), all.clone());
        Ok(all)
    }

    /// An identity with what its roles come to: the roles that they inherit, and their scopes. A credential that
    /// was made for an intent, or whose scopes somebody agreed to, is not made wider. Roles that are not written down
    /// are kept, for policies to name, and give nothing.
    #[must_use]
    pub fn grant(&self, mut identity: Identity) -> Identity {
        let bounded = identity.consented || identity.intent.is_some();
        for role in std::mem::take(&mut identity.roles) {
            let Some(resolved) = self.0.get(&role) else {
                identity.roles.insert(role);
                continue;
            };
            identity.roles.extend(resolved.roles.iter().cloned());
            if let Some(scopes) = identity.scopes.as_mut().filter(|_| !bounded) {
                scopes.extend(&resolved.scopes);
            }
        }
        identity
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Digest, Intent};

    /// `name: scopes < inherited`, one a line.
    fn roles(text: &str) -> BTreeMap<String, Role> {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let role = |line: &str| {
            let (name, rest) = line.split_once(':').unwrap();
            let (scopes, inherits) = rest.split_once('<').unwrap_or((rest, ""));
            (name.trim().to_owned(), Role { scopes: words(scopes).into(), inherits: words(inherits) })
        };
        text.lines().filter(|line| !line.trim().is_empty()).map(role).collect()
    }

    #[test]
    fn a_role_has_the_scopes_of_those_it_inherits() {
        let roles = Roles::resolve(&roles("reader: r\nwriter: w < reader\nadmin: a < writer reader")).unwrap();
        let granted = |names: &[&str]| {
            let identity = Identity {
                scopes: Some(["own"].into_iter().collect()),
                roles: names.iter().map(|&name| name.into()).collect(),
                ..Identity::named("a", "token/1")
            };
            let identity = roles.grant(identity);
            let scopes: Vec<String> = identity.scopes.unwrap().iter().map(str::to_owned).collect();
            let roles: Vec<String> = identity.roles.iter().map(|role| role.to_string()).collect();
            (scopes.join(" "), roles.join(" "))
        };
        for (names, scopes, all) in [
            (&[][..], "own", ""),
            (&["reader"], "own r", "reader"),
            (&["writer"], "own r w", "reader writer"),
            (&["admin"], "a own r w", "admin reader writer"),
            (&["made-up", "reader"], "own r", "made-up reader"),
        ] {
            assert_eq!(granted(names), (scopes.to_owned(), all.to_owned()), "{names:?}");
        }
    }

    #[test]
    fn cycles_and_unknown_roles_are_refused() {
        for (text, expected) in [
            ("a: < a", "`a` → `a`: a role cannot inherit itself"),
            ("a: < b\nb: < c\nc: < a", "`a` → `b` → `c` → `a`: a role cannot inherit itself"),
            ("a: < b", "`a` inherits `b`, which is no role"),
        ] {
            assert_eq!(Roles::resolve(&roles(text)).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn what_was_agreed_to_is_not_made_wider() {
        let roles = Roles::resolve(&roles("admin: everything < reader\nreader: r")).unwrap();
        let plain = Identity { roles: ["admin".into()].into(), ..Identity::named("a", "token/1") };
        let intent = Intent { id: "i".into(), message: Digest::of("hi"), tools: None, calls: 1, parents: Vec::new() };
        for bounded in
            [Identity { consented: true, ..plain.clone() }, Identity { intent: Some(intent), ..plain.clone() }]
        {
            let granted = roles.grant(bounded);
            assert_eq!(granted.scopes, Some(Scopes::default()));
            assert_eq!(granted.roles.len(), 2, "policies see them all the same");
        }
        let unrestricted = Identity { scopes: None, ..plain };
        assert_eq!(roles.grant(unrestricted).scopes, None);
    }
}
