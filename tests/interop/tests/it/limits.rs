//! What an SDK that nobody here wrote cannot do, or does in another way, and what is seen instead.

use micro_mcp::proto::Era;

use crate::peers::{Cell, Peer, Side};

/// One line of the table.
pub(crate) struct Limit {
    peer: Peer,
    side: Side,
    /// `None` means both.
    era: Option<Era>,
    /// What of the contract is seen in another way.
    pub(crate) sentence: &'static str,
    /// What is seen.
    pub(crate) seen: &'static str,
    pub(crate) why: &'static str,
}

/// The limits of the peer in a cell.
pub(crate) fn of(cell: &Cell) -> impl Iterator<Item = &'static Limit> {
    let here = |limit: &&Limit| limit.peer == cell.peer && limit.side == cell.side;
    LIMITS.iter().filter(here).filter(|limit| limit.era.is_none_or(|era| era == cell.era))
}

pub(crate) const LIMITS: &[Limit] = &[
    Limit {
        peer: Peer::FastMcp,
        side: Side::Server,
        era: None,
        sentence: "update",
        seen: "error -32601",
        why: "has neither resources/subscribe nor subscriptions/listen",
    },
    Limit {
        peer: Peer::FastMcp,
        side: Side::Client,
        era: Some(Era::Modern),
        sentence: "list change",
        seen: "error -32601",
        why: "cannot listen, and asks for resources/subscribe, which the era has not",
    },
    Limit {
        peer: Peer::FastMcp,
        side: Side::Client,
        era: Some(Era::Modern),
        sentence: "update",
        seen: "error -32601",
        why: "cannot listen, and asks for resources/subscribe, which the era has not",
    },
];
