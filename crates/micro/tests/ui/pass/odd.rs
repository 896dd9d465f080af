//! What looks odd and is right.
#![deny(warnings, clippy::all, clippy::pedantic)]
#![allow(clippy::unused_async)]

use micro::prelude::*;

mod store {
    /// Elsewhere.
    #[derive(Debug)]
    pub(super) struct Users;
}

/// Named like something the macro makes.
#[derive(Deserialize, JsonSchema)]
struct GetArguments {
    id: u64,
}

#[micro::service(crate = "micro")]
impl store::Users {
    /// Names of ours are free for others.
    #[endpoint]
    async fn get(
        &self,
        body: u8,
        cx: &micro::Context,
        endpoint: u8,
        arguments: GetArguments,
        items: u8,
    ) -> Result<u64> {
        let _ = cx;
        Ok(u64::from(body + endpoint + items) + arguments.id)
    }

    /// Raw names, and a lone argument that is marked.
    #[endpoint]
    fn r#match(&self, #[arguments] what: GetArguments) -> Result<(), std::fmt::Error> {
        if what.id == 0 { Err(std::fmt::Error) } else { Ok(()) }
    }

    /// Named like functions of the library.
    #[endpoint]
    fn descriptor(&self, r#type: Option<u8>) -> Option<u8> {
        r#type
    }

    /// Named like the other one.
    #[endpoint]
    async fn dispatch(&self, _req: GetArguments) {}

    /// Written by hand.
    #[endpoint]
    #[must_use]
    pub(crate) fn boxed(&self, #[allow(unused_mut)] mut list: Vec<u8>) -> Box<[u8]> {
        list.into_boxed_slice()
    }
}

macro_rules! handler {
    ($name:ident, $ty:ty) => {
        struct $name;

        #[micro::service]
        impl $name {
            /// Give back what came.
            #[endpoint]
            async fn echo(&self, value: $ty, many: Option<$ty>) -> Result<$ty> {
                Ok(many.unwrap_or(value))
            }
        }
    };
}

handler!(Numbers, u64);

/// A private contract, of which one side is used.
#[micro::service(name = "shop.orders")]
trait Orders {
    /// Count the orders.
    async fn count(&self, cx: micro::Context) -> Result<u64>;
}

#[test]
fn all_of_it_is_offered() {
    let users = micro::serve(store::Users).handle(Numbers);
    users.check().unwrap();
    let names: Vec<_> = users.descriptor().endpoints.iter().map(|endpoint| endpoint.name.as_str()).collect();
    let expected = ["Users.Get", "Users.Match", "Users.Descriptor", "Users.Dispatch", "Users.Boxed", "Numbers.Echo"];
    assert_eq!(names, expected);
    assert_eq!(OrdersClient::descriptor().endpoints.len(), 1);
}
