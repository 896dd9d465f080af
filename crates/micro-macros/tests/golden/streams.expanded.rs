//! The three ways to stream.
impl Logs {
    /// Follow a log.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    async fn tail(
        &self,
        cx: &Context,
        topic: String,
    ) -> impl Stream<Item = Result<Line>> {
        self.lines(cx, topic)
    }
    /// Follow every log.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    fn all(&self) -> impl Stream<Item = Result<Line, LogError>> + Send + '_ {
        self.every_line()
    }
    /// Follow a log that may not be there.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    async fn open(&self, topic: String) -> Result<impl Stream<Item = Result<Line>>> {
        self.find(topic).map(Log::lines)
    }
}
const _: () = {
    #[derive(
        ::micro::__private::serde::Deserialize,
        ::micro::__private::schemars::JsonSchema
    )]
    #[serde(crate = "::micro::__private::serde")]
    #[schemars(crate = "::micro::__private::schemars")]
    struct __TailArguments {
        topic: String,
    }
    #[derive(
        ::micro::__private::serde::Deserialize,
        ::micro::__private::schemars::JsonSchema
    )]
    #[serde(crate = "::micro::__private::serde")]
    #[schemars(crate = "::micro::__private::schemars")]
    struct __OpenArguments {
        topic: String,
    }
    #[automatically_derived]
    impl ::micro::__private::Service for Logs {
        fn descriptor() -> ::micro::__private::HandlerDescriptor {
            ::micro::__private::handler(
                "Logs",
                "",
                [
                    ::micro::__private::endpoint("Logs.Tail", "Follow a log.")
                        .read_only()
                        .input::<__TailArguments>()
                        .output::<Line>()
                        .streaming(),
                    ::micro::__private::endpoint("Logs.All", "Follow every log.")
                        .read_only()
                        .input::<::micro::__private::NoArguments>()
                        .output::<Line>()
                        .streaming(),
                    ::micro::__private::endpoint(
                            "Logs.Open",
                            "Follow a log that may not be there.",
                        )
                        .read_only()
                        .input::<__OpenArguments>()
                        .output::<Line>()
                        .streaming(),
                ],
            )
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
                        let arguments: __TailArguments = ::micro::__private::arguments(
                            &body,
                        )?;
                        ::micro::__private::stream_reply(move |items| async move {
                                items
                                    .all(Self::tail(&self, &cx, arguments.topic).await)
                                    .await
                            })
                            .await
                    })
                }
                1usize => {
                    ::std::boxed::Box::pin(async move {
                        let _: ::micro::__private::NoArguments = ::micro::__private::arguments(
                            &body,
                        )?;
                        ::micro::__private::stream_reply(move |items| async move {
                                items.all(Self::all(&self)).await
                            })
                            .await
                    })
                }
                2usize => {
                    ::std::boxed::Box::pin(async move {
                        let arguments: __OpenArguments = ::micro::__private::arguments(
                            &body,
                        )?;
                        ::micro::__private::stream_reply(move |items| async move {
                                match Self::open(&self, arguments.topic).await {
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
};
