//! `Service::dispatch`: from an endpoint's number to the method.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::{arguments, located};
use crate::model::{Arguments, Endpoint, Model, Role, Shape};

/// The function. `of` is the path the methods are found under, `this` their receiver.
pub(super) fn dispatch(model: &Model, library: &TokenStream, of: &TokenStream, this: &TokenStream) -> TokenStream {
    let arms = model.endpoints.iter().enumerate().map(|(index, endpoint)| {
        let run = run(endpoint, library, of, this);
        quote_spanned! { located(&endpoint.method)=> #index => ::std::boxed::Box::pin(async move { #run }) }
    });
    let uses_context = model.endpoints.iter().flat_map(|e| &e.parameters).any(|p| p.role != Role::Argument);
    let cx = if uses_context { quote!(cx) } else { quote!(_cx) };
    let body = if model.endpoints.is_empty() { quote!(_body) } else { quote!(body) };
    quote! {
        fn dispatch(
            self: ::std::sync::Arc<Self>,
            endpoint: usize,
            #cx: #library::Context,
            #body: #library::bytes::Bytes,
        ) -> #library::BoxFuture<'static, #library::Result<#library::Reply>> {
            match endpoint {
                #(#arms,)*
                _ => #library::unknown_endpoint(endpoint),
            }
        }
    }
}

fn run(endpoint: &Endpoint, library: &TokenStream, of: &TokenStream, this: &TokenStream) -> TokenStream {
    let method = &endpoint.method;
    let values = endpoint.parameters.iter().map(|parameter| match (parameter.role, &endpoint.arguments) {
        (Role::ContextRef, _) => quote!(&cx),
        (Role::Context, _) => quote!(cx),
        (Role::Argument, Arguments::Fields(_)) => {
            let name = &parameter.name;
            quote!(arguments.#name)
        }
        (Role::Argument, _) => quote!(arguments),
    });
    let dot_await = endpoint.is_async.then(|| quote!(.await));
    let call = quote_spanned! { located(method)=> #of::#method(#this, #(#values),*) #dot_await };
    let ty = arguments::ty(endpoint, library);
    let binding = if matches!(endpoint.arguments, Arguments::Nothing) { quote!(_) } else { quote!(arguments) };
    let run = match endpoint.answer.shape {
        Shape::Plain if endpoint.answer.is_unit() => quote! { #call; #library::value(()) },
        Shape::Plain => quote! { #library::value(#call) },
        Shape::Result => quote! { #library::reply(#call) },
        Shape::Stream => quote! {
            #library::stream_reply(move |items| async move { items.all(#call).await }).await
        },
        Shape::ResultStream => quote! {
            #library::stream_reply(move |items| async move {
                match #call {
                    ::core::result::Result::Ok(stream) => items.all(stream).await,
                    ::core::result::Result::Err(error) => items.fail(error).await,
                }
            })
            .await
        },
    };
    quote! {
        let #binding: #ty = #library::arguments(&body)?;
        #run
    }
}
