//! Own errors, sync methods and skipped ones: the client stands beside the trait.
pub(crate) trait Orders: Audited + ::core::marker::Send + ::core::marker::Sync + 'static {
    /// Place an order.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    fn place(
        &self,
        order: Order,
    ) -> impl ::core::future::Future<
        Output = Result<Receipt, OrderError>,
    > + ::core::marker::Send;
    /// Count the orders.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    fn count(&self) -> u64;
    /// Follow orders.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    fn watch(
        &self,
        cx: Context,
    ) -> impl ::core::future::Future<
        Output = Result<impl Stream<Item = Result<Order>> + ::core::marker::Send>,
    > + ::core::marker::Send;
    /// Used by the server alone.
    fn flush(&self) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;
}
///Serves an implementation of [`Orders`].
pub(crate) struct OrdersServer<T>(T);
///Calls a service that serves [`Orders`].
#[derive(Clone)]
pub(crate) struct OrdersClient(::micro::__private::Remote);
const _: () = {
    #[derive(
        ::micro::__private::serde::Serialize,
        ::micro::__private::serde::Deserialize,
        ::micro::__private::schemars::JsonSchema
    )]
    #[serde(crate = "::micro::__private::serde")]
    #[schemars(crate = "::micro::__private::schemars")]
    struct __PlaceArguments {
        order: Order,
    }
    #[allow(dead_code)]
    impl<T: Orders> OrdersServer<T> {
        /// Takes the implementation.
        pub(crate) fn new(implementation: T) -> Self {
            Self(implementation)
        }
    }
    #[automatically_derived]
    impl<T: Orders> ::micro::__private::Service for OrdersServer<T> {
        fn descriptor() -> ::micro::__private::HandlerDescriptor {
            OrdersClient::descriptor()
        }
        fn dispatch(
            self: ::std::sync::Arc<Self>,
            endpoint: usize,
            cx: ::micro::__private::Context,
            body: ::micro::__private::bytes::Bytes,
        ) -> ::micro::__private::BoxFuture<
            'static,
            ::micro::__private::Result<::micro::__private::Reply>,
        > {
            match endpoint {
                0usize => {
                    ::std::boxed::Box::pin(async move {
                        let arguments: __PlaceArguments = ::micro::__private::arguments(
                            &body,
                        )?;
                        ::micro::__private::reply(
                            <T as Orders>::place(&self.0, arguments.order).await,
                        )
                    })
                }
                1usize => {
                    ::std::boxed::Box::pin(async move {
                        let _: ::micro::__private::NoArguments = ::micro::__private::arguments(
                            &body,
                        )?;
                        ::micro::__private::value(<T as Orders>::count(&self.0))
                    })
                }
                2usize => {
                    ::std::boxed::Box::pin(async move {
                        let _: ::micro::__private::NoArguments = ::micro::__private::arguments(
                            &body,
                        )?;
                        ::micro::__private::stream_reply(move |items| async move {
                                match <T as Orders>::watch(&self.0, cx).await {
                                    ::core::result::Result::Ok(stream) => {
                                        items.all(stream).await
                                    }
                                    ::core::result::Result::Err(error) => {
                                        items.fail(error).await
                                    }
                                }
                            })
                            .await
                    })
                }
                _ => ::micro::__private::unknown_endpoint(endpoint),
            }
        }
    }
    #[allow(dead_code, clippy::too_many_arguments)]
    impl OrdersClient {
        ///Calls the service `shop.orders` through `caller`.
        pub(crate) fn new(caller: impl ::micro::__private::Caller) -> Self {
            Self::with_name(caller, "shop.orders")
        }
        /// Calls a service of another name.
        pub(crate) fn with_name(
            caller: impl ::micro::__private::Caller,
            service: &str,
        ) -> Self {
            Self(::micro::__private::Remote::new(caller, service))
        }
        ///What [`Orders`] offers.
        pub(crate) fn descriptor() -> ::micro::__private::HandlerDescriptor {
            ::micro::__private::handler(
                "Orders",
                "",
                [
                    ::micro::__private::endpoint("Orders.Place", "Place an order.")
                        .input::<__PlaceArguments>()
                        .output::<Receipt>(),
                    ::micro::__private::endpoint("Orders.Count", "Count the orders.")
                        .input::<::micro::__private::NoArguments>()
                        .output::<u64>(),
                    ::micro::__private::endpoint("Orders.Watch", "Follow orders.")
                        .input::<::micro::__private::NoArguments>()
                        .output::<Order>()
                        .streaming(),
                ],
            )
        }
        ///Place an order.
        pub(crate) async fn place(
            &self,
            order: Order,
        ) -> ::micro::__private::Result<Receipt> {
            self.0
                .call(
                    ::micro::__private::Method {
                        endpoint: "Orders.Place",
                        idempotent: false,
                        timeout: ::core::option::Option::None,
                    },
                    ::core::option::Option::None,
                    &__PlaceArguments { order },
                )
                .await
        }
        ///Count the orders.
        pub(crate) async fn count(&self) -> ::micro::__private::Result<u64> {
            self.0
                .call(
                    ::micro::__private::Method {
                        endpoint: "Orders.Count",
                        idempotent: false,
                        timeout: ::core::option::Option::None,
                    },
                    ::core::option::Option::None,
                    &::micro::__private::NoArguments {},
                )
                .await
        }
        ///Follow orders.
        pub(crate) async fn watch(
            &self,
            cx: Context,
        ) -> ::micro::__private::Result<
            impl ::micro::__private::futures_core::Stream<
                Item = ::micro::__private::Result<Order>,
            > + ::core::marker::Send + use<>,
        > {
            self.0
                .try_stream(
                    ::micro::__private::Method {
                        endpoint: "Orders.Watch",
                        idempotent: false,
                        timeout: ::core::option::Option::None,
                    },
                    ::core::option::Option::Some(&cx),
                    &::micro::__private::NoArguments {},
                )
                .await
        }
    }
};
