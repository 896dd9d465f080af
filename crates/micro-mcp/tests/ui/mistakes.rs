//! Mistakes in an impl block of tools.
use micro_mcp as mcp;

struct Broken;

#[mcp::tools]
impl Broken {
    #[tool(readonly)]
    fn undocumented(&self, a: i64) -> String {
        a.to_string()
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

    /// Changes itself.
    ///
    /// @param b Is not there.
    #[tool(task = sometimes)]
    fn change(&mut self, a: i64) {}
}

fn main() {}
