//! The registry, the services in it and the catalog they make.

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::{FutureExt, StreamExt};
use micro_core::ServiceDescriptor;
use micro_gateway::Config;
use micro_registry::{Event, FileRegistry, Instance, Location, Registry};

use super::{Check, Report, http};
use crate::{
    cx::Cx,
    error::CommandError,
    fleet::{self, PATIENCE},
    tools, words,
};

/// A heartbeat further in the future than this comes from a clock that is wrong.
const SKEW: Duration = Duration::from_secs(2);

/// Everything behind `--registry`. What cannot be looked at any more is left out.
pub(super) async fn examine(cx: &Cx, report: &mut Report<'_>) {
    let registry = match cx.registry() {
        Ok(registry) => registry,
        Err(error) => return report.add(down(cx, &error)),
    };
    let instances = match fleet::list(&*registry).await {
        Ok(instances) => instances,
        Err(error) => return report.add(down(cx, &error)),
    };
    report.add(writable(cx, &*registry).await);
    for check in records(&*registry).await {
        report.add(check);
    }
    if let Some(check) = left_behind(&cx.location, &instances) {
        report.add(check);
    }
    if instances.is_empty() {
        report.add(Check::warning("services", "none are registered", fleet::nobody(&cx.location)));
        return;
    }
    for instance in &instances {
        report.add(health(instance).await);
    }
    for check in catalog(cx).await {
        report.add(check);
    }
}

fn down(cx: &Cx, error: &CommandError) -> Check {
    let why: String = error.causes.iter().map(|cause| format!(": {cause}")).collect();
    let advice = format!("make `{}` usable, or name another with --registry or MICRO_REGISTRY", cx.location);
    Check::broken("registry", format!("{error}{why}"), advice)
}

/// Puts a record in, looks whether it is there, takes it out again.
async fn writable(cx: &Cx, registry: &dyn Registry) -> Check {
    let probe = ServiceDescriptor {
        name: "micro-doctor".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        description: String::new(),
        endpoints: Vec::new(),
    };
    let probe = Instance::new(&probe, &uuid::Uuid::new_v4().to_string(), "127.0.0.1:9"); // the discard port
    let tried = async {
        registry.register(&probe, PATIENCE).await?;
        let listed = registry.list().await?;
        registry.deregister(&probe).await?;
        Ok::<_, micro_registry::Error>(listed.iter().any(|instance| instance.node.id == probe.node.id))
    };
    match tokio::time::timeout(PATIENCE, tried).await.map_err(|_| fleet::silent()).and_then(|done| Ok(done?)) {
        Err(error) => Check { name: "registry is writable".to_owned(), ..down(cx, &error) },
        Ok(true) => Check::ok("registry", format!("`{}` can be read and written", cx.location)),
        Ok(false) => Check::broken(
            "registry",
            "a record that was just written counts as expired",
            "the clocks of this machine and of the registry disagree: set them with NTP",
        ),
    }
}

/// What the registry itself complains of.
async fn records(registry: &dyn Registry) -> Vec<Check> {
    let mut events = registry.watch();
    let mut problems = Vec::new();
    let read = async {
        while let Some(event) = events.next().await {
            match event {
                Event::Ignored(problem) | Event::Problem(problem) => problems.push(problem),
                _ => break,
            }
        }
        while let Some(Some(event)) = events.next().now_or_never() {
            problems.extend(match event {
                Event::Ignored(problem) | Event::Problem(problem) => Some(problem),
                _ => None,
            });
        }
    };
    if tokio::time::timeout(PATIENCE, read).await.is_err() {
        problems.push("it has not told what is in it".to_owned());
    }
    let advice = "remove it, or ask whoever writes it";
    problems.into_iter().map(|problem| Check::warning("registry record", problem, advice)).collect()
}

/// Records of processes that ended without a word, and heartbeats from the future.
fn left_behind(location: &Location, alive: &[Arc<Instance>]) -> Option<Check> {
    let folder: PathBuf = match location {
        Location::Memory => return None,
        Location::File(None) => FileRegistry::open_default().ok()?.folder().to_owned(),
        Location::File(Some(folder)) => FileRegistry::open(folder).ok()?.folder().to_owned(),
    };
    let alive: BTreeSet<&str> = alive.iter().map(|instance| instance.node.id.as_str()).collect();
    let (mut expired, mut future) = (0, 0);
    for file in fs::read_dir(folder).ok()?.flatten() {
        let Ok(record) = fs::read(file.path()).map(|text| serde_json::from_slice::<Record>(&text)) else { continue };
        let Ok(record) = record else { continue }; // told by `records`
        expired += usize::from(!alive.contains(record.service.node.id.as_str()));
        let touched = file.metadata().and_then(|meta| meta.modified());
        future += usize::from(touched.is_ok_and(|touched| touched > SystemTime::now() + SKEW));
    }
    if future > 0 {
        let found = format!("{} in the future", words::count(future, "heartbeat"));
        return Some(Check::broken("clock", found, "a clock is wrong: set it with NTP, or services never expire"));
    }
    if expired == 0 {
        return Some(Check::ok("records", "none is left of services that ended without a word"));
    }
    let found = format!("{} left of services that ended without a word", words::count(expired, "record"));
    Some(Check::warning("records", found, "look into their logs; the records go on their own, or remove them"))
}

/// A file of the registry, as far as it matters here.
#[derive(serde::Deserialize)]
struct Record {
    service: Instance,
}

/// Whether a node answers.
async fn health(instance: &Instance) -> Check {
    let (name, node) = (format!("service {}", instance.name), &instance.node);
    match http::get(&node.address, "/health").await {
        Ok((status, _)) if status.is_success() => Check::ok(name, format!("{} is healthy", node.address)),
        Ok((status, _)) => {
            let found = format!("{} answers its health check with {status}", node.address);
            Check::warning(name, found, "fine for services of other frameworks; else look into its logs")
        }
        Err(why) => {
            let advice = format!("look into the logs of node {}; its record goes when it is over", node.id);
            Check::broken(name, format!("{} does not answer: {why}", node.address), advice)
        }
    }
}

/// What a gateway would make of the services.
async fn catalog(cx: &Cx) -> Vec<Check> {
    let core = match tools::core(cx, &Config::default()).await {
        Ok(core) => core,
        Err(error) => return vec![down(cx, &error)],
    };
    let catalog = core.catalog().load();
    let advice = "change the endpoint in its service";
    let problem = |p: &micro_gateway::Problem| Check::warning("tool", p.to_string(), advice);
    let problems: Vec<Check> = catalog.problems().iter().map(problem).collect();
    if problems.is_empty() {
        return vec![Check::ok("tools", words::count(catalog.tools().len(), "tool"))];
    }
    problems
}
