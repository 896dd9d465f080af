//! The attributes `#[service]`, which makes a service of an `impl` block or a `trait`, and `#[tools]`, which
//! makes MCP tools, prompts and resources of an `impl` block.
//!
//! Knows Rust syntax and what an endpoint looks like. Does not know how a call is made, what a schema
//! holds or what is on the wire: its output is thin calls into the `__private` module of the crate that
//! re-exports it. Parse → model → render; every error of an item is reported at once, on the user's
//! own tokens, and the item itself is always emitted. The documentation stands at the re-export.

mod docs;
mod errors;
mod model;
mod near;
mod neighbour;
mod parse;
mod render;
#[cfg(test)]
mod tests;

/// Makes a service of an `impl` block or a `trait`; documented where `micro` re-exports it.
#[proc_macro_attribute]
pub fn service(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let file = || {
        let source = std::fs::read_to_string(proc_macro::Span::call_site().local_file()?).ok()?;
        syn::parse_file(&source).ok()
    };
    expand(options.into(), item.into(), &file).into()
}

/// Makes MCP tools, prompts and resources of an `impl` block; documented where `micro_mcp` re-exports it.
#[proc_macro_attribute]
pub fn tools(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand_tools(options.into(), item.into()).into()
}

fn expand_tools(options: proc_macro2::TokenStream, item: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    let mut errors = errors::Errors::default();
    let parsed = parse::tools(options, item, &mut errors);
    render::tools(&parsed, &errors)
}

/// The file an attribute stands in. None where the compiler does not say (some doctests, some editors).
type File<'a> = &'a dyn Fn() -> Option<syn::File>;

fn expand(
    options: proc_macro2::TokenStream,
    item: proc_macro2::TokenStream,
    file: File<'_>,
) -> proc_macro2::TokenStream {
    let mut errors = errors::Errors::default();
    let parsed = parse::service(options, item, file, &mut errors);
    render::service(&parsed, &errors)
}
