//! Five mistakes: five errors, and the item and its sound endpoint are still there.
impl Users {
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    async fn undocumented(&self, id: u64) -> Result<Profile> {
        self.find(id)
    }
    /// Unknown option.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    async fn misspelt(&self) -> Result<()> {
        Ok(())
    }
    /// Borrowed argument, no `&self`.
    async fn borrowed(name: &str) -> Result<()> {
        Ok(())
    }
    /// An example that does not fit.
    ///
    /// @example {"idd": 7}
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    async fn example(&self, id: Option<u64>) -> Result<()> {
        Ok(())
    }
    /// Nothing wrong here.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    async fn sound(&self) -> Result<()> {
        Ok(())
    }
}
const _: () = {
    #[derive(
        ::micro::__private::serde::Deserialize,
        ::micro::__private::schemars::JsonSchema
    )]
    #[serde(crate = "::micro::__private::serde")]
    #[schemars(crate = "::micro::__private::schemars")]
    struct __UndocumentedArguments {
        id: u64,
    }
    #[derive(
        ::micro::__private::serde::Deserialize,
        ::micro::__private::schemars::JsonSchema
    )]
    #[serde(crate = "::micro::__private::serde")]
    #[schemars(crate = "::micro::__private::schemars")]
    struct __ExampleArguments {
        id: Option<u64>,
    }
    #[automatically_derived]
    impl ::micro::__private::Service for Users {
        fn descriptor() -> ::micro::__private::HandlerDescriptor {
            ::micro::__private::handler(
                "Users",
                "",
                [
                    ::micro::__private::endpoint("Users.Undocumented", "")
                        .input::<__UndocumentedArguments>()
                        .output::<Profile>(),
                    ::micro::__private::endpoint("Users.Misspelt", "Unknown option.")
                        .input::<::micro::__private::NoArguments>(),
                    ::micro::__private::endpoint(
                            "Users.Example",
                            "An example that does not fit.",
                        )
                        .examples(&["{\"idd\":7}"])
                        .input::<__ExampleArguments>(),
                    ::micro::__private::endpoint("Users.Sound", "Nothing wrong here.")
                        .input::<::micro::__private::NoArguments>(),
                ],
            )
        }
        fn dispatch(
            self: ::std::sync::Arc<Self>,
            endpoint: usize,
            _cx: ::micro::__private::Context,
            body: ::micro::__private::bytes::Bytes,
        ) -> ::micro::__private::BoxFuture<
            'static,
            ::micro::__private::Result<::micro::__private::Reply>,
        > {
            match endpoint {
                0usize => {
                    ::std::boxed::Box::pin(async move {
                        let arguments: __UndocumentedArguments = ::micro::__private::arguments(
                            &body,
                        )?;
                        ::micro::__private::reply(
                            Self::undocumented(&self, arguments.id).await,
                        )
                    })
                }
                1usize => {
                    ::std::boxed::Box::pin(async move {
                        let _: ::micro::__private::NoArguments = ::micro::__private::arguments(
                            &body,
                        )?;
                        ::micro::__private::reply(Self::misspelt(&self).await)
                    })
                }
                2usize => {
                    ::std::boxed::Box::pin(async move {
                        let arguments: __ExampleArguments = ::micro::__private::arguments(
                            &body,
                        )?;
                        ::micro::__private::reply(
                            Self::example(&self, arguments.id).await,
                        )
                    })
                }
                3usize => {
                    ::std::boxed::Box::pin(async move {
                        let _: ::micro::__private::NoArguments = ::micro::__private::arguments(
                            &body,
                        )?;
                        ::micro::__private::reply(Self::sound(&self).await)
                    })
                }
                _ => ::micro::__private::unknown_endpoint(endpoint),
            }
        }
    }
};
::core::compile_error! {
    "an endpoint needs a doc comment: it is what a model reads to choose this tool"
}
::core::compile_error! {
    "unknown option `scope`; did you mean `scopes`?"
}
::core::compile_error! {
    "an endpoint is a method: begin its parameters with `&self`"
}
::core::compile_error! {
    "arguments are owned: take `String` here"
}
::core::compile_error! {
    "the example's `idd` is no parameter of `example`; did you mean `id`?"
}
