//! The hidden structs that plain parameters become.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;

use crate::model::{Arguments, Endpoint, Model};

/// All hidden structs of a service.
pub(super) fn arguments(model: &Model, library: &TokenStream) -> TokenStream {
    // Only a client writes arguments, so only a contract asks for `Serialize`.
    structs(&model.endpoints, model.is_trait(), library)
}

/// The hidden structs of these methods.
pub(super) fn structs<'a>(
    endpoints: impl IntoIterator<Item = &'a Endpoint>,
    written: bool,
    library: &TokenStream,
) -> TokenStream {
    let structs = endpoints.into_iter().filter_map(|endpoint| {
        let Arguments::Fields(fields) = &endpoint.arguments else { return None };
        let name = name(endpoint);
        let (serde, schemars) = (path(library, "serde"), path(library, "schemars"));
        let serialize = written.then(|| quote!(#library::serde::Serialize,));
        let fields = fields.iter().map(|field| {
            let (name, ty, attributes) = (&field.name, &field.ty, &field.attributes);
            let description = field.description.iter();
            quote! { #(#[doc = #description])* #(#attributes)* #name: #ty }
        });
        Some(quote! {
            #[derive(#serialize #library::serde::Deserialize, #library::schemars::JsonSchema)]
            #[serde(crate = #serde)]
            #[schemars(crate = #schemars)]
            struct #name { #(#fields),* }
        })
    });
    quote!(#(#structs)*)
}

/// The type of an endpoint's arguments.
pub(super) fn ty(endpoint: &Endpoint, library: &TokenStream) -> TokenStream {
    match &endpoint.arguments {
        Arguments::Nothing => quote!(#library::NoArguments),
        Arguments::Whole(ty) => quote!(#ty),
        Arguments::Fields(_) => {
            let name = name(endpoint);
            quote!(#name)
        }
    }
}

/// `__CreateArguments`: the underscores keep it apart from types of the user's.
fn name(endpoint: &Endpoint) -> Ident {
    let camel = crate::parse::upper_camel(&endpoint.method.unraw().to_string());
    format_ident!("__{camel}Arguments")
}

/// A path as the derives want it: text.
fn path(library: &TokenStream, part: &str) -> String {
    let library: String = library.to_string().split_whitespace().collect();
    format!("{library}::{part}")
}
