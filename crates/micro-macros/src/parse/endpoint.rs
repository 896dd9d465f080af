//! One method: docs, signature, and whether its examples fit its parameters.

use quote::quote;
use syn::{Attribute, Ident, ReceiverKind, Safety, Signature, ext::IdentExt, parse_quote};

use super::{answer, arguments, upper_camel};
use crate::{
    docs::{self, Docs},
    errors::Errors,
    model::{Endpoint, Options},
};

/// Reads a method and cleans it of what only we understand. `None` when its signature makes no sense.
pub(super) fn endpoint(
    service: &Option<Ident>,
    attributes: &mut Vec<Attribute>,
    signature: &mut Signature,
    options: Options,
    errors: &mut Errors,
) -> Option<Endpoint> {
    let docs = docs::parse(attributes, errors);
    if docs.description.is_empty() {
        let text = "an endpoint needs a doc comment: it is what a model reads to choose this tool";
        errors.on(&signature.ident, text);
    }
    refuse_conditions(attributes, errors);

    let before = errors.count();
    check_receiver(signature, errors);
    check_kind(signature, errors);
    let taken = arguments::take(&mut signature.inputs, &docs, errors);
    let answer = answer::answer(&signature.output, errors);
    if errors.count() > before {
        return None;
    }
    // `&self`, owned arguments, one parameter a key: what we ask of a signature is no fault of its author's.
    let asked = quote!(clippy::unused_self, clippy::needless_pass_by_value, clippy::too_many_arguments);
    attributes.push(parse_quote!(#[allow(#asked)]));
    taken.check_docs(&docs, &signature.ident, errors);
    let Docs { description, examples, returns, .. } = docs;
    let method = options.name.clone().unwrap_or_else(|| upper_camel(&signature.ident.to_string()));
    Some(Endpoint {
        name: format!("{}.{method}", service.as_ref()?.unraw()),
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

fn check_receiver(signature: &Signature, errors: &mut Errors) {
    let Some(receiver) = signature.receiver() else {
        errors.on(&signature.ident, "an endpoint is a method: begin its parameters with `&self`");
        return;
    };
    match &receiver.kind {
        ReceiverKind::Reference(_, _, None) => {}
        ReceiverKind::Reference(..) => {
            errors.on(
                receiver,
                "an endpoint takes `&self`: calls run side by side, so what changes stands behind a lock",
            );
        }
        _ => errors.on(receiver, "an endpoint takes `&self`: the handler serves every call"),
    }
}

fn check_kind(signature: &Signature, errors: &mut Errors) {
    if !signature.generics.params.is_empty() {
        errors.on(&signature.generics, "an endpoint cannot be generic: its schema is one set of types");
    }
    let plain = "an endpoint is `fn` or `async fn`, nothing else";
    if let Some(token) = &signature.constness {
        errors.on(token, plain);
    }
    if let Safety::Unsafe(token) = &signature.safety {
        errors.on(token, plain);
    }
    if let Some(abi) = &signature.abi {
        errors.on(abi, plain);
    }
}

/// An endpoint's place in the list is its number, so none may come and go.
fn refuse_conditions(attributes: &[Attribute], errors: &mut Errors) {
    for attribute in attributes {
        if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
            errors.on(attribute, "an endpoint cannot be conditional; put it into a handler of its own behind `cfg`");
        }
    }
}
