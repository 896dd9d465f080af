//! Five mistakes: five errors, and the item and its sound endpoint are still there.

#[service]
impl Users {
    #[endpoint]
    async fn undocumented(&self, id: u64) -> Result<Profile> {
        self.find(id)
    }

    /// Unknown option.
    #[endpoint(scope = ["users:read"])]
    async fn misspelt(&self) -> Result<()> {
        Ok(())
    }

    /// Borrowed argument, no `&self`.
    #[endpoint]
    async fn borrowed(name: &str) -> Result<()> {
        Ok(())
    }

    /// An example that does not fit.
    ///
    /// @example {"idd": 7}
    #[endpoint]
    async fn example(&self, id: Option<u64>) -> Result<()> {
        Ok(())
    }

    /// Nothing wrong here.
    #[endpoint]
    async fn sound(&self) -> Result<()> {
        Ok(())
    }
}
