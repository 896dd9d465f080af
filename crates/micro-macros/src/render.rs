//! From the model to code: the item first, then what makes it a service.

mod arguments;
mod client;
mod contract;
mod descriptor;
mod dispatch;
mod tools;

pub(crate) use self::tools::tools;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;

use crate::{
    errors::Errors,
    model::{Form, Model},
    parse::{Cleaned, Parsed},
};

/// Renders everything an item expands to.
pub(crate) fn service(parsed: &Parsed, errors: &Errors) -> TokenStream {
    let item = match &parsed.item {
        Cleaned::Trait(item) => contract::contract(item),
        Cleaned::Other(tokens) => tokens.clone(),
    };
    let support = parsed.model.as_ref().map(support);
    quote! { #item #support #errors }
}

fn support(model: &Model) -> TokenStream {
    let library = &model.library;
    let library = quote!(#library::__private);
    let arguments = arguments::arguments(model, &library);
    match &model.form {
        Form::Impl { handler } => {
            let descriptor = descriptor::descriptor(model, &library);
            let dispatch = dispatch::dispatch(model, &library, &quote!(Self), &quote!(&self));
            quote! {
                const _: () = {
                    #arguments
                    #[automatically_derived]
                    impl #library::Service for #handler {
                        fn descriptor() -> #library::HandlerDescriptor { #descriptor }
                        #dispatch
                    }
                };
            }
        }
        Form::Trait { visibility, service, client_implements } => {
            let name = &model.name;
            let server = suffixed(name, "Server");
            let client = suffixed(name, "Client");
            let about = format!("Serves an implementation of [`{name}`].");
            let dispatch = dispatch::dispatch(model, &library, &quote!(<T as #name>), &quote!(&self.0));
            let (declared, implemented) = client::client(model, &library, visibility, service, *client_implements);
            quote! {
                #[doc = #about]
                #visibility struct #server<T>(T);
                #declared
                const _: () = {
                    #arguments
                    #[allow(dead_code)] // a crate may need only one side of a contract
                    impl<T: #name> #server<T> {
                        /// Takes the implementation.
                        #visibility fn new(implementation: T) -> Self { Self(implementation) }
                    }
                    #[automatically_derived]
                    impl<T: #name> #library::Service for #server<T> {
                        fn descriptor() -> #library::HandlerDescriptor { #client::descriptor() }
                        #dispatch
                    }
                    #implemented
                };
            }
        }
    }
}

fn suffixed(name: &Ident, suffix: &str) -> Ident {
    format_ident!("{}{suffix}", name.unraw(), span = name.span())
}

/// Where the compiler points when generated code around something of the user's does not compile.
fn located(at: &Ident) -> Span {
    Span::call_site().located_at(at.span())
}
