//! Own errors, sync methods and skipped ones: the client stands beside the trait.

#[service(name = "shop.orders")]
pub(crate) trait Orders: Audited {
    /// Place an order.
    async fn place(&self, order: Order) -> Result<Receipt, OrderError>;

    /// Count the orders.
    fn count(&self) -> u64;

    /// Follow orders.
    async fn watch(&self, cx: Context) -> Result<impl Stream<Item = Result<Order>>>;

    /// Used by the server alone.
    #[endpoint(skip)]
    async fn flush(&self);
}
