//! What can be wrong with an impl block of tools, all said at once.

#[tools]
impl Broken {
    #[tool(readonly)]
    fn undocumented(&self, a: i64) -> i64 {
        a
    }

    /// Takes numbers.
    #[prompt]
    fn numbers(&self, a: i64) -> String {
        a.to_string()
    }

    /// Has another variable.
    #[resource("x://{id}")]
    fn other(&self, name: String) -> String {
        name
    }

    /// Has no URI.
    #[resource]
    fn nowhere(&self) -> String {
        String::new()
    }

    /// Is both.
    #[tool]
    #[prompt]
    fn both(&self) {}

    /// Runs as what?
    #[tool(task = sometimes, icons = ["http://example.com/a.png"])]
    fn task(&self) {}

    /// Streams.
    #[tool]
    fn streams(&self) -> impl Stream<Item = Result<u8>> {
        empty()
    }
}
