//! Who may call what: `[[gateway.scopes]]`, `[gateway.roles]`, `[gateway.tenants]` and `gateway.policies`.

use std::{fs, path::Path};

use micro_policy::{Access, Overrides, PolicySet, Role, Roles, Scopes, Tenants, ToolSet};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Config, InvalidConfig};

/// Scopes that are asked for in place of those that services declare: one entry of `[[gateway.scopes]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeConfig {
    /// The tool by its canonical name, or the beginning of names with a `*` behind it: `billing.*`. Of several that fit
    /// the longest counts.
    pub tool: String,
    /// Any one of these is needed; an empty list opens the tool to every account. Default: none.
    pub any_of: Option<Scopes>,
    /// All of these are needed. Default: none.
    pub all_of: Option<Scopes>,
}

/// A role: a table `[gateway.roles.NAME]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RoleConfig {
    /// The scopes that accounts of this role have beside their own. Default: none.
    pub scopes: Scopes,
    /// The roles whose scopes it has too. Default: none.
    pub inherits: Vec<String>,
}

/// A tenant: a table `[gateway.tenants.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantConfig {
    /// The tools its accounts see and may call, by canonical name or beginning: `["billing.*"]`. For them there are no
    /// others.
    pub tools: Vec<String>,
}

impl Config {
    /// Who may call what, compiled.
    ///
    /// # Errors
    /// When an entry makes no sense, or a file of policies cannot be read.
    pub fn access(&self) -> Result<Access, InvalidConfig> {
        let invalid = |key: &str, why: String| InvalidConfig::Access { key: key.to_owned(), why };
        let mut overrides = Overrides::default();
        for ScopeConfig { tool, any_of, all_of } in &self.scopes {
            if any_of.is_none() && all_of.is_none() {
                return Err(invalid("scopes", format!("`{tool}` needs `any_of` or `all_of`")));
            }
            let [any_of, all_of] = [any_of, all_of].map(|scopes| scopes.clone().unwrap_or_default());
            overrides.add(tool, any_of, all_of).map_err(|error| invalid("scopes", error.to_string()))?;
        }
        let role = |(name, role): (&String, &RoleConfig)| {
            (name.clone(), Role { scopes: role.scopes.clone(), inherits: role.inherits.clone() })
        };
        let roles = Roles::resolve(&self.roles.iter().map(role).collect());
        let roles = roles.map_err(|error| invalid("roles", error.to_string()))?;
        let mut tenants = Tenants::default();
        for (name, tenant) in &self.tenants {
            let tools = ToolSet::new(tenant.tools.iter().map(String::as_str));
            tenants.add(name.as_str(), tools.map_err(|error| invalid(&format!("tenants.{name}"), error.to_string()))?);
        }
        let policies = (!self.policies.is_empty()).then(|| policies(&self.policies)).transpose();
        let policies = policies.map_err(|why| invalid("policies", why))?;
        Ok(Access { overrides, roles, tenants, policies })
    }
}

/// Reads the files that patterns name, in the order of their names.
fn policies(patterns: &[String]) -> Result<PolicySet, String> {
    let mut paths = Vec::new();
    for pattern in patterns {
        let found = matching(Path::new(pattern)).map_err(|error| format!("{pattern}: {}", error.kind()))?;
        if found.is_empty() {
            return Err(format!("{pattern}: there is no such file"));
        }
        paths.extend(found);
    }
    paths.sort();
    paths.dedup();
    let read = |path: &String| {
        let text = fs::read_to_string(path).map_err(|error| format!("{path}: {}", error.kind()))?;
        Ok::<_, String>((path.clone(), text))
    };
    let files: Vec<_> = paths.iter().map(read).collect::<Result<_, _>>()?;
    PolicySet::parse(&files).map_err(|error| error.to_string())
}

/// The files whose names fit: one `*` in the last part stands for anything.
fn matching(pattern: &Path) -> std::io::Result<Vec<String>> {
    let last = pattern.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Some((before, after)) = last.split_once('*') else { return Ok(vec![pattern.display().to_string()]) };
    let folder = pattern.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let fits =
            |name: &str| name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after);
        if let Some(name) = name.to_str().filter(|name| fits(name)) {
            found.push(pattern.with_file_name(name).display().to_string());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_refused_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        fs::write(at("broken.cedar"), "permit(principal, action, resource);\nforbid(").unwrap();
        for (toml, expected) in [
            ("[[scopes]]\ntool = 'a.*'", "gateway.scopes: `a.*` needs `any_of` or `all_of`"),
            ("[[scopes]]\ntool = 'a*b'\nany_of = []", "gateway.scopes: `a*b` is no name"),
            ("[roles.a]\ninherits = ['b']\n[roles.b]\ninherits = ['a']", "gateway.roles: `a` → `b` → `a`"),
            ("[roles.a]\ninherits = ['b']", "gateway.roles: `a` inherits `b`, which is no role"),
            ("[tenants.acme]\ntools = []", "gateway.tenants.acme: "),
            ("policies = ['/made/up.cedar']", "gateway.policies: /made/up.cedar: entity not found"),
            (&format!("policies = ['{}']", at("*.none")), "there is no such file"),
            (&format!("policies = ['{}']", at("*.cedar")), "broken.cedar:2: "),
        ] {
            let config: Config = toml::from_str(toml).unwrap();
            let error = config.access().unwrap_err().to_string();
            // What is not built in cannot say where a fault is.
            let built = cfg!(feature = "cedar") || !expected.contains("broken");
            assert!(error.contains(if built { expected } else { "feature `cedar`" }), "{error}");
        }
    }

    #[test]
    fn a_pattern_names_files_of_one_folder() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.cedar", "a.cedar", "a.txt", ".cedar"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let names = |pattern: &str| {
            let mut found = matching(&folder.path().join(pattern)).unwrap();
            found.sort();
            found.iter().map(|path| path.rsplit('/').next().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names("*.cedar"), ".cedar a.cedar b.cedar");
        assert_eq!(names("a*"), "a.cedar a.txt");
        assert_eq!(names("plain"), "plain");
    }
}
