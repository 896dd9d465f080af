//! The machine: toolchain, limits, ports.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use rustix::process::{Resource, getrlimit};
use serde_json::Value;
use tokio::{net::TcpListener, process::Command};

use super::{Check, http};

/// The oldest cargo that builds services.
const OLDEST_CARGO: (u32, u32) = (1, 95);
/// Fewer files than this are used up by a few hundred connections.
const FEW_FILES: u64 = 4096;

/// Whether services can be built here.
pub(super) async fn toolchain() -> Check {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let said = match Command::new(cargo).arg("--version").output().await {
        Ok(out) if out.status.success() => String::from_utf8_lossy(&out.stdout).trim().to_owned(),
        _ => {
            let advice = "install Rust from https://rustup.rs to build services; a gateway does not need it";
            return Check::warning("rust", "there is no cargo", advice);
        }
    };
    match version(&said) {
        Some(version) if version >= OLDEST_CARGO => Check::ok("rust", said),
        _ => {
            let (major, minor) = OLDEST_CARGO;
            Check::broken("rust", said, format!("services need cargo {major}.{minor} or newer: `rustup update stable`"))
        }
    }
}

/// Reads `cargo 1.95.0 (…)`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_whitespace().nth(1)?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// How many files and connections a process may hold open.
pub(super) fn descriptors() -> Check {
    let limit = getrlimit(Resource::Nofile);
    let words = |limit: Option<u64>| limit.map_or_else(|| "unlimited".to_owned(), |number| number.to_string());
    let found = format!("{} files and connections (at most {})", words(limit.current), words(limit.maximum));
    match limit.current {
        Some(few) if few < FEW_FILES => {
            Check::warning("open files", found, "a busy gateway needs more: `ulimit -n 65536` in its shell or unit")
        }
        _ => Check::ok("open files", found),
    }
}

/// Whether a default port is free, or who has it.
pub(super) async fn port(port: u16, what: &str) -> Check {
    let name = format!("port {port}");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match TcpListener::bind(address).await {
        Ok(_) => Check::ok(name, format!("free for {what}")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => match gateway(address).await {
            Some(tools) => Check::ok(name, format!("a Micro gateway with {tools} tools answers")),
            None => {
                let advice = format!("{what} would be there by default: end that program, or use --address");
                Check::warning(name, "another program has it", advice)
            }
        },
        Err(error) => Check::warning(name, format!("cannot be used: {error}"), "use --address to listen elsewhere"),
    }
}

/// How many tools the gateway at this address has, if one is there.
async fn gateway(address: SocketAddr) -> Option<u64> {
    let (_, body) = http::get(&address.to_string(), "/health").await.ok()?;
    serde_json::from_slice::<Value>(&body).ok()?["tools"].as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_says_its_version() {
        assert_eq!(version("cargo 1.95.0 (f2d3ce0bd 2026-03-21)"), Some((1, 95)));
        assert_eq!(version("cargo 1.96.0-nightly"), Some((1, 96)));
        assert_eq!(version("cargo"), None);
    }

    #[tokio::test]
    async fn a_taken_port_is_told_from_a_free_one() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let number = taken.local_addr().unwrap().port();
        let stranger = tokio::spawn(async move {
            let _ = taken.accept().await; // and hangs up
            taken
        });
        assert_eq!(port(number, "a test").await.found, "another program has it");
        drop(stranger.await.unwrap());
        assert_eq!(port(number, "a test").await.found, "free for a test");
    }
}
