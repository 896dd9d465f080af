//! The `#[service]` attribute: an `impl` block or a `trait` becomes a service.
//!
//! Knows Rust syntax and what an endpoint looks like. Does not know how a call is made, what a schema
//! holds or what is on the wire: its output is thin calls into the `__private` module of the crate that
//! re-exports it. Parse → model → render; every error of an item is reported at once, on the user's
//! own tokens, and the item itself is always emitted. The documentation stands at the re-export.

mod docs;
mod errors;
mod model;
mod near;
mod parse;
mod render;
#[cfg(test)]
mod tests;

/// Makes a service of an `impl` block or a `trait`; documented where `micro` re-exports it.
#[proc_macro_attribute]
pub fn service(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand(options.into(), item.into()).into()
}

fn expand(options: proc_macro2::TokenStream, item: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    let mut errors = errors::Errors::default();
    let parsed = parse::service(options, item, &mut errors);
    render::service(&parsed, &errors)
}
