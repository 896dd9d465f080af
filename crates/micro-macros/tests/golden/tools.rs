//! Tools, prompts and resources of one impl block.

#[tools]
impl Calculator {
    /// Adds two numbers.
    ///
    /// @param a The first.
    /// @example {"a": 1, "b": 2}
    #[tool(read_only, idempotent, title = "Sum", icons = ["https://example.com/plus.png"])]
    async fn add(&self, a: i64, b: i64) -> i64 {
        a + b
    }

    /// Divides.
    #[tool(name = "div", destructive = false, open_world = false)]
    fn divide(&self, cx: &CallContext, request: Division) -> Result<Quotient, CallError> {
        request.quotient(cx)
    }

    /// Forgets everything.
    #[tool(task = optional)]
    async fn clear(&self) {}

    /// Asks for a review.
    ///
    /// @param code What to review.
    #[prompt(title = "Review")]
    fn review(&self, code: String, style: Option<String>) -> String {
        format!("{code} {style:?}")
    }

    /// What happened.
    #[resource("calc://log", mime_type = "text/plain")]
    async fn log(&self, cx: CallContext) -> String {
        self.lines(cx).await
    }

    /// One line of what happened.
    #[resource("calc://log/{line}")]
    fn line(&self, line: String) -> Result<String, CallError> {
        self.find(line)
    }

    fn helper(&self) {}
}
