//! The typed client of a contract.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Ident, Visibility};

use super::{arguments, descriptor, located, suffixed};
use crate::model::{Arguments, Endpoint, Model, Parameter, Role, Shape};

/// The client's declaration, and its impls.
pub(super) fn client(
    model: &Model,
    library: &TokenStream,
    visibility: &Visibility,
    service: &str,
    implements: bool,
) -> (TokenStream, TokenStream) {
    let contract = &model.name;
    let client = suffixed(contract, "Client");
    let about = format!("Calls a service that serves [`{contract}`].");
    let about_new = format!("Calls the service `{service}` through `caller`.");
    let about_descriptor = format!("What [`{contract}`] offers.");
    let methods = model.endpoints.iter().map(|endpoint| method(endpoint, library, visibility));
    let descriptor = descriptor::descriptor(model, library);
    let declared = quote! {
        #[doc = #about]
        #[derive(Clone)]
        #visibility struct #client(#library::Remote);
    };
    let implementation = implements.then(|| {
        let forwards = model.endpoints.iter().map(|endpoint| forward(endpoint, library, &client));
        quote! {
            #[automatically_derived]
            #[allow(refining_impl_trait)] // the streams are the library's own
            impl #contract for #client { #(#forwards)* }
        }
    });
    let implemented = quote! {
        #[allow(dead_code, clippy::too_many_arguments)] // a crate may need only one side of a contract
        impl #client {
            #[doc = #about_new]
            #visibility fn new(caller: impl #library::Caller) -> Self { Self::with_name(caller, #service) }

            /// Calls a service of another name.
            #visibility fn with_name(caller: impl #library::Caller, service: &str) -> Self {
                Self(#library::Remote::new(caller, service))
            }

            #[doc = #about_descriptor]
            #visibility fn descriptor() -> #library::HandlerDescriptor { #descriptor }

            #(#methods)*
        }
        #implementation
    };
    (declared, implemented)
}

fn method(endpoint: &Endpoint, library: &TokenStream, visibility: &Visibility) -> TokenStream {
    let Endpoint { method, name, description, options, .. } = endpoint;
    let idempotent = options.idempotent;
    let timeout = match options.timeout.map(descriptor::duration) {
        Some(timeout) => quote!(::core::option::Option::Some(#timeout)),
        None => quote!(::core::option::Option::None),
    };
    let constant = quote!(#library::Method { endpoint: #name, idempotent: #idempotent, timeout: #timeout });
    let cx = match endpoint.parameters.iter().find(|parameter| parameter.role != Role::Argument) {
        None => quote!(::core::option::Option::None),
        Some(Parameter { name, role: Role::ContextRef, .. }) => quote!(::core::option::Option::Some(#name)),
        Some(Parameter { name, .. }) => quote!(::core::option::Option::Some(&#name)),
    };
    let arguments = sent(endpoint, library);
    let body = match endpoint.answer.shape {
        Shape::Plain | Shape::Result => quote!(self.0.call(#constant, #cx, &#arguments).await),
        Shape::Stream if endpoint.is_async => quote!(self.0.stream(#constant, #cx, &#arguments).await),
        Shape::Stream => quote!(self.0.stream_later(#constant, #cx, #arguments)),
        Shape::ResultStream if endpoint.is_async => quote!(self.0.try_stream(#constant, #cx, &#arguments).await),
        Shape::ResultStream => quote! {
            ::core::result::Result::Ok(self.0.stream_later(#constant, #cx, #arguments))
        },
    };
    let signature = signature(endpoint, library, &quote!(+ use<>));
    quote_spanned! { located(method)=> #[doc = #description] #visibility #signature { #body } }
}

/// A method of the trait, as the client's own of the same name.
fn forward(endpoint: &Endpoint, library: &TokenStream, client: &Ident) -> TokenStream {
    let method = &endpoint.method;
    let names = endpoint.parameters.iter().map(|parameter| &parameter.name);
    let dot_await = endpoint.is_async.then(|| quote!(.await));
    let signature = signature(endpoint, library, &TokenStream::new());
    quote_spanned! { located(method)=> #signature { #client::#method(self, #(#names),*) #dot_await } }
}

/// As in the contract, with the library's error. A call that answers once is always async.
fn signature(endpoint: &Endpoint, library: &TokenStream, captures: &TokenStream) -> TokenStream {
    let Endpoint { method, answer, .. } = endpoint;
    let parameters = endpoint.parameters.iter().map(|Parameter { name, ty, .. }| quote!(#name: #ty));
    let value = &answer.value;
    let stream = quote! {
        impl #library::futures_core::Stream<Item = #library::Result<#value>> + ::core::marker::Send #captures
    };
    let output = match answer.shape {
        Shape::Plain | Shape::Result => quote!(#library::Result<#value>),
        Shape::Stream => stream,
        Shape::ResultStream => quote!(#library::Result<#stream>),
    };
    let asyncness = (endpoint.is_async || !answer.streams()).then(|| quote!(async));
    quote! { #asyncness fn #method(&self, #(#parameters),*) -> #output }
}

/// The arguments object, made of the parameters.
fn sent(endpoint: &Endpoint, library: &TokenStream) -> TokenStream {
    let mut names = endpoint.parameters.iter().filter(|p| p.role == Role::Argument).map(|p| &p.name);
    let ty = arguments::ty(endpoint, library);
    match &endpoint.arguments {
        Arguments::Nothing => quote!(#ty {}),
        Arguments::Whole(_) => {
            let name = names.next();
            quote!(#name)
        }
        Arguments::Fields(_) => quote!(#ty { #(#names),* }),
    }
}
