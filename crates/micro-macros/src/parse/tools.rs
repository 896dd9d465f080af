//! `#[tools] impl …`: methods marked `#[tool]`, `#[prompt]` or `#[resource("uri")]`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    Attribute, ImplItem, ImplItemFn, Item, ItemImpl, LitStr, Meta, Token, Type,
    ext::IdentExt,
    parse::{ParseStream, Parser},
};

use super::{
    bare,
    endpoint::{self, Words},
    last_segment, options,
};
use crate::{
    errors::Errors,
    model::{Arguments, Endpoint, Field, Member, MemberKind, Options, ToolSet},
};

const TOOL_KEYS: [&str; 8] = ["read_only", "idempotent", "destructive", "open_world", "title", "name", "task", "icons"];
const PROMPT_KEYS: [&str; 3] = ["title", "name", "icons"];
const RESOURCE_KEYS: [&str; 4] = ["title", "name", "icons", "mime_type"];

/// The block without our attributes and, if its head makes sense, what it offers.
pub(crate) struct ParsedTools {
    pub(crate) item: TokenStream,
    pub(crate) model: Option<ToolSet>,
}

/// An attribute of ours.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Tool,
    Prompt,
    Resource,
}

/// Reads `#[tools(options)] impl …`.
pub(crate) fn tools(options: TokenStream, item: TokenStream, errors: &mut Errors) -> ParsedTools {
    let library = options::tools(options, errors);
    let mut block = match syn::parse2(item.clone()) {
        Ok(Item::Impl(block)) => block,
        Ok(other) => {
            errors.on(&other, "`#[tools]` stands on an `impl` block");
            return ParsedTools { item, model: None };
        }
        Err(error) => {
            errors.keep::<()>(Err(error));
            return ParsedTools { item, model: None };
        }
    };
    let before = errors.count();
    check_head(&block, errors);
    let head_is_fine = errors.count() == before;
    let methods = block.items.iter_mut().filter_map(|item| match item {
        ImplItem::Fn(method) => Some(method),
        _ => None,
    });
    let mut marked = false;
    let mut members: Vec<Member> = Vec::new();
    for method in methods {
        let Some((mark, attribute)) = take_mark(&mut method.attrs, errors) else { continue };
        marked = true;
        let Some(member) = member(mark, &attribute, method, errors) else { continue };
        if members.iter().any(|other| other.is_twin(&member)) {
            errors.on(&method.sig.ident, format!("`{}` is there twice", member.endpoint.name));
        }
        members.push(member);
    }
    if !marked && head_is_fine {
        errors
            .on(&block.self_ty, "nothing to offer: mark methods with `#[tool]`, `#[prompt]` or `#[resource(\"uri\")]`");
    }
    let handler = block.self_ty.clone();
    let model = head_is_fine.then_some(ToolSet { library, handler, members });
    ParsedTools { item: block.into_token_stream(), model }
}

fn check_head(block: &ItemImpl, errors: &mut Errors) {
    if let Some((path, _)) = &block.trait_ {
        errors.on(path, "`#[tools]` stands on an inherent `impl`");
    }
    if !block.generics.params.is_empty() {
        errors.on(&block.generics, "the type cannot be generic: the impl of a concrete type can have tools");
    }
}

/// Takes our attribute away from a method.
fn take_mark(attributes: &mut Vec<Attribute>, errors: &mut Errors) -> Option<(Mark, Attribute)> {
    let of = |attribute: &Attribute| {
        let marks = [("tool", Mark::Tool), ("prompt", Mark::Prompt), ("resource", Mark::Resource)];
        marks.into_iter().find(|(name, _)| options::is_called(attribute, name)).map(|(_, mark)| mark)
    };
    let mut ours = attributes.extract_if(.., |attribute| of(attribute).is_some());
    let first = ours.next();
    for more in ours {
        errors.on(more, "a method is one thing: a tool, a prompt or a resource");
    }
    first.and_then(|first| Some((of(&first)?, first)))
}

fn member(mark: Mark, attribute: &Attribute, method: &mut ImplItemFn, errors: &mut Errors) -> Option<Member> {
    let (uri, options) = read_options(mark, attribute, errors);
    let (noun, thing, reader) = match mark {
        Mark::Tool => ("a tool", "tool", "a model"),
        Mark::Prompt => ("a prompt", "prompt", "a person"),
        Mark::Resource => ("a resource", "resource", "a model"),
    };
    let words = Words { noun, thing, reader, context: "CallContext" };
    let mut endpoint = endpoint::method_of(words, &mut method.attrs, &mut method.sig, options, errors)?;
    let own = method.sig.ident.unraw().to_string();
    endpoint.name = endpoint.options.name.clone().unwrap_or(own);
    let kind = match mark {
        Mark::Tool => {
            if endpoint.answer.streams() {
                errors.on(&method.sig.output, "a tool answers once; tell of progress with `CallContext::progress`");
                return None;
            }
            MemberKind::Tool
        }
        Mark::Prompt => {
            check_texts(noun, &endpoint, true, errors);
            MemberKind::Prompt
        }
        Mark::Resource => {
            let uri = uri?;
            check_texts(noun, &endpoint, false, errors);
            let variables = check_variables(&uri, &endpoint, errors);
            MemberKind::Resource { uri: uri.value(), variables }
        }
    };
    Some(Member { kind, endpoint })
}

/// What stands in the parentheses. A resource's URI comes first.
fn read_options(mark: Mark, attribute: &Attribute, errors: &mut Errors) -> (Option<LitStr>, Options) {
    let tokens = match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    match mark {
        Mark::Tool => (None, options::options("a tool", tokens, &TOOL_KEYS, errors)),
        Mark::Prompt => (None, options::options("a prompt", tokens, &PROMPT_KEYS, errors)),
        Mark::Resource => {
            let split = |input: ParseStream<'_>| {
                let uri: LitStr = input.parse()?;
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
                Ok((uri, input.parse::<TokenStream>()?))
            };
            match split.parse2(tokens) {
                Ok((uri, rest)) => (Some(uri), options::options("a resource", rest, &RESOURCE_KEYS, errors)),
                Err(_) => {
                    errors.on(attribute, "a resource begins with its URI or template: `#[resource(\"users://{id}\")]`");
                    (None, Options::default())
                }
            }
        }
    }
}

/// What people type in and what stands in a URI are texts.
fn check_texts(noun: &str, endpoint: &Endpoint, optional: bool, errors: &mut Errors) {
    let is_text = |ty: &Type| last_segment(ty).is_some_and(|last| last.ident == "String");
    let fields: &[Field] = match &endpoint.arguments {
        Arguments::Fields(fields) => fields,
        Arguments::Nothing => &[],
        Arguments::Whole(ty) => {
            errors.on(ty, format!("the arguments of {noun} are plain parameters: `name: String`"));
            return;
        }
    };
    for field in fields {
        let fine = is_text(&field.ty) || (optional && inner(&field.ty).is_some_and(is_text));
        if !fine {
            let forms = if optional { "`String` or `Option<String>`" } else { "`String`" };
            errors.on(&field.ty, format!("the arguments of {noun} are texts: take {forms}"));
        }
    }
}

/// The `T` of `Option<T>`.
pub(crate) fn inner(ty: &Type) -> Option<&Type> {
    inside("Option", ty)
}

/// The `T` of a type of this name with one parameter.
pub(crate) fn inside<'a>(name: &str, ty: &'a Type) -> Option<&'a Type> {
    let Type::Path(path) = bare(ty) else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == name)?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(syn::GenericArgument::Type(ty)) => Some(ty),
        _ => None,
    }
}

/// Each variable of the template is a parameter, and each parameter a variable.
fn check_variables(uri: &LitStr, endpoint: &Endpoint, errors: &mut Errors) -> Vec<String> {
    let text = uri.value();
    let parts = text.split('{').skip(1);
    let variables: Vec<String> =
        parts.filter_map(|part| part.split_once('}')).map(|(variable, _)| variable.to_owned()).collect();
    let fields: &[Field] = match &endpoint.arguments {
        Arguments::Fields(fields) => fields,
        _ => &[],
    };
    for variable in &variables {
        if !fields.iter().any(|field| field.name.unraw() == variable) {
            errors.on(uri, format!("the variable `{{{variable}}}` wants a parameter `{variable}: String`"));
        }
    }
    for field in fields {
        if !variables.iter().any(|variable| field.name.unraw() == variable) {
            errors.on(&field.name, format!("the URI has no variable `{{{}}}`", field.name.unraw()));
        }
    }
    variables
}

impl Member {
    /// Both are found under the same name.
    fn is_twin(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (MemberKind::Resource { uri, .. }, MemberKind::Resource { uri: theirs, .. }) => uri == theirs,
            (MemberKind::Tool, MemberKind::Tool) | (MemberKind::Prompt, MemberKind::Prompt) => {
                self.endpoint.name == other.endpoint.name
            }
            _ => false,
        }
    }
}
