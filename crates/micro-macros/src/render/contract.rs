//! The trait itself, with futures and streams that may move between threads.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    Block, ItemTrait, ReturnType, TraitItem, Type, TypeImplTrait, TypeParamBound, parse_quote,
    visit_mut::{self, VisitMut},
};

use crate::parse::is_stream;

/// Renders a trait: `async fn m() -> R` becomes `fn m() -> impl Future<Output = R> + Send`, which an
/// implementation still writes as `async fn`.
pub(super) fn contract(item: &ItemTrait) -> TokenStream {
    let mut item = item.clone();
    for member in &mut item.items {
        let TraitItem::Fn(method) = member else { continue };
        if let ReturnType::Type(_, ty) = &mut method.sig.output {
            SendStreams.visit_type_mut(ty);
        }
        if method.sig.asyncness.take().is_none() {
            continue;
        }
        let output: Type = match &method.sig.output {
            ReturnType::Default => parse_quote!(()),
            ReturnType::Type(_, ty) => (**ty).clone(),
        };
        method.sig.output = parse_quote!(-> impl ::core::future::Future<Output = #output> + ::core::marker::Send);
        if let Some(body) = &mut method.default {
            method.attrs.push(parse_quote!(#[allow(clippy::manual_async_fn)]));
            let block: Block = parse_quote!({ async move #body });
            *body = block;
        }
    }
    item.into_token_stream()
}

/// Adds `Send` to every `impl Stream`.
struct SendStreams;

impl VisitMut for SendStreams {
    fn visit_type_impl_trait_mut(&mut self, ty: &mut TypeImplTrait) {
        let stream = is_stream(&Type::ImplTrait(ty.clone()));
        let sends = ty.bounds.iter().any(|bound| bound.to_token_stream().to_string().ends_with("Send"));
        if stream && !sends {
            let send: TypeParamBound = parse_quote!(::core::marker::Send);
            ty.bounds.push(send);
        }
        visit_mut::visit_type_impl_trait_mut(self, ty);
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn a_trait_without_async_stays_as_it_is() {
        let item: ItemTrait = parse_quote! { trait Plain { fn get(&self) -> u8; } };
        assert_eq!(
            contract(&item).to_string(),
            quote!(
                trait Plain {
                    fn get(&self) -> u8;
                }
            )
            .to_string()
        );
    }
}
