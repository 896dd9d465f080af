//! A trait all of whose methods the client can implement.
/// User accounts.
pub trait UserAccounts: ::core::marker::Send + ::core::marker::Sync + 'static {
    /// Retrieve a user.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    fn get(
        &self,
        cx: &Context,
        id: UserId,
    ) -> impl ::core::future::Future<Output = Result<Profile>> + ::core::marker::Send;
    /// Search for users.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    fn find(
        &self,
        req: FindRequest,
    ) -> impl ::core::future::Future<
        Output = Result<Vec<Profile>>,
    > + ::core::marker::Send;
    /// Follow changes.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    fn changes(
        &self,
        since: Option<u64>,
    ) -> impl ::core::future::Future<
        Output = impl Stream<Item = Result<Change>> + ::core::marker::Send,
    > + ::core::marker::Send;
    /// Follow deletions.
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    fn deletions(&self) -> impl Stream<Item = Result<UserId>> + ::core::marker::Send;
    /// Whether there is such a user. Not an endpoint: it has a body.
    #[allow(clippy::manual_async_fn)]
    fn exists(
        &self,
        cx: &Context,
        id: UserId,
    ) -> impl ::core::future::Future<Output = bool> + ::core::marker::Send {
        async move { self.get(cx, id).await.is_ok() }
    }
}
///Serves an implementation of [`UserAccounts`].
pub struct UserAccountsServer<T>(T);
///Calls a service that serves [`UserAccounts`].
#[derive(Clone)]
pub struct UserAccountsClient(::micro::__private::Remote);
const _: () = {
    #[derive(
        ::micro::__private::serde::Serialize,
        ::micro::__private::serde::Deserialize,
        ::micro::__private::schemars::JsonSchema
    )]
    #[serde(crate = "::micro::__private::serde")]
    #[schemars(crate = "::micro::__private::schemars")]
    struct __GetArguments {
        id: UserId,
    }
    #[derive(
        ::micro::__private::serde::Serialize,
        ::micro::__private::serde::Deserialize,
        ::micro::__private::schemars::JsonSchema
    )]
    #[serde(crate = "::micro::__private::serde")]
    #[schemars(crate = "::micro::__private::schemars")]
    struct __ChangesArguments {
        ///Older ones are left out.
        since: Option<u64>,
    }
    #[allow(dead_code)]
    impl<T: UserAccounts> UserAccountsServer<T> {
        /// Takes the implementation.
        pub fn new(implementation: T) -> Self {
            Self(implementation)
        }
    }
    #[automatically_derived]
    impl<T: UserAccounts> ::micro::__private::Service for UserAccountsServer<T> {
        fn descriptor() -> ::micro::__private::HandlerDescriptor {
            UserAccountsClient::descriptor()
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
                        let arguments: __GetArguments = ::micro::__private::arguments(
                            &body,
                        )?;
                        ::micro::__private::reply(
                            <T as UserAccounts>::get(&self.0, &cx, arguments.id).await,
                        )
                    })
                }
                1usize => {
                    ::std::boxed::Box::pin(async move {
                        let arguments: FindRequest = ::micro::__private::arguments(
                            &body,
                        )?;
                        ::micro::__private::reply(
                            <T as UserAccounts>::find(&self.0, arguments).await,
                        )
                    })
                }
                2usize => {
                    ::std::boxed::Box::pin(async move {
                        let arguments: __ChangesArguments = ::micro::__private::arguments(
                            &body,
                        )?;
                        ::micro::__private::stream_reply(move |items| async move {
                                items
                                    .all(
                                        <T as UserAccounts>::changes(&self.0, arguments.since).await,
                                    )
                                    .await
                            })
                            .await
                    })
                }
                3usize => {
                    ::std::boxed::Box::pin(async move {
                        let _: ::micro::__private::NoArguments = ::micro::__private::arguments(
                            &body,
                        )?;
                        ::micro::__private::stream_reply(move |items| async move {
                                items.all(<T as UserAccounts>::deletions(&self.0)).await
                            })
                            .await
                    })
                }
                _ => ::micro::__private::unknown_endpoint(endpoint),
            }
        }
    }
    #[allow(dead_code, clippy::too_many_arguments)]
    impl UserAccountsClient {
        ///Calls the service `user-accounts` through `caller`.
        pub fn new(caller: impl ::micro::__private::Caller) -> Self {
            Self::with_name(caller, "user-accounts")
        }
        /// Calls a service of another name.
        pub fn with_name(
            caller: impl ::micro::__private::Caller,
            service: &str,
        ) -> Self {
            Self(::micro::__private::Remote::new(caller, service))
        }
        ///What [`UserAccounts`] offers.
        pub fn descriptor() -> ::micro::__private::HandlerDescriptor {
            ::micro::__private::handler(
                "UserAccounts",
                "User accounts.",
                [
                    ::micro::__private::endpoint("UserAccounts.Get", "Retrieve a user.")
                        .read_only()
                        .idempotent()
                        .timeout(::core::time::Duration::from_millis(500u64))
                        .input::<__GetArguments>()
                        .output::<Profile>(),
                    ::micro::__private::endpoint(
                            "UserAccounts.Find",
                            "Search for users.",
                        )
                        .input::<FindRequest>()
                        .output::<Vec<Profile>>(),
                    ::micro::__private::endpoint(
                            "UserAccounts.Changes",
                            "Follow changes.",
                        )
                        .input::<__ChangesArguments>()
                        .output::<Change>()
                        .streaming(),
                    ::micro::__private::endpoint(
                            "UserAccounts.Deletions",
                            "Follow deletions.",
                        )
                        .input::<::micro::__private::NoArguments>()
                        .output::<UserId>()
                        .streaming(),
                ],
            )
        }
        ///Retrieve a user.
        pub async fn get(
            &self,
            cx: &Context,
            id: UserId,
        ) -> ::micro::__private::Result<Profile> {
            self.0
                .call(
                    ::micro::__private::Method {
                        endpoint: "UserAccounts.Get",
                        idempotent: true,
                        timeout: ::core::option::Option::Some(
                            ::core::time::Duration::from_millis(500u64),
                        ),
                    },
                    ::core::option::Option::Some(cx),
                    &__GetArguments { id },
                )
                .await
        }
        ///Search for users.
        pub async fn find(
            &self,
            req: FindRequest,
        ) -> ::micro::__private::Result<Vec<Profile>> {
            self.0
                .call(
                    ::micro::__private::Method {
                        endpoint: "UserAccounts.Find",
                        idempotent: false,
                        timeout: ::core::option::Option::None,
                    },
                    ::core::option::Option::None,
                    &req,
                )
                .await
        }
        ///Follow changes.
        pub async fn changes(
            &self,
            since: Option<u64>,
        ) -> impl ::micro::__private::futures_core::Stream<
            Item = ::micro::__private::Result<Change>,
        > + ::core::marker::Send + use<> {
            self.0
                .stream(
                    ::micro::__private::Method {
                        endpoint: "UserAccounts.Changes",
                        idempotent: false,
                        timeout: ::core::option::Option::None,
                    },
                    ::core::option::Option::None,
                    &__ChangesArguments { since },
                )
                .await
        }
        ///Follow deletions.
        pub fn deletions(
            &self,
        ) -> impl ::micro::__private::futures_core::Stream<
            Item = ::micro::__private::Result<UserId>,
        > + ::core::marker::Send + use<> {
            self.0
                .stream_later(
                    ::micro::__private::Method {
                        endpoint: "UserAccounts.Deletions",
                        idempotent: false,
                        timeout: ::core::option::Option::None,
                    },
                    ::core::option::Option::None,
                    ::micro::__private::NoArguments {},
                )
        }
    }
    #[automatically_derived]
    #[allow(refining_impl_trait)]
    impl UserAccounts for UserAccountsClient {
        async fn get(
            &self,
            cx: &Context,
            id: UserId,
        ) -> ::micro::__private::Result<Profile> {
            UserAccountsClient::get(self, cx, id).await
        }
        async fn find(
            &self,
            req: FindRequest,
        ) -> ::micro::__private::Result<Vec<Profile>> {
            UserAccountsClient::find(self, req).await
        }
        async fn changes(
            &self,
            since: Option<u64>,
        ) -> impl ::micro::__private::futures_core::Stream<
            Item = ::micro::__private::Result<Change>,
        > + ::core::marker::Send {
            UserAccountsClient::changes(self, since).await
        }
        fn deletions(
            &self,
        ) -> impl ::micro::__private::futures_core::Stream<
            Item = ::micro::__private::Result<UserId>,
        > + ::core::marker::Send {
            UserAccountsClient::deletions(self)
        }
    }
};
