//! One parameter is the arguments object; the context is found by its type.
/// User accounts: look up and create profiles.
impl Users {
    /// Retrieve a user profile by ID. Returns the full profile.
    ///
    /// @example {"id": "user-123"}
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    pub async fn get(&self, cx: &Context, req: GetRequest) -> Result<Profile> {
        self.db.find(cx, req.id).await
    }
    /// Forget everything.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    fn clear(&self) {
        self.db.clear();
    }
    fn helper(&self) -> u8 {
        7
    }
}
const _: () = {
    #[automatically_derived]
    impl ::micro::__private::Service for Users {
        fn descriptor() -> ::micro::__private::HandlerDescriptor {
            ::micro::__private::handler(
                "Users",
                "User accounts: look up and create profiles.",
                [
                    ::micro::__private::endpoint(
                            "Users.Get",
                            "Retrieve a user profile by ID. Returns the full profile.",
                        )
                        .examples(&["{\"id\":\"user-123\"}"])
                        .scopes(&["users:read"])
                        .read_only()
                        .idempotent()
                        .input::<GetRequest>()
                        .output::<Profile>(),
                    ::micro::__private::endpoint("Users.Clear", "Forget everything.")
                        .destructive(true)
                        .input::<::micro::__private::NoArguments>(),
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
                        let arguments: GetRequest = ::micro::__private::arguments(
                            &body,
                        )?;
                        ::micro::__private::reply(Self::get(&self, &cx, arguments).await)
                    })
                }
                1usize => {
                    ::std::boxed::Box::pin(async move {
                        let _: ::micro::__private::NoArguments = ::micro::__private::arguments(
                            &body,
                        )?;
                        Self::clear(&self);
                        ::micro::__private::value(())
                    })
                }
                _ => ::micro::__private::unknown_endpoint(endpoint),
            }
        }
    }
};
