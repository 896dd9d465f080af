//! One method: docs, signature, and whether its examples fit its parameters.

use quote::quote;
use syn::{Attribute, Ident, ReceiverKind, Safety, Signature, ext::IdentExt, parse_quote};

use super::{answer, arguments, upper_camel};
use crate::{
    docs::{self, Docs},
    errors::Errors,
    model::{Endpoint, Options},
};

/// How a method is spoken of in errors, and its context's type.
#[derive(Clone, Copy)]
pub(super) struct Words {
    /// With its article.
    pub(super) noun: &'static str,
    /// What it is to those who read its doc comment.
    pub(super) thing: &'static str,
    pub(super) reader: &'static str,
    pub(super) context: &'static str,
}

/// An endpoint of a service.
const ENDPOINT: Words = Words { noun: "an endpoint", thing: "tool", reader: "a model", context: "Context" };

/// Reads a method and cleans it of what only we understand. `None` when its signature makes no sense.
pub(super) fn endpoint(
    service: &Option<Ident>,
    attributes: &mut Vec<Attribute>,
    signature: &mut Signature,
    options: Options,
    errors: &mut Errors,
) -> Option<Endpoint> {
    let method = options.name.clone().unwrap_or_else(|| upper_camel(&signature.ident.to_string()));
    let endpoint = method_of(ENDPOINT, attributes, signature, options, errors)?;
    Some(Endpoint { name: format!("{}.{method}", service.as_ref()?.unraw()), ..endpoint })
}

/// Reads a method; its name is still to be given.
pub(super) fn method_of(
    words: Words,
    attributes: &mut Vec<Attribute>,
    signature: &mut Signature,
    options: Options,
    errors: &mut Errors,
) -> Option<Endpoint> {
    let Words { noun, thing, reader, context } = words;
    let docs = docs::parse(attributes, errors);
    if docs.description.is_empty() {
        let text = format!("{noun} needs a doc comment: it is what {reader} reads to choose this {thing}");
        errors.on(&signature.ident, text);
    }
    refuse_conditions(noun, attributes, errors);

    let before = errors.count();
    check_receiver(noun, signature, errors);
    check_kind(noun, signature, errors);
    let taken = arguments::take(context, &mut signature.inputs, &docs, errors);
    let answer = answer::answer(&signature.output, errors);
    if errors.count() > before {
        return None;
    }
    // `&self`, owned arguments, one parameter a key: what we ask of a signature is no fault of its author's.
    let asked = quote!(clippy::unused_self, clippy::needless_pass_by_value, clippy::too_many_arguments);
    attributes.push(parse_quote!(#[allow(#asked)]));
    taken.check_docs(&docs, &signature.ident, errors);
    let Docs { description, examples, returns, .. } = docs;
    Some(Endpoint {
        name: String::new(),
        method: signature.ident.clone(),
        description,
        examples: examples
            .iter()
            .map(|example| serde_json::Value::from(example.arguments.clone()).to_string())
            .collect(),
        is_async: signature.asyncness.is_some(),
        parameters: taken.parameters,
        arguments: taken.arguments,
        answer: answer?,
        returns,
        options,
    })
}

fn check_receiver(noun: &str, signature: &Signature, errors: &mut Errors) {
    let Some(receiver) = signature.receiver() else {
        errors.on(&signature.ident, format!("{noun} is a method: begin its parameters with `&self`"));
        return;
    };
    match &receiver.kind {
        ReceiverKind::Reference(_, _, None) => {}
        ReceiverKind::Reference(..) => {
            errors.on(
                receiver,
                format!("{noun} takes `&self`: calls run side by side, so what changes stands behind a lock"),
            );
        }
        _ => errors.on(receiver, format!("{noun} takes `&self`: the handler serves every call")),
    }
}

fn check_kind(noun: &str, signature: &Signature, errors: &mut Errors) {
    if !signature.generics.params.is_empty() {
        errors.on(&signature.generics, format!("{noun} cannot be generic: its schema is one set of types"));
    }
    let plain = format!("{noun} is `fn` or `async fn`, nothing else");
    if let Some(token) = &signature.constness {
        errors.on(token, &plain);
    }
    if let Safety::Unsafe(token) = &signature.safety {
        errors.on(token, &plain);
    }
    if let Some(abi) = &signature.abi {
        errors.on(abi, &plain);
    }
}

/// An endpoint's place in the list is its number, so none may come and go.
fn refuse_conditions(noun: &str, attributes: &[Attribute], errors: &mut Errors) {
    for attribute in attributes {
        if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
            errors
                .on(attribute, format!("{noun} cannot be conditional; put it into a handler of its own behind `cfg`"));
        }
    }
}
