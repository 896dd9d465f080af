//! The parameters: the context, one arguments object, or the keys of one.

use syn::{Attribute, FnArg, Ident, Pat, PatType, Token, Type, TypeReference, ext::IdentExt, punctuated::Punctuated};

use super::{bare, last_segment, names_self};
use crate::{
    docs::{self, Docs},
    errors::Errors,
    model::{Arguments, Field, Parameter, Role},
    near,
};

/// A lone parameter of such a name is the arguments object.
const WHOLE_NAMES: [&str; 6] = ["req", "request", "args", "arguments", "input", "params"];

/// Types that cannot be an object, whatever their parameter is called.
const NEVER_OBJECTS: [&str; 22] = [
    "String", "str", "bool", "char", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128",
    "isize", "f32", "f64", "Vec", "VecDeque", "HashSet", "Option",
];

/// The parameters of a method, after `self`.
pub(super) struct Taken {
    pub(super) parameters: Vec<Parameter>,
    pub(super) arguments: Arguments,
    /// What an example of the arguments must look like; `None` when only the schema can tell.
    keys: Option<Vec<Key>>,
}

/// A key of the arguments object.
struct Key {
    /// As the parameter is called.
    parameter: String,
    /// As JSON calls it.
    json: String,
    required: bool,
}

/// A parameter that is no context, with the attributes that were taken from it.
struct Candidate {
    name: Ident,
    ty: Type,
    docs: Vec<Attribute>,
    schema: Vec<Attribute>,
    marked: bool,
}

/// Reads the parameters and takes from them the attributes that only we understand.
pub(super) fn take(
    context: &str,
    inputs: &mut Punctuated<FnArg, Token![,]>,
    docs: &Docs,
    errors: &mut Errors,
) -> Taken {
    let mut parameters = Vec::new();
    let mut candidates = Vec::new();
    for input in inputs {
        let FnArg::Typed(input) = input else { continue };
        let candidate = candidate(input, errors);
        let role = role(context, &input.ty, errors);
        let Some(candidate) = candidate else { continue };
        parameters.push(Parameter { name: candidate.name.clone(), ty: candidate.ty.clone(), role });
        if role == Role::Argument {
            candidates.push(candidate);
        } else if parameters.iter().filter(|parameter| parameter.role != Role::Argument).count() > 1 {
            errors.on(&input, "there is one context");
        }
    }
    for marked in candidates.iter().filter(|candidate| candidate.marked && candidates.len() > 1) {
        errors.on(&marked.name, "`#[arguments]` marks the only argument; the others belong into its type");
    }
    let (arguments, keys) = match &candidates[..] {
        [] => (Arguments::Nothing, Some(Vec::new())),
        [only] if only.is_whole() => (only.whole(errors), None),
        _ => fields(candidates, docs, errors),
    };
    Taken { parameters, arguments, keys }
}

impl Taken {
    /// Checks that tags speak of parameters that are there, and that examples fit them.
    pub(super) fn check_docs(&self, docs: &Docs, method: &Ident, errors: &mut Errors) {
        for param in &docs.params {
            let name = &param.name;
            if let Arguments::Whole(ty) = &self.arguments {
                let ty = last_segment(ty).map_or_else(String::new, |last| format!(" `{}`", last.ident));
                errors.at(param.span, format!("`@param` describes plain parameters; document the field in{ty}"));
            } else if self.parameters.iter().any(|p| p.role != Role::Argument && p.name == name) {
                errors.at(param.span, format!("`{name}` is the context, no argument of the caller's"));
            } else if !self.parameters.iter().any(|p| p.name.unraw() == name) {
                let hint = near::hint(name, self.names());
                errors.at(param.span, format!("`{method}` has no parameter `{name}`{hint}"));
            }
        }
        let Some(keys) = &self.keys else { return };
        for example in &docs.examples {
            for key in example.arguments.keys().filter(|key| !keys.iter().any(|known| known.json == **key)) {
                let hint = near::hint(key, keys.iter().map(|known| known.json.as_str()));
                errors.at(example.span, format!("the example's `{key}` is no parameter of `{method}`{hint}"));
            }
            for key in keys.iter().filter(|key| key.required && !example.arguments.contains_key(&key.json)) {
                errors.at(example.span, format!("the example lacks `{}`, which `{method}` requires", key.json));
            }
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().flatten().map(|key| key.parameter.as_str())
    }
}

/// Whether a parameter is the context, by the last name of its type.
fn role(context: &str, ty: &Type, errors: &mut Errors) -> Role {
    let is_context = |ty: &Type| last_segment(ty).is_some_and(|last| last.ident == context && last.arguments.is_none());
    match bare(ty) {
        Type::Reference(reference) if is_context(&reference.elem) => {
            if reference.mutability.is_some() {
                errors
                    .on(ty, format!("the context is shared: take `&{context}`, or `{context}` for a copy of your own"));
            }
            Role::ContextRef
        }
        ty if is_context(ty) => Role::Context,
        _ => Role::Argument,
    }
}

fn candidate(input: &mut PatType, errors: &mut Errors) -> Option<Candidate> {
    let mut take = |names: &[&str]| -> Vec<Attribute> {
        input.attrs.extract_if(.., |attribute| names.iter().any(|name| attribute.path().is_ident(name))).collect()
    };
    let (docs, schema, marked) = (take(&["doc"]), take(&["serde", "schemars"]), take(&["arguments"]));
    for condition in take(&["cfg", "cfg_attr"]) {
        errors.on(condition, "a parameter cannot be conditional: callers see one schema");
    }
    match &*input.pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => Some(Candidate {
            name: pat.ident.clone(),
            ty: (*input.ty).clone(),
            docs,
            schema,
            marked: !marked.is_empty(),
        }),
        other => {
            errors.on(other, "give the parameter a plain name: it is the key that callers send");
            None
        }
    }
}

impl Candidate {
    fn is_whole(&self) -> bool {
        let name = self.name.unraw().to_string();
        let named = WHOLE_NAMES.contains(&name.trim_start_matches('_'));
        let object = last_segment(&self.ty).is_some_and(|last| NEVER_OBJECTS.iter().all(|never| last.ident != never));
        self.marked || (named && object)
    }

    fn whole(&self, errors: &mut Errors) -> Arguments {
        self.check_type(errors);
        if let Some(attribute) = self.docs.first().or(self.schema.first()) {
            errors.on(attribute, "this parameter is the whole arguments object; write this on its type's fields");
        }
        Arguments::Whole(Box::new(self.ty.clone()))
    }

    /// Arguments are read from the body, so they are owned and have one known type.
    fn check_type(&self, errors: &mut Errors) {
        match bare(&self.ty) {
            Type::Reference(reference) => {
                errors.on(&self.ty, format!("arguments are owned: take {} here", owned(reference)));
            }
            Type::ImplTrait(_) => errors.on(&self.ty, "an argument has a named type: its schema is made of it"),
            ty if names_self(ty) => errors.on(ty, "the handler itself is no argument; name the argument's type"),
            _ => {}
        }
    }
}

fn owned(reference: &TypeReference) -> &'static str {
    match bare(&reference.elem) {
        ty if last_segment(ty).is_some_and(|last| last.ident == "str") => "`String`",
        Type::Slice(_) => "a `Vec`",
        _ => "the type without `&`",
    }
}

fn fields(candidates: Vec<Candidate>, docs: &Docs, errors: &mut Errors) -> (Arguments, Option<Vec<Key>>) {
    let mut fields = Vec::new();
    let mut keys = Some(Vec::new());
    for candidate in candidates {
        candidate.check_type(errors);
        let Candidate { name, ty, docs: text, schema, .. } = candidate;
        let parameter = name.unraw().to_string();
        let own = Some(docs::text(&text)).filter(|text| !text.is_empty());
        let tagged = docs.params.iter().find(|param| param.name == parameter);
        if let (Some(_), Some(tagged)) = (&own, tagged) {
            errors.at(tagged.span, format!("`{parameter}` has a doc comment of its own"));
        }
        let serde = Serde::read(&schema);
        let optional = serde.default || last_segment(&ty).is_some_and(|last| last.ident == "Option");
        if serde.opaque {
            keys = None;
        } else if let Some(keys) = &mut keys {
            let json = serde.rename.unwrap_or_else(|| parameter.clone());
            keys.push(Key { parameter, json, required: !optional });
        }
        fields.push(Field {
            name,
            ty,
            attributes: schema,
            description: own.or_else(|| tagged.map(|tag| tag.text.clone())),
        });
    }
    (Arguments::Fields(fields), keys)
}

/// What `#[serde(…)]` on a parameter changes about its key.
#[derive(Default)]
struct Serde {
    rename: Option<String>,
    default: bool,
    /// Something that only the finished schema can tell.
    opaque: bool,
}

impl Serde {
    fn read(attributes: &[Attribute]) -> Self {
        let mut serde = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
            let read = attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("rename") && meta.input.peek(Token![=]) {
                    serde.rename = Some(meta.value()?.parse::<syn::LitStr>()?.value());
                } else if meta.path.is_ident("default") {
                    serde.default = true;
                    if meta.input.peek(Token![=]) {
                        meta.value()?.parse::<syn::Expr>()?;
                    }
                } else {
                    return Err(meta.error("left to serde"));
                }
                Ok(())
            });
            serde.opaque |= read.is_err();
        }
        serde
    }
}
