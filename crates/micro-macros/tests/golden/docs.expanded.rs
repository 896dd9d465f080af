//! What a doc comment can say.
/// Notes that people keep.
///
/// Everything is text.
impl Notes {
    /// Write a note.
    ///
    /// The text may be long. Write to @alice for more.
    /// @param text What it says,
    ///   in plain words.
    /// @param tags - Words to find it by.
    /// @return The note's number.
    /// @example {"text": "milk",
    ///   "tags": ["shop"]}
    ///
    /// # Example
    ///
    /// ```json
    /// {"text": "bread"}
    /// ```
    ///
    /// # Limits
    ///
    /// ```text
    /// @example is not read inside a fence
    /// ```
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    async fn write(&self, text: String, tags: Vec<String>) -> Result<u64> {
        self.insert(text, tags).await
    }
    /**
     * Read a note.
     *
     * @param id Its number.
     */
    #[allow(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        clippy::too_many_arguments
    )]
    async fn read(&self, id: u64) -> Result<Note> {
        self.find(id).await
    }
}
const _: () = {
    #[derive(
        ::micro::__private::serde::Deserialize,
        ::micro::__private::schemars::JsonSchema
    )]
    #[serde(crate = "::micro::__private::serde")]
    #[schemars(crate = "::micro::__private::schemars")]
    struct __WriteArguments {
        ///What it says, in plain words.
        text: String,
        ///Words to find it by.
        #[serde(default)]
        tags: Vec<String>,
    }
    #[derive(
        ::micro::__private::serde::Deserialize,
        ::micro::__private::schemars::JsonSchema
    )]
    #[serde(crate = "::micro::__private::serde")]
    #[schemars(crate = "::micro::__private::schemars")]
    struct __ReadArguments {
        ///Its number.
        id: u64,
    }
    #[automatically_derived]
    impl ::micro::__private::Service for Notes {
        fn descriptor() -> ::micro::__private::HandlerDescriptor {
            ::micro::__private::handler(
                "Notes",
                "Notes that people keep.\n\nEverything is text.",
                [
                    ::micro::__private::endpoint(
                            "Notes.Write",
                            "Write a note.\n\nThe text may be long. Write to @alice for more.\n\n# Limits\n\n```text\n@example is not read inside a fence\n```",
                        )
                        .examples(
                            &[
                                "{\"text\":\"milk\",\"tags\":[\"shop\"]}",
                                "{\"text\":\"bread\"}",
                            ],
                        )
                        .input::<__WriteArguments>()
                        .output_with::<u64>("The note's number."),
                    ::micro::__private::endpoint("Notes.Read", "Read a note.")
                        .input::<__ReadArguments>()
                        .output::<Note>(),
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
                        let arguments: __WriteArguments = ::micro::__private::arguments(
                            &body,
                        )?;
                        ::micro::__private::reply(
                            Self::write(&self, arguments.text, arguments.tags).await,
                        )
                    })
                }
                1usize => {
                    ::std::boxed::Box::pin(async move {
                        let arguments: __ReadArguments = ::micro::__private::arguments(
                            &body,
                        )?;
                        ::micro::__private::reply(Self::read(&self, arguments.id).await)
                    })
                }
                _ => ::micro::__private::unknown_endpoint(endpoint),
            }
        }
    }
};
