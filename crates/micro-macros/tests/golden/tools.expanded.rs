//! Tools, prompts and resources of one impl block.
impl Calculator {
    /// Adds two numbers.
    ///
    /// @param a The first.
    /// @example {"a": 1, "b": 2}
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    async fn add(&self, a: i64, b: i64) -> i64 {
        a + b
    }
    /// Divides.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    fn divide(
        &self,
        cx: &CallContext,
        request: Division,
    ) -> Result<Quotient, CallError> {
        request.quotient(cx)
    }
    /// Forgets everything.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    async fn clear(&self) {}
    /// Asks for a review.
    ///
    /// @param code What to review.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    fn review(&self, code: String, style: Option<String>) -> String {
        format!("{code} {style:?}")
    }
    /// What happened.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    async fn log(&self, cx: CallContext) -> String {
        self.lines(cx).await
    }
    /// One line of what happened.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    fn line(&self, line: String) -> Result<String, CallError> {
        self.find(line)
    }
    fn helper(&self) {}
}
const _: () = {
    #[derive(
        ::micro_mcp::__private::serde::Deserialize,
        ::micro_mcp::__private::schemars::JsonSchema
    )]
    #[serde(crate = "::micro_mcp::__private::serde")]
    #[schemars(crate = "::micro_mcp::__private::schemars")]
    struct __AddArguments {
        ///The first.
        a: i64,
        b: i64,
    }
    #[automatically_derived]
    impl ::micro_mcp::ToolSet for Calculator {
        fn register(
            self: ::std::sync::Arc<Self>,
            server: ::micro_mcp::Builder,
        ) -> ::micro_mcp::Builder {
            let server = server
                .tool("add")
                .description("Adds two numbers.")
                .title("Sum")
                .annotations(::micro_mcp::proto::ToolAnnotations {
                    read_only_hint: ::core::option::Option::Some(true),
                    idempotent_hint: ::core::option::Option::Some(true),
                    ..::core::default::Default::default()
                })
                .icon(::micro_mcp::__private::icon("https://example.com/plus.png"))
                .example(::micro_mcp::__private::example("{\"a\":1,\"b\":2}"))
                .output_schema::<i64>()
                .handler({
                    let this = ::std::sync::Arc::clone(&self);
                    move |_: ::micro_mcp::CallContext, arguments: __AddArguments| {
                        let this = ::std::sync::Arc::clone(&this);
                        async move {
                            ::micro_mcp::Json(
                                <Calculator>::add(&this, arguments.a, arguments.b).await,
                            )
                        }
                    }
                });
            let server = server
                .tool("div")
                .description("Divides.")
                .annotations(::micro_mcp::proto::ToolAnnotations {
                    destructive_hint: ::core::option::Option::Some(false),
                    open_world_hint: ::core::option::Option::Some(false),
                    ..::core::default::Default::default()
                })
                .output_schema::<Quotient>()
                .handler({
                    let this = ::std::sync::Arc::clone(&self);
                    move |cx: ::micro_mcp::CallContext, arguments: Division| {
                        let this = ::std::sync::Arc::clone(&this);
                        async move {
                            <Calculator>::divide(&this, &cx, arguments)
                                .map(::micro_mcp::Json)
                        }
                    }
                });
            let server = server
                .tool("clear")
                .description("Forgets everything.")
                .task(::micro_mcp::task::TaskMode::Optional)
                .handler({
                    let this = ::std::sync::Arc::clone(&self);
                    move |
                        _: ::micro_mcp::CallContext,
                        _: ::micro_mcp::__private::NoArguments|
                    {
                        let this = ::std::sync::Arc::clone(&this);
                        async move { <Calculator>::clear(&this).await }
                    }
                });
            let server = server
                .prompt(
                    ::micro_mcp::__private::prompt(
                        "review",
                        ::core::option::Option::Some("Review"),
                        "Asks for a review.",
                        [
                            ::micro_mcp::__private::prompt_argument(
                                "code",
                                ::core::option::Option::Some("What to review."),
                                true,
                            ),
                            ::micro_mcp::__private::prompt_argument(
                                "style",
                                ::core::option::Option::None,
                                false,
                            ),
                        ],
                        [],
                    ),
                    {
                        let this = ::std::sync::Arc::clone(&self);
                        move |mut get: ::micro_mcp::GetPrompt| {
                            let this = ::std::sync::Arc::clone(&this);
                            async move {
                                let code = get.arguments.remove("code").unwrap_or_default();
                                let style = get.arguments.remove("style");
                                ::micro_mcp::__private::messages(
                                    <Calculator>::review(&this, code, style),
                                )
                            }
                        }
                    },
                );
            let server = server
                .resource(
                    ::micro_mcp::__private::resource(
                        "calc://log",
                        "log",
                        ::core::option::Option::None,
                        "What happened.",
                        ::core::option::Option::Some("text/plain"),
                        [],
                    ),
                    {
                        let this = ::std::sync::Arc::clone(&self);
                        move |read: ::micro_mcp::Read| {
                            let this = ::std::sync::Arc::clone(&this);
                            async move {
                                let uri = ::std::clone::Clone::clone(&read.uri);
                                let cx = read.cx;
                                ::micro_mcp::__private::contents(
                                    uri,
                                    ::core::option::Option::Some("text/plain"),
                                    <Calculator>::log(&this, cx).await,
                                )
                            }
                        }
                    },
                );
            let server = server
                .resource_template(
                    ::micro_mcp::__private::resource_template(
                        "calc://log/{line}",
                        "line",
                        ::core::option::Option::None,
                        "One line of what happened.",
                        ::core::option::Option::None,
                        [],
                    ),
                    {
                        let this = ::std::sync::Arc::clone(&self);
                        move |mut read: ::micro_mcp::Read| {
                            let this = ::std::sync::Arc::clone(&this);
                            async move {
                                let uri = ::std::clone::Clone::clone(&read.uri);
                                let line = read
                                    .variables
                                    .remove("line")
                                    .unwrap_or_default();
                                ::micro_mcp::__private::contents(
                                    uri,
                                    ::core::option::Option::None,
                                    <Calculator>::line(&this, line),
                                )
                            }
                        }
                    },
                );
            server
        }
    }
};
