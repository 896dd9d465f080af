//! The page about all this says what is so.

use std::{collections::BTreeSet, fs};

use anyhow::{Context, Result};
use micro_test::{Tool, workspace};

use crate::{
    limits::LIMITS,
    peers::{Cell, Peer, Side, Wire},
};

/// The version of an SDK that is tested with.
fn version(peer: Peer) -> Result<String> {
    let tool = match peer {
        Peer::Python1 => Tool::Mcp1,
        Peer::Python2 => Tool::Mcp2,
        Peer::FastMcp => Tool::FastMcp,
        Peer::TypeScript1 => Tool::Sdk1,
        Peer::TypeScript2 => Tool::Sdk2,
        Peer::Rmcp => {
            let lock = fs::read_to_string(workspace::root()?.join("Cargo.lock"))?;
            let version = lock.split("name = \"rmcp\"\nversion = \"").nth(1).context("rmcp is in the lock file")?;
            return Ok(version.split('"').next().unwrap_or_default().to_owned());
        }
    };
    Ok(tool.name().rsplit('-').next().unwrap_or_default().to_owned())
}

/// The transports that a peer is tested over, in the words of the page.
fn wires(peer: Peer, side: Side) -> BTreeSet<String> {
    let word = |cell: Cell| match cell.wire {
        Wire::Http => "Streamable HTTP",
        Wire::Stdio => "stdio",
        Wire::Sse => "HTTP+SSE",
        Wire::WebSocket => "WebSocket",
    };
    Cell::all(peer, side).into_iter().map(word).map(ToOwned::to_owned).collect()
}

#[test]
fn the_page_says_which_versions_transports_and_limits_are_tested() -> Result<()> {
    let page = fs::read_to_string(workspace::root()?.join("docs/guides/interop.md"))?;
    for peer in Peer::ALL {
        let version = version(peer)?;
        let row = page.lines().find(|line| line.contains(&format!("| {version} |")));
        let row: Vec<_> = row.with_context(|| format!("no row for {peer:?} {version}"))?.split(" | ").collect();
        let [_, _, _, serves, calls] = row[..] else { panic!("{peer:?}: {row:?}") };
        for (told, side) in [(serves, Side::Server), (calls, Side::Client)] {
            let told = told.trim_matches([' ', '|']).split(", ").map(ToOwned::to_owned).collect();
            assert_eq!(wires(peer, side), told, "{peer:?} {side:?}");
        }
    }
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for limit in LIMITS {
        assert!(page.contains(limit.why), "the page does not say: {}", limit.why);
    }
    Ok(())
}
