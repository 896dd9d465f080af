//! Plain parameters, with docs and attributes that move to the hidden struct.

#[service]
impl crate::store::Users {
    /// Create a user.
    ///
    /// @param email Where the invoices go.
    #[endpoint]
    async fn create_user(
        &self,
        /** Full name, as printed on invoices. */ name: String,
        #[schemars(email)] email: String,
        cx: Context,
        #[serde(default)] mut tags: Vec<String>,
        r#type: Option<Kind>,
    ) -> Result<Profile, StoreError> {
        tags.sort();
        self.insert(cx, name, email, tags, r#type).await
    }

    /// A lone parameter of a plain type is a key, whatever it is called.
    #[endpoint]
    fn echo(&self, input: String) -> String {
        input
    }
}
