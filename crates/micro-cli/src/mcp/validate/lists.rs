//! Lists: their items, pages and cursors, and how long they may be kept (`server/utilities`).

use std::collections::HashSet;

use http::Uri;
use micro_mcp::proto::Revision;
use serde_json::{Value, json};

use super::{Finding, No, answer::shown, fail, probe::Probe, skip, want};

/// Pages that are followed.
const PAGES: usize = 1_000;

/// The lists that servers may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListKind {
    Tools,
    Prompts,
    Resources,
    Templates,
}

/// All pages of a list.
#[derive(Debug, Clone, Default)]
pub(super) struct List {
    items: Vec<Value>,
    /// The results, without their items.
    pages: Vec<Value>,
}

impl ListKind {
    const ALL: [Self; 4] = [Self::Tools, Self::Prompts, Self::Resources, Self::Templates];

    fn method(self) -> &'static str {
        match self {
            Self::Tools => "tools/list",
            Self::Prompts => "prompts/list",
            Self::Resources => "resources/list",
            Self::Templates => "resources/templates/list",
        }
    }

    fn capability(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources | Self::Templates => "resources",
        }
    }

    /// The member that holds the items.
    fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
        }
    }

    /// What tells items apart.
    fn key(self) -> &'static str {
        match self {
            Self::Tools | Self::Prompts => "name",
            Self::Resources => "uri",
            Self::Templates => "uriTemplate",
        }
    }
}

/// The method of the first list that the server declares.
pub(super) fn first_declared(p: &Probe) -> Option<&'static str> {
    ListKind::ALL.into_iter().find(|kind| p.declares(kind.capability())).map(ListKind::method)
}

impl Probe {
    /// The items of a list; asked for once.
    pub(super) async fn list(&mut self, kind: ListKind) -> Result<Vec<Value>, No> {
        Ok(self.pages(kind).await?.items)
    }

    async fn pages(&mut self, kind: ListKind) -> Result<List, No> {
        if !self.declares(kind.capability()) {
            return Err(skip(format!("it does not declare `{}`", kind.capability())));
        }
        if let Some(known) = self.lists.get(kind.method()) {
            return known.clone();
        }
        let list = self.all_pages(kind).await;
        self.lists.insert(kind.method(), list.clone());
        list
    }

    async fn all_pages(&mut self, kind: ListKind) -> Result<List, No> {
        let mut list = List::default();
        let mut params = json!({});
        for _ in 0..PAGES {
            let mut page = self.ask(kind.method(), params.clone()).await?;
            let items = page[kind.member()].take();
            let Value::Array(items) = items else {
                return Err(fail(format!("{}: `{}` is no list", kind.method(), kind.member())));
            };
            list.items.extend(items);
            let next = page["nextCursor"].clone();
            list.pages.push(page);
            match next {
                Value::Null => return Ok(list),
                Value::String(cursor) => params = json!({ "cursor": cursor }),
                other => return Err(fail(format!("{}: `nextCursor` is {}", kind.method(), shown(&other)))),
            }
        }
        Err(fail(format!("{}: more than {PAGES} pages", kind.method())))
    }

    /// Every list that the server has. Templates need not be there.
    async fn every_list(&mut self) -> Result<Vec<(ListKind, List)>, No> {
        let mut out = Vec::new();
        for kind in ListKind::ALL {
            match self.pages(kind).await {
                Ok(list) => out.push((kind, list)),
                Err(No::Fail(_)) if kind == ListKind::Templates => {}
                Err(No::Skip(_)) => {}
                Err(failed) => return Err(failed),
            }
        }
        if out.is_empty() { Err(skip("it has no lists")) } else { Ok(out) }
    }
}

pub(super) async fn tools(p: &mut Probe) -> Finding {
    p.list(ListKind::Tools).await.map(|_| ())
}

pub(super) async fn prompts(p: &mut Probe) -> Finding {
    p.list(ListKind::Prompts).await.map(|_| ())
}

pub(super) async fn resources(p: &mut Probe) -> Finding {
    p.list(ListKind::Resources).await.map(|_| ())
}

/// Every item has these texts.
async fn have(p: &mut Probe, kind: ListKind, members: &[&str]) -> Finding {
    let items = p.list(kind).await?;
    let lacks = |item: &Value| members.iter().find(|member| !item[**member].is_string()).copied();
    let lacking = items.iter().find_map(|item| Some((lacks(item)?, item)));
    want(lacking.is_none(), || {
        lacking.map(|(member, item)| format!("no `{member}` in {}", shown(item))).unwrap_or_default()
    })
}

pub(super) async fn resource_shape(p: &mut Probe) -> Finding {
    have(p, ListKind::Resources, &["uri", "name"]).await
}

pub(super) async fn template_shape(p: &mut Probe) -> Finding {
    match p.pages(ListKind::Templates).await {
        Err(No::Fail(why)) if why.contains("-32601") => Err(skip("it has no templates")),
        _ => have(p, ListKind::Templates, &["uriTemplate", "name"]).await,
    }
}

pub(super) async fn prompt_shape(p: &mut Probe) -> Finding {
    have(p, ListKind::Prompts, &["name"]).await?;
    for prompt in p.list(ListKind::Prompts).await? {
        let named =
            prompt["arguments"].as_array().is_none_or(|all| all.iter().all(|argument| argument["name"].is_string()));
        want(named, || format!("an argument of `{}` has no name", prompt["name"]))?;
    }
    Ok(())
}

pub(super) async fn uris(p: &mut Probe) -> Finding {
    for resource in p.list(ListKind::Resources).await? {
        let uri = resource["uri"].as_str().unwrap_or_default();
        let scheme = uri.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        let readable = !uri.contains(char::is_whitespace) && (uri.parse::<Uri>().is_ok() || is_scheme);
        want(is_scheme && readable, || format!("`{uri}` is no URI"))?;
    }
    Ok(())
}

pub(super) async fn unique(p: &mut Probe) -> Finding {
    for (kind, list) in p.every_list().await? {
        let mut known = HashSet::new();
        for item in &list.items {
            let name = item[kind.key()].as_str().unwrap_or_default();
            want(known.insert(name), || format!("{} has `{name}` twice", kind.method()))?;
        }
    }
    Ok(())
}

pub(super) async fn order(p: &mut Probe) -> Finding {
    let names = |items: &[Value]| items.iter().map(|item| item["name"].clone()).collect::<Vec<_>>();
    let first = names(&p.list(ListKind::Tools).await?);
    let again = names(&p.all_pages(ListKind::Tools).await?.items);
    want(first == again, || "two lists in a row had another order or other tools".to_owned())
}

pub(super) async fn bad_cursor(p: &mut Probe) -> Finding {
    let Some(method) = first_declared(p) else { return Err(skip("it has no lists")) };
    let ask = p.request(method, json!({ "cursor": "micro-validate-made-up" }));
    p.send(ask).await.is_error(-32602)
}

pub(super) async fn cache_hints(p: &mut Probe) -> Finding {
    let mut results = vec![("server/discover", p.hello.result()?.clone())];
    for (kind, list) in p.every_list().await.unwrap_or_default() {
        results.extend(list.pages.into_iter().map(|page| (kind.method(), page)));
    }
    for (method, result) in results {
        hinted(method, &result)?;
    }
    Ok(())
}

/// A result says how long and for whom it holds.
pub(super) fn hinted(method: &str, result: &Value) -> Finding {
    let (ttl, scope) = (&result["ttlMs"], &result["cacheScope"]);
    want(ttl.is_u64(), || format!("{method}: `ttlMs` is {ttl}"))?;
    want(*scope == "public" || *scope == "private", || format!("{method}: `cacheScope` is {scope}"))
}

pub(super) async fn one_scope(p: &mut Probe) -> Finding {
    for (kind, list) in p.every_list().await? {
        let scopes: HashSet<_> = list.pages.iter().map(|page| page["cacheScope"].to_string()).collect();
        want(scopes.len() <= 1, || format!("pages of {} have different scopes", kind.method()))?;
    }
    Ok(())
}

pub(super) async fn subscribed(p: &mut Probe) -> Finding {
    if !p.declares("resources.subscribe") {
        return Err(skip("it does not declare `resources.subscribe`"));
    }
    let resources = p.list(ListKind::Resources).await?;
    let Some(uri) = resources.first().map(|resource| resource["uri"].clone()) else {
        return Err(skip("it lists no resources"));
    };
    p.ask("resources/subscribe", json!({ "uri": uri })).await?;
    p.ask("resources/unsubscribe", json!({ "uri": uri })).await.map(|_| ())
}

pub(super) async fn listened(p: &mut Probe) -> Finding {
    const ID: &str = "io.modelcontextprotocol/subscriptionId";
    let changing =
        ["tools", "prompts", "resources"].into_iter().find(|name| p.declares(&format!("{name}.listChanged")));
    let Some(changing) = changing else { return Err(skip("it declares no `listChanged`")) };
    let mut own = p.fresh().await?;
    let filter = json!({ "notifications": { format!("{changing}ListChanged"): true } });
    let ask = own.request("subscriptions/listen", filter);
    let id = ask.body["id"].clone();
    let answer = own.exchange(ask, |message| message.get("method").is_some()).await;
    let first =
        answer.messages.first().ok_or_else(|| fail(format!("expected an acknowledgement, {}", answer.seen())))?;
    want(first["method"] == "notifications/subscriptions/acknowledged", || {
        format!("the first message is {}", shown(first))
    })?;
    want(first["params"]["_meta"][ID] == id, || format!("`{ID}` is {}", first["params"]["_meta"][ID]))?;
    want(first["params"]["notifications"].is_object(), || "the acknowledgement has no `notifications`".to_owned())
}

pub(super) async fn log_level(p: &mut Probe) -> Finding {
    logs(p)?;
    p.ask("logging/setLevel", json!({ "level": "error" })).await.map(|_| ())
}

pub(super) async fn bad_level(p: &mut Probe) -> Finding {
    logs(p)?;
    let ask = p.request("logging/setLevel", json!({ "level": "shouting" }));
    p.send(ask).await.is_error(-32602)
}

fn logs(p: &Probe) -> Finding {
    if p.declares("logging") { Ok(()) } else { Err(skip("it does not declare `logging`")) }
}

pub(super) async fn names(p: &mut Probe) -> Finding {
    for tool in p.list(ListKind::Tools).await? {
        let name = tool["name"].as_str().unwrap_or_default();
        let fits =
            (1..=128).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
        want(fits, || format!("`{name}` is not 1 to 128 characters of A-Z, a-z, 0-9, `_`, `-`, `.`"))?;
    }
    Ok(())
}

/// Whether structured results may be anything, or objects only.
pub(super) fn any_structure(revision: Revision) -> bool {
    revision >= Revision::V2026_07_28
}
