//! What can be wrong with an impl block of tools, all said at once.
impl Broken {
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    fn undocumented(&self, a: i64) -> i64 {
        a
    }
    /// Takes numbers.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    fn numbers(&self, a: i64) -> String {
        a.to_string()
    }
    /// Has another variable.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    fn other(&self, name: String) -> String {
        name
    }
    /// Has no URI.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    fn nowhere(&self) -> String {
        String::new()
    }
    /// Is both.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    fn both(&self) {}
    /// Runs as what?
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    fn task(&self) {}
    /// Streams.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    fn streams(&self) -> impl Stream<Item = Result<u8>> {
        empty()
    }
}
const _: () = {
    #[derive(
        ::micro_mcp::__private::serde::Deserialize,
        ::micro_mcp::__private::schemars::JsonSchema
    )]
    #[serde(crate = "::micro_mcp::__private::serde")]
    #[schemars(crate = "::micro_mcp::__private::schemars")]
    struct __UndocumentedArguments {
        a: i64,
    }
    #[automatically_derived]
    impl ::micro_mcp::ToolSet for Broken {
        fn register(
            self: ::std::sync::Arc<Self>,
            server: ::micro_mcp::Builder,
        ) -> ::micro_mcp::Builder {
            let server = server
                .tool("undocumented")
                .description("")
                .output_schema::<i64>()
                .handler({
                    let this = ::std::sync::Arc::clone(&self);
                    move |
                        _: ::micro_mcp::CallContext,
                        arguments: __UndocumentedArguments|
                    {
                        let this = ::std::sync::Arc::clone(&this);
                        async move {
                            ::micro_mcp::Json(<Broken>::undocumented(&this, arguments.a))
                        }
                    }
                });
            let server = server
                .prompt(
                    ::micro_mcp::__private::prompt(
                        "numbers",
                        ::core::option::Option::None,
                        "Takes numbers.",
                        [
                            ::micro_mcp::__private::prompt_argument(
                                "a",
                                ::core::option::Option::None,
                                true,
                            ),
                        ],
                        [],
                    ),
                    {
                        let this = ::std::sync::Arc::clone(&self);
                        move |mut get: ::micro_mcp::GetPrompt| {
                            let this = ::std::sync::Arc::clone(&this);
                            async move {
                                let a = get.arguments.remove("a").unwrap_or_default();
                                ::micro_mcp::__private::messages(
                                    <Broken>::numbers(&this, a),
                                )
                            }
                        }
                    },
                );
            let server = server
                .resource_template(
                    ::micro_mcp::__private::resource_template(
                        "x://{id}",
                        "other",
                        ::core::option::Option::None,
                        "Has another variable.",
                        ::core::option::Option::None,
                        [],
                    ),
                    {
                        let this = ::std::sync::Arc::clone(&self);
                        move |mut read: ::micro_mcp::Read| {
                            let this = ::std::sync::Arc::clone(&this);
                            async move {
                                let uri = ::std::clone::Clone::clone(&read.uri);
                                let name = read
                                    .variables
                                    .remove("name")
                                    .unwrap_or_default();
                                ::micro_mcp::__private::contents(
                                    uri,
                                    ::core::option::Option::None,
                                    <Broken>::other(&this, name),
                                )
                            }
                        }
                    },
                );
            let server = server
                .tool("both")
                .description("Is both.")
                .handler({
                    let this = ::std::sync::Arc::clone(&self);
                    move |
                        _: ::micro_mcp::CallContext,
                        _: ::micro_mcp::__private::NoArguments|
                    {
                        let this = ::std::sync::Arc::clone(&this);
                        async move { <Broken>::both(&this) }
                    }
                });
            let server = server
                .tool("task")
                .description("Runs as what?")
                .handler({
                    let this = ::std::sync::Arc::clone(&self);
                    move |
                        _: ::micro_mcp::CallContext,
                        _: ::micro_mcp::__private::NoArguments|
                    {
                        let this = ::std::sync::Arc::clone(&this);
                        async move { <Broken>::task(&this) }
                    }
                });
            server
        }
    }
};
::core::compile_error! {
    "unknown option `readonly`; did you mean `read_only`?"
}
::core::compile_error! {
    "a tool needs a doc comment: it is what a model reads to choose this tool"
}
::core::compile_error! {
    "the arguments of a prompt are texts: take `String` or `Option<String>`"
}
::core::compile_error! {
    "the variable `{id}` wants a parameter `id: String`"
}
::core::compile_error! {
    "the URI has no variable `{name}`"
}
::core::compile_error! {
    "a resource begins with its URI or template: `#[resource(\"users://{id}\")]`"
}
::core::compile_error! {
    "a method is one thing: a tool, a prompt or a resource"
}
::core::compile_error! {
    "write `task = optional` or `task = required`"
}
::core::compile_error! {
    "an icon is an `https:` or `data:` URL"
}
::core::compile_error! {
    "a tool answers once; tell of progress with `CallContext::progress`"
}
