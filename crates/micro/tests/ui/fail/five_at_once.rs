//! Five mistakes are five errors, in one run of the compiler.

use micro::prelude::*;

struct Users;

#[micro::service]
impl Users {
    #[endpoint]
    async fn undocumented(&self, id: u64) -> Result<u64> {
        Ok(id)
    }

    /// A misspelt option.
    #[endpoint(scope = ["users:read"])]
    async fn misspelt(&self) -> Result<()> {
        Ok(())
    }

    /// A borrowed argument.
    #[endpoint]
    async fn borrowed(&self, name: &str) -> Result<usize> {
        Ok(name.len())
    }

    /// An example that does not fit.
    ///
    /// @example {"idd": 7}
    #[endpoint]
    async fn example(&self, id: Option<u64>) -> Result<bool> {
        Ok(id.is_some())
    }

    /// Changes itself.
    #[endpoint]
    fn change(&mut self) {}
}

fn main() {
    // The item is still there: no error from here.
    let _ = Users.undocumented(7);
}
