//! Every option of `#[endpoint]`, and a library under another path.

#[service(crate = "crate::library")]
impl Shop {
    /// Place an order.
    #[endpoint(
        name = "Place",
        title = "Place an order",
        scopes = ["orders:write", "admin"],
        idempotent,
        destructive = false,
        open_world,
        timeout = "2s",
        cost = 3,
        cache = "1m"
    )]
    async fn place_order(&self, order: Order) -> Result<Receipt> {
        self.place(order).await
    }
}
