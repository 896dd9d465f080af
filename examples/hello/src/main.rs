//! The smallest service: one endpoint, and a gateway of its own that makes it a tool.

/// Greets people.
struct Hello;

#[micro::service]
impl Hello {
    /// Say hello to someone by name.
    ///
    /// @example {"name": "Ada"}
    #[endpoint(read_only)]
    fn hello(
        &self,
        /// Whom to greet.
        name: String,
    ) -> String {
        format!("Hello, {name}!")
    }
}

#[tokio::main]
async fn main() -> micro::Result<()> {
    let address = std::env::var("HELLO_MCP").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    micro::service("hello").handle(Hello).mcp(&address).run().await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Hello;

    #[tokio::test]
    async fn it_greets_whom_it_is_told() {
        let greeting: String = micro::serve(Hello).call("Hello.Hello", json!({"name": "Ada"})).await.unwrap();
        assert_eq!(greeting, "Hello, Ada!");
    }
}
