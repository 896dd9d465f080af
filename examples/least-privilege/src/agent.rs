//! An MCP client that tells what it does.

use anyhow::{Result, bail};
use micro_mcp::client::{Client, Error};
use serde_json::Value;

/// Somebody who calls tools.
pub(crate) struct Agent {
    pub(crate) name: &'static str,
    pub(crate) client: Client,
}

impl Agent {
    /// Says what it may call.
    pub(crate) async fn tools(&self) -> Result<()> {
        let tools = self.client.tools().await?;
        let names: Vec<_> = tools.iter().map(|tool| &*tool.name).collect();
        println!("  {:<10} sees {}", self.name, names.join(", "));
        Ok(())
    }

    /// Calls a tool, which must be allowed.
    pub(crate) async fn calls(&self, tool: &str, arguments: Value) -> Result<Value> {
        let result = self.client.call(tool).args(&arguments).json().await?;
        println!("  {:<10} {tool} {arguments}: allowed", self.name);
        Ok(result)
    }

    /// Calls a tool, which must be refused by the gateway.
    pub(crate) async fn is_refused(&self, tool: &str, arguments: Value) -> Result<()> {
        match self.client.call(tool).args(&arguments).text().await {
            Err(Error::Rpc(refused)) => println!("  {:<10} {tool} {arguments}: {}", self.name, refused.message),
            Err(other) => return Err(other.into()),
            Ok(_) => bail!("{} got away with {tool} {arguments}", self.name),
        }
        Ok(())
    }
}
