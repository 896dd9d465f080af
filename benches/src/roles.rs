//! What a started process can be.

use clap::ValueEnum;

/// One server under test, or one that it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Parses a tools/call and writes the echo result, nothing else.
    BareEcho,
    /// The same for a batch of them.
    BareBatch,
    /// The same for each line of its input.
    BareLines,
    /// The SDK with one tool.
    Sdk1,
    /// The SDK with fifty.
    Sdk50,
    /// The SDK with one tool, on its streams.
    SdkStdio,
    /// A Micro service.
    Service,
    /// Forwards bodies to the service and back.
    BareProxy,
    /// The gateway in front of the service, with the policies that are named.
    Gateway,
    /// A gateway with so many tools.
    List10,
    List1k,
    List10k,
    /// With ten thousand, of which callers see fifty different parts.
    List50Sets,
}
