//! The return type: a value, a result, a stream.

use syn::{
    AngleBracketedGenericArguments, GenericArgument, PathArguments, ReturnType, Type, TypeParamBound, parse_quote,
};

use super::{bare, last_segment};
use crate::{
    errors::Errors,
    model::{Answer, Shape},
};

/// Reads a return type. `None` after an error.
pub(super) fn answer(output: &ReturnType, errors: &mut Errors) -> Option<Answer> {
    let ReturnType::Type(_, ty) = output else {
        return Some(Answer { shape: Shape::Plain, value: parse_quote!(()), own_error: false });
    };
    let (shape, value, own_error) = if let Some(item) = stream_item(ty) {
        let (value, own_error) = result(item, errors, "a stream's items are results: `impl Stream<Item = Result<T>>`")?;
        (Shape::Stream, value, own_error)
    } else if last_segment(ty).is_some_and(|last| last.ident == "Result") {
        let (value, own_error) = result(ty, errors, "name what comes back: `Result<T>`, or `Result<()>` for nothing")?;
        match stream_item(value) {
            None => (Shape::Result, value, own_error),
            Some(item) => {
                let (value, own_item_error) =
                    result(item, errors, "a stream's items are results: `Stream<Item = Result<T>>`")?;
                (Shape::ResultStream, value, own_error || own_item_error)
            }
        }
    } else {
        (Shape::Plain, &**ty, false)
    };
    match bare(value) {
        Type::ImplTrait(_) => {
            errors.on(value, "an endpoint answers with a named type, or with `impl Stream<Item = Result<T>>`");
        }
        Type::Reference(_) => errors.on(value, "an endpoint answers with an owned value: it outlives the call"),
        Type::Never(_) => errors.on(value, "an endpoint that never answers"),
        _ => return Some(Answer { shape, value: value.clone(), own_error }),
    }
    None
}

/// Whether a type is `impl Stream<…>`.
pub(crate) fn is_stream(ty: &Type) -> bool {
    stream_item(ty).is_some()
}

/// `T` and whether there is an `E` in `Result<T, E>`.
fn result<'a>(ty: &'a Type, errors: &mut Errors, otherwise: &str) -> Option<(&'a Type, bool)> {
    let arguments = last_segment(ty).filter(|last| last.ident == "Result").and_then(|last| match &last.arguments {
        PathArguments::AngleBracketed(arguments) => Some(arguments),
        _ => None,
    });
    let Some(value) = arguments.and_then(first_type) else {
        errors.on(ty, otherwise);
        return None;
    };
    Some((value, arguments.is_some_and(|arguments| arguments.args.len() > 1)))
}

/// The `Item` of `impl Stream<Item = …>`.
fn stream_item(ty: &Type) -> Option<&Type> {
    let Type::ImplTrait(stream) = bare(ty) else { return None };
    stream.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let last = bound.path.segments.last().filter(|last| last.ident == "Stream")?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(item) if item.ident == "Item" => Some(&item.ty),
            _ => None,
        })
    })
}

fn first_type(arguments: &AngleBracketedGenericArguments) -> Option<&Type> {
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}
