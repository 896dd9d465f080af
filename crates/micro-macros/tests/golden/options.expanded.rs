//! Every option of `#[endpoint]`, and a library under another path.
impl Shop {
    /// Place an order.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    async fn place_order(&self, order: Order) -> Result<Receipt> {
        self.place(order).await
    }
}
const _: () = {
    #[derive(
        crate::library::__private::serde::Deserialize,
        crate::library::__private::schemars::JsonSchema
    )]
    #[serde(crate = "crate::library::__private::serde")]
    #[schemars(crate = "crate::library::__private::schemars")]
    struct __PlaceOrderArguments {
        order: Order,
    }
    #[automatically_derived]
    impl crate::library::__private::Service for Shop {
        fn descriptor() -> crate::library::__private::HandlerDescriptor {
            crate::library::__private::handler(
                "Shop",
                "",
                [
                    crate::library::__private::endpoint("Shop.Place", "Place an order.")
                        .title("Place an order")
                        .scopes(&["orders:write", "admin"])
                        .idempotent()
                        .destructive(false)
                        .open_world(true)
                        .timeout(::core::time::Duration::from_millis(2000u64))
                        .cost(3u32)
                        .cache(::core::time::Duration::from_millis(60000u64))
                        .input::<__PlaceOrderArguments>()
                        .output::<Receipt>(),
                ],
            )
        }
        fn dispatch(
            self: ::std::sync::Arc<Self>,
            endpoint: usize,
            _cx: crate::library::__private::Context,
            body: crate::library::__private::bytes::Bytes,
        ) -> crate::library::__private::BoxFuture<
            'static,
            crate::library::__private::Result<crate::library::__private::Reply>,
        > {
            match endpoint {
                0usize => {
                    ::std::boxed::Box::pin(async move {
                        let arguments: __PlaceOrderArguments = crate::library::__private::arguments(
                            &body,
                        )?;
                        crate::library::__private::reply(
                            Self::place_order(&self, arguments.order).await,
                        )
                    })
                }
                _ => crate::library::__private::unknown_endpoint(endpoint),
            }
        }
    }
};
