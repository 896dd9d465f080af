//! `micro auth explain`: may this account call this tool, and which rule says so?

mod known;

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;
use micro_gateway::{AuditTo, Config, Tool};
use micro_policy::{Caller, Identity, Question, Roles, Scopes, Step};
use owo_colors::OwoColorize;
use serde_json::{Value, json};

use crate::{config, cx::Cx, error::CommandError, fleet, input, near, tools, ui::Ui};

/// What the help ends with.
const EXAMPLES: &str = "\
Examples:
  micro auth explain assistant posts_Create
  micro auth explain assistant billing.Invoices.Pay '{\"amount\": 5000}'
  micro auth explain alice posts_Create --roles editor --tenant acme
  micro auth explain assistant posts_Create --json | jq .rule

It answers from the config, the gateway's store and the registry, and calls nothing. What an account may do is what
its token, its client or its certificate in the config says, else the user or the API key of that name, unless flags
say otherwise. `key/ID` in place of an account is an API key, `-` a caller without a credential, where none is needed.";

/// Say whether an account may call a tool, which rule decides, and what would be needed
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The account, or `key/ID`; `-` is a caller without a credential
    account: String,
    /// The tool, by any of its names
    tool: String,
    /// Arguments, a JSON object; `-` reads it from stdin
    json_arguments: Option<String>,
    /// The file whose `[gateway]` table says who may call what [default: the micro.toml here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Assume these scopes
    #[arg(long, value_name = "SCOPE,…", value_delimiter = ',')]
    scopes: Option<Vec<String>>,
    /// Assume these roles
    #[arg(long, value_name = "ROLE,…", value_delimiter = ',')]
    roles: Option<Vec<String>>,
    /// Assume this tenant
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// Assume this way in: `mcp`, `stdio`, `websocket`, `rest` or `compat`
    #[arg(long, value_name = "FRONT", default_value = "mcp")]
    front: String,
    /// Assume this time (RFC 3339) [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Whom the answer is about.
struct Assumed {
    caller: Caller,
    /// Where that is from.
    from: String,
}

pub(crate) async fn run(ui: &mut Ui, cx: &Cx, args: Args) -> Result<(), CommandError> {
    let config = config::Reading::of(args.config.as_deref()).load()?.value.gateway;
    let arguments = match &args.json_arguments {
        Some(given) => Some(input::json(given).await?),
        None => None,
    };
    // Of the config only what says who may call what: credentials and logs are for the gateway.
    let rules = Config {
        scopes: config.scopes.clone(),
        roles: config.roles.clone(),
        tenants: config.tenants.clone(),
        policies: config.policies.clone(),
        ..Config::default()
    };
    let core = rules.core_with(cx.registry()?, false, AuditTo::Nowhere).map_err(tools::failed)?;
    tools::settled(core.catalog()).await?;
    let catalog = core.catalog().load();
    let access = catalog.access();
    let assumed = args.assumed(ui, &config, &access.roles).await?;
    let tool = catalog.find(&args.tool).ok_or_else(|| {
        let error = CommandError::not_found(format!("there is no tool `{}`", args.tool));
        match catalog.tools().len() {
            0 => error.hint(fleet::nobody(&cx.location)),
            _ => near::hint(error, &args.tool, catalog.tools().map(|(shown, _)| shown)),
        }
    })?;
    let now = args.at.unwrap_or_else(Timestamp::now);
    let question = Question { front: &args.front, arguments: arguments.as_deref(), now };
    let steps = access.explain(&assumed.caller, &tool.gate, question);
    let answer = Answer { assumed, tool, steps, invalid: arguments.map(|json| invalid(tool, &json)) };
    if args.json {
        ui.json(&answer.in_json());
    } else {
        answer.tell(ui);
    }
    Ok(())
}

impl Args {
    /// The account as config, store or flags say, with what its roles come to.
    async fn assumed(&self, ui: &mut Ui, config: &Config, roles: &Roles) -> Result<Assumed, CommandError> {
        let flags = self.scopes.is_some() || self.roles.is_some() || self.tenant.is_some();
        if self.account == "-" {
            if flags {
                return Err(CommandError::usage("a caller without a credential has no scopes, roles and tenant"));
            }
            return Ok(Assumed { caller: Caller::Trusted, from: "nobody".to_owned() });
        }
        let mut all = known::all(config, self.at.unwrap_or_else(Timestamp::now)).await?;
        let names: Vec<String> = all.iter().map(|known| known.account.clone()).collect();
        all.retain(|known| known.account == self.account || known.from == self.account);
        let mut all = all.into_iter();
        let known = all.next();
        if known.is_none() && !flags {
            let error = CommandError::not_found(format!("nothing is known of the account `{}`", self.account));
            let error = near::hint(error, &self.account, names.iter().map(String::as_str));
            return Err(error.hint("say what it may do with --scopes, --roles and --tenant"));
        }
        let others: Vec<String> = all.map(|other| other.from).filter(|from| from.starts_with("key/")).collect();
        if !others.is_empty() && !flags {
            ui.note(format_args!("the account has other credentials, which can be asked about: {}", others.join(", ")));
        }
        let from = if flags { "flags".to_owned() } else { known.iter().map(|known| known.from.as_str()).collect() };
        let known = known.unwrap_or_else(|| known::Known::nothing(&self.account));
        let scopes = self.scopes.as_ref().map(|scopes| scopes.iter().collect::<Scopes>());
        let given = self.roles.as_ref().unwrap_or(&known.roles);
        let identity = Identity {
            scopes: Some(scopes.unwrap_or(known.scopes)),
            roles: given.iter().map(|role| role.as_str().into()).collect(),
            tenant: self.tenant.clone().or(known.tenant).map(Into::into),
            ..Identity::named(known.account, "assumed")
        };
        Ok(Assumed { caller: Caller::Account(Arc::new(roles.grant(identity))), from })
    }
}

struct Answer<'a> {
    assumed: Assumed,
    tool: &'a Tool,
    steps: Vec<Step>,
    /// What is wrong with the arguments, if some were given.
    invalid: Option<Vec<String>>,
}

impl Answer<'_> {
    /// The step that decided: the first that denies, else the last.
    fn deciding(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.said.is_err()).or(self.steps.last())
    }

    fn allowed(&self) -> bool {
        self.steps.iter().all(|step| step.said.is_ok())
    }

    fn tell(&self, ui: &mut Ui) {
        let name = &self.tool.name.canonical;
        let who = self.assumed.caller.account().map_or("a caller without a credential".to_owned(), str::to_owned);
        if self.allowed() {
            ui.data(format_args!("{} {who} may call {name}", "yes:".green()));
        } else {
            ui.data(format_args!("{} {who} may not call {name}", "no:".red()));
        }
        ui.data(format_args!("  assumed    {}", self.assumed));
        for step in &self.steps {
            match &step.said {
                Ok(rule) => ui.data(format_args!("  {:<10} yes  {rule}", step.kind)),
                Err(denied) => {
                    ui.data(format_args!("  {:<10} no   {}: {denied}", step.kind, denied.rule));
                    ui.data(format_args!("             needed: {}", self.tool.gate.needed(&denied.why)));
                }
            }
        }
        for violation in self.invalid.iter().flatten() {
            ui.data(format_args!("  arguments  no   schema: {violation}"));
        }
    }

    fn in_json(&self) -> Value {
        let step = |step: &Step| match &step.said {
            Ok(rule) => json!({"kind": step.kind, "allowed": true, "rule": rule}),
            Err(denied) => json!({
                "kind": step.kind,
                "allowed": false,
                "rule": denied.rule,
                "why": denied.to_string(),
                "needed": self.tool.gate.needed(&denied.why),
            }),
        };
        let identity = self.assumed.caller.identity();
        let mut answer = json!({
            "tool": self.tool.name.canonical,
            "account": self.assumed.caller.account(),
            "assumed": {
                "from": self.assumed.from,
                "scopes": self.assumed.caller.scopes(),
                "roles": identity.map(|identity| &identity.roles),
                "tenant": identity.and_then(|identity| identity.tenant.as_deref()),
            },
            "allowed": self.allowed(),
            "steps": self.steps.iter().map(step).collect::<Vec<_>>(),
            "invalid_arguments": self.invalid,
        });
        if let Some(Value::Object(decided)) = self.deciding().map(step) {
            for key in ["rule", "why", "needed"] {
                answer[key] = decided.get(key).cloned().unwrap_or_default();
            }
        }
        answer
    }
}

impl std::fmt::Display for Assumed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(identity) = self.caller.identity() else { return f.write_str("no credential is needed") };
        let list = |words: Vec<&str>| if words.is_empty() { "none".to_owned() } else { words.join(" ") };
        let scopes = identity.scopes.as_ref().map_or("all".to_owned(), |scopes| list(scopes.iter().collect()));
        let roles = list(identity.roles.iter().map(|role| &**role).collect());
        let tenant = identity.tenant.as_deref().unwrap_or("none");
        write!(f, "scopes {scopes}; roles {roles}; tenant {tenant} (from {})", self.from)
    }
}

/// What is wrong with arguments, by the tool's schema.
fn invalid(tool: &Tool, arguments: &str) -> Vec<String> {
    let violations = tool.validator.check(arguments).err().unwrap_or_default();
    violations.iter().map(ToString::to_string).collect()
}
