//! From tokens to the model. The item comes out cleaned of our attributes, whatever is wrong with it.

mod answer;
mod arguments;
mod endpoint;
mod options;
mod tools;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    Attribute, ImplItem, ImplItemConst, ImplItemType, Item, ItemImpl, ItemTrait, TraitItem, TraitItemConst,
    TraitItemType, Type, parse_quote,
};

pub(crate) use self::{
    answer::is_stream,
    tools::{ParsedTools, inner, inside, tools},
};
use crate::{
    File, docs,
    errors::Errors,
    model::{Endpoint, Form, Model, Shape},
    neighbour,
};

/// An item and, if its head makes sense, what it offers.
pub(crate) struct Parsed {
    pub(crate) item: Cleaned,
    pub(crate) model: Option<Model>,
}

/// The item without our attributes.
pub(crate) enum Cleaned {
    Trait(Box<ItemTrait>),
    /// An impl, or something the attribute should not stand on.
    Other(TokenStream),
}

/// Reads `#[service(options)] item`.
pub(crate) fn service(options: TokenStream, item: TokenStream, file: File<'_>, errors: &mut Errors) -> Parsed {
    let options = options::service(options, errors);
    match syn::parse2(item.clone()) {
        Ok(Item::Impl(item)) => handler(options, item, file, errors),
        Ok(Item::Trait(item)) => contract(options, item, errors),
        Ok(other) => {
            errors.on(&other, "`#[service]` stands on an `impl` block or on a `trait`");
            Parsed { item: Cleaned::Other(item), model: None }
        }
        Err(error) => {
            errors.keep::<()>(Err(error));
            Parsed { item: Cleaned::Other(item), model: None }
        }
    }
}

fn handler(options: options::Service, mut item: ItemImpl, file: File<'_>, errors: &mut Errors) -> Parsed {
    let name = match &*item.self_ty {
        Type::Path(path) => path.path.segments.last().map(|last| last.ident.clone()),
        _ => None,
    };
    let broken = errors.count();
    if let Some((path, _)) = &item.trait_ {
        errors.on(path, "`#[service]` stands on an inherent `impl`; for a contract, put it on the trait itself");
    }
    if !item.generics.params.is_empty() {
        errors.on(&item.generics, "a handler cannot be generic: the impl of a concrete type can be a service");
    }
    if let Some(name) = &options.name {
        errors.on(name, "a handler does not name its service; `micro::service(\"…\")` does");
    }
    if name.is_none() {
        errors.on(&item.self_ty, "a handler is a named type");
    }
    let head_is_fine = errors.count() == broken;

    let mut endpoints = Vec::new();
    let mut marked = false;
    for member in &mut item.items {
        match member {
            ImplItem::Fn(method) => {
                let Some(options) = options::endpoint(&mut method.attrs, errors) else { continue };
                marked = true;
                if options.skip {
                    errors.on(&method.sig.ident, "`skip` is for traits; in an impl leave `#[endpoint]` out");
                }
                endpoints.extend(endpoint::endpoint(&name, &mut method.attrs, &mut method.sig, options, errors));
            }
            ImplItem::Const(ImplItemConst { attrs, .. }) | ImplItem::Type(ImplItemType { attrs, .. }) => {
                marked |= refuse_endpoint(attrs, errors);
            }
            _ => {}
        }
    }
    if !marked && head_is_fine {
        errors.on(&item.self_ty, "a service without endpoints: mark methods with `#[endpoint]`");
    }
    refuse_doubles(&endpoints, errors);
    let model = name.filter(|_| head_is_fine).map(|name| Model {
        library: options.library,
        description: match docs::text(&item.attrs) {
            own if own.is_empty() => file().map(|file| neighbour::description(&file, &name)).unwrap_or_default(),
            own => own,
        },
        name,
        form: Form::Impl { handler: item.self_ty.clone() },
        endpoints,
    });
    Parsed { item: Cleaned::Other(item.into_token_stream()), model }
}

fn contract(options: options::Service, mut item: ItemTrait, errors: &mut Errors) -> Parsed {
    let before = errors.count();
    if !item.generics.params.is_empty() {
        errors.on(&item.generics, "a contract cannot be generic: what is called must be one set of types");
    }
    let head_is_fine = errors.count() == before;
    let name = Some(item.ident.clone());

    let mut endpoints = Vec::new();
    let mut skipped_required = false;
    for member in &mut item.items {
        match member {
            TraitItem::Fn(method) => {
                let options = options::endpoint(&mut method.attrs, errors);
                let helper = match &options {
                    Some(options) => options.skip,
                    None => method.default.is_some(),
                };
                skipped_required |= helper && method.default.is_none();
                if !helper {
                    let options = options.unwrap_or_default();
                    let endpoint = endpoint::endpoint(&name, &mut method.attrs, &mut method.sig, options, errors);
                    endpoints.extend(endpoint.filter(|endpoint| check_client_name(&endpoint.method, errors)));
                }
            }
            TraitItem::Const(TraitItemConst { ident, .. }) | TraitItem::Type(TraitItemType { ident, .. }) => {
                errors.on(ident, "a contract holds methods only: a client could not know this");
            }
            _ => {}
        }
    }
    if endpoints.is_empty() && errors.count() == before {
        errors.on(&item.ident, "a service without endpoints: add a method without a body");
    }
    refuse_doubles(&endpoints, errors);
    let mirrors = |endpoint: &Endpoint| match endpoint.answer.shape {
        Shape::Plain => false,
        Shape::Result => endpoint.is_async && !endpoint.answer.own_error,
        Shape::Stream | Shape::ResultStream => !endpoint.answer.own_error,
    };
    let client_implements =
        errors.count() == before && !skipped_required && item.supertraits.is_empty() && endpoints.iter().all(mirrors);
    let model = head_is_fine.then(|| Model {
        library: options.library,
        name: item.ident.clone(),
        description: docs::text(&item.attrs),
        form: Form::Trait {
            visibility: item.vis.clone(),
            service: options.name.map_or_else(|| kebab(&item.ident.to_string()), |name| name.value()),
            client_implements,
        },
        endpoints,
    });
    for bound in [parse_quote!(::core::marker::Send), parse_quote!(::core::marker::Sync), parse_quote!('static)] {
        item.supertraits.push(bound);
    }
    Parsed { item: Cleaned::Trait(Box::new(item)), model }
}

/// `#[endpoint]` on something that is not a method.
fn refuse_endpoint(attributes: &mut Vec<Attribute>, errors: &mut Errors) -> bool {
    let ours: Vec<_> = attributes.extract_if(.., |attribute| options::is_endpoint(attribute)).collect();
    for attribute in &ours {
        errors.on(attribute, "only a method can be an endpoint");
    }
    !ours.is_empty()
}

/// The generated client has functions of its own.
fn check_client_name(method: &syn::Ident, errors: &mut Errors) -> bool {
    let taken = ["new", "with_name", "descriptor"].iter().any(|taken| method == taken);
    if taken {
        errors.on(method, format!("`{method}` is a function of the generated client; choose another name"));
    }
    !taken
}

fn refuse_doubles(endpoints: &[Endpoint], errors: &mut Errors) {
    for (i, endpoint) in endpoints.iter().enumerate() {
        if endpoints[..i].iter().any(|other| other.name == endpoint.name) {
            errors.on(&endpoint.method, format!("two endpoints are called `{}`", endpoint.name));
        }
    }
}

/// The last name of a path type, with its generic arguments.
pub(crate) fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
    match bare(ty) {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}

/// A type without the invisible groups that macros by example leave around it.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        _ => ty,
    }
}

/// Whether the handler's own type is part of a type.
fn names_self(tokens: impl ToTokens) -> bool {
    fn within(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            proc_macro2::TokenTree::Ident(ident) => ident == "Self",
            proc_macro2::TokenTree::Group(group) => within(group.stream()),
            _ => false,
        })
    }
    within(tokens.into_token_stream())
}

/// `UserProfiles` → `user-profiles`, `HTTPServer` → `http-server`.
fn kebab(name: &str) -> String {
    let letters: Vec<char> = name.trim_start_matches("r#").chars().collect();
    let mut kebab = String::new();
    for (i, &letter) in letters.iter().enumerate() {
        let after_lower = i > 0 && !letters[i - 1].is_uppercase() && letters[i - 1] != '_';
        let before_lower =
            i > 0 && letters[i - 1].is_uppercase() && letters.get(i + 1).is_some_and(|l| l.is_lowercase());
        if letter.is_uppercase() && (after_lower || before_lower) {
            kebab.push('-');
        }
        kebab.extend(if letter == '_' { '-' } else { letter }.to_lowercase());
    }
    kebab
}

/// `get_profile` → `GetProfile`.
pub(crate) fn upper_camel(name: &str) -> String {
    let words = name.trim_start_matches("r#").split('_');
    let camel = |word: &str| {
        let mut letters = word.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
    };
    words.map(camel).collect()
}
