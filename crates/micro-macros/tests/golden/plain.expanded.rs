//! Plain parameters, with docs and attributes that move to the hidden struct.
impl crate::store::Users {
    /// Create a user.
    ///
    /// @param email Where the invoices go.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    async fn create_user(
        &self,
        name: String,
        email: String,
        cx: Context,
        mut tags: Vec<String>,
        r#type: Option<Kind>,
    ) -> Result<Profile, StoreError> {
        tags.sort();
        self.insert(cx, name, email, tags, r#type).await
    }
    /// A lone parameter of a plain type is a key, whatever it is called.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    fn echo(&self, input: String) -> String {
        input
    }
}
const _: () = {
    #[derive(
        ::micro::__private::serde::Deserialize,
        ::micro::__private::schemars::JsonSchema
    )]
    #[serde(crate = "::micro::__private::serde")]
    #[schemars(crate = "::micro::__private::schemars")]
    struct __CreateUserArguments {
        ///Full name, as printed on invoices.
        name: String,
        ///Where the invoices go.
        #[schemars(email)]
        email: String,
        #[serde(default)]
        tags: Vec<String>,
        r#type: Option<Kind>,
    }
    #[derive(
        ::micro::__private::serde::Deserialize,
        ::micro::__private::schemars::JsonSchema
    )]
    #[serde(crate = "::micro::__private::serde")]
    #[schemars(crate = "::micro::__private::schemars")]
    struct __EchoArguments {
        input: String,
    }
    #[automatically_derived]
    impl ::micro::__private::Service for crate::store::Users {
        fn descriptor() -> ::micro::__private::HandlerDescriptor {
            ::micro::__private::handler(
                "Users",
                "",
                [
                    ::micro::__private::endpoint("Users.CreateUser", "Create a user.")
                        .input::<__CreateUserArguments>()
                        .output::<Profile>(),
                    ::micro::__private::endpoint(
                            "Users.Echo",
                            "A lone parameter of a plain type is a key, whatever it is called.",
                        )
                        .input::<__EchoArguments>()
                        .output::<String>(),
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
                        let arguments: __CreateUserArguments = ::micro::__private::arguments(
                            &body,
                        )?;
                        ::micro::__private::reply(
                            Self::create_user(
                                    &self,
                                    arguments.name,
                                    arguments.email,
                                    cx,
                                    arguments.tags,
                                    arguments.r#type,
                                )
                                .await,
                        )
                    })
                }
                1usize => {
                    ::std::boxed::Box::pin(async move {
                        let arguments: __EchoArguments = ::micro::__private::arguments(
                            &body,
                        )?;
                        ::micro::__private::value(Self::echo(&self, arguments.input))
                    })
                }
                _ => ::micro::__private::unknown_endpoint(endpoint),
            }
        }
    }
};
