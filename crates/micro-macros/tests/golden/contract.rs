//! A trait all of whose methods the client can implement.

/// User accounts.
#[service]
pub trait UserAccounts {
    /// Retrieve a user.
    #[endpoint(read_only, idempotent, timeout = "500ms")]
    async fn get(&self, cx: &Context, id: UserId) -> Result<Profile>;

    /// Search for users.
    async fn find(&self, req: FindRequest) -> Result<Vec<Profile>>;

    /// Follow changes.
    async fn changes(&self, /** Older ones are left out. */ since: Option<u64>) -> impl Stream<Item = Result<Change>>;

    /// Follow deletions.
    fn deletions(&self) -> impl Stream<Item = Result<UserId>>;

    /// Whether there is such a user. Not an endpoint: it has a body.
    async fn exists(&self, cx: &Context, id: UserId) -> bool {
        self.get(cx, id).await.is_ok()
    }
}
