//! One parameter is the arguments object; the context is found by its type.

/// User accounts: look up and create profiles.
#[service]
impl Users {
    /// Retrieve a user profile by ID. Returns the full profile.
    ///
    /// @example {"id": "user-123"}
    #[endpoint(scopes = ["users:read"], read_only, idempotent)]
    pub async fn get(&self, cx: &Context, req: GetRequest) -> Result<Profile> {
        self.db.find(cx, req.id).await
    }

    /// Forget everything.
    #[endpoint(destructive)]
    fn clear(&self) {
        self.db.clear();
    }

    fn helper(&self) -> u8 {
        7
    }
}
