//! What the service offers: one line for each thing that was said.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;

use super::{arguments, located};
use crate::model::{Endpoint, Model};

/// The body of `descriptor()`.
pub(super) fn descriptor(model: &Model, library: &TokenStream) -> TokenStream {
    let (name, description) = (model.name.unraw().to_string(), &model.description);
    let endpoints = model.endpoints.iter().map(|endpoint| described(endpoint, library));
    quote! { #library::handler(#name, #description, [#(#endpoints),*]) }
}

fn described(endpoint: &Endpoint, library: &TokenStream) -> TokenStream {
    let Endpoint { name, description, examples, options, answer, returns, .. } = endpoint;
    let mut steps = Vec::new();
    if let Some(title) = &options.title {
        steps.push(quote!(.title(#title)));
    }
    if !examples.is_empty() {
        steps.push(quote!(.examples(&[#(#examples),*])));
    }
    if !options.scopes.is_empty() {
        let scopes = &options.scopes;
        steps.push(quote!(.scopes(&[#(#scopes),*])));
    }
    if options.read_only {
        steps.push(quote!(.read_only()));
    }
    if options.idempotent {
        steps.push(quote!(.idempotent()));
    }
    steps.extend(options.destructive.map(|flag| quote!(.destructive(#flag))));
    steps.extend(options.open_world.map(|flag| quote!(.open_world(#flag))));
    steps.extend(options.timeout.map(|timeout| {
        let timeout = duration(timeout);
        quote!(.timeout(#timeout))
    }));
    steps.extend(options.cost.map(|cost| quote!(.cost(#cost))));
    steps.extend(options.cache.map(|cache| {
        let cache = duration(cache);
        quote!(.cache(#cache))
    }));
    let input = arguments::ty(endpoint, library);
    steps.push(quote!(.input::<#input>()));
    if !answer.is_unit() {
        let value = &answer.value;
        steps.push(match returns {
            None => quote!(.output::<#value>()),
            Some(text) => quote!(.output_with::<#value>(#text)),
        });
    }
    if answer.streams() {
        steps.push(quote!(.streaming()));
    }
    quote_spanned! { located(&endpoint.method)=> #library::endpoint(#name, #description) #(#steps)* }
}

pub(super) fn duration(duration: Duration) -> TokenStream {
    let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    quote!(::core::time::Duration::from_millis(#milliseconds))
}
