//! What the renderers know of an item: everything is checked, nothing is text that still needs parsing.

use std::time::Duration;

use syn::{Attribute, Ident, Path, Type, Visibility};

/// A service as written.
pub(crate) struct Model {
    /// The path under which the expansion finds the library, `::micro` unless told otherwise.
    pub(crate) library: Path,
    /// The type's or trait's name, the first half of every endpoint's.
    pub(crate) name: Ident,
    /// The doc comment, of an impl or else of its type.
    pub(crate) description: String,
    pub(crate) form: Form,
    /// In the order of the source.
    pub(crate) endpoints: Vec<Endpoint>,
}

/// Tools, prompts and resources of a type, as written.
pub(crate) struct ToolSet {
    /// The path under which the expansion finds the library, `::micro_mcp` unless told otherwise.
    pub(crate) library: Path,
    pub(crate) handler: Box<Type>,
    /// In the order of the source.
    pub(crate) members: Vec<Member>,
}

/// One method that clients see.
pub(crate) struct Member {
    pub(crate) kind: MemberKind,
    pub(crate) endpoint: Endpoint,
}

/// What a method is to clients.
pub(crate) enum MemberKind {
    Tool,
    Prompt,
    /// The URI, or the template with its variables.
    Resource {
        uri: String,
        variables: Vec<String>,
    },
}

/// What the attribute stands on.
pub(crate) enum Form {
    /// `impl Users`: the type is the handler.
    Impl { handler: Box<Type> },
    /// `trait Users`: a contract with a server and a client.
    Trait {
        visibility: Visibility,
        /// The service the client calls unless told otherwise.
        service: String,
        /// The client can implement the trait itself.
        client_implements: bool,
    },
}

/// One method that callers see.
pub(crate) struct Endpoint {
    pub(crate) method: Ident,
    /// `Type.Method`.
    pub(crate) name: String,
    /// The doc comment without its tags.
    pub(crate) description: String,
    /// JSON objects, in one line each.
    pub(crate) examples: Vec<String>,
    pub(crate) options: Options,
    pub(crate) is_async: bool,
    /// All of them but `self`, in the order of the source.
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) arguments: Arguments,
    pub(crate) answer: Answer,
    /// The text of `@return`.
    pub(crate) returns: Option<String>,
}

/// What `#[endpoint(…)]`, `#[tool(…)]`, `#[prompt(…)]` or `#[resource(…)]` says.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) skip: bool,
    pub(crate) name: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) read_only: bool,
    pub(crate) idempotent: bool,
    pub(crate) destructive: Option<bool>,
    pub(crate) open_world: Option<bool>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) cost: Option<u32>,
    pub(crate) cache: Option<Duration>,
    /// Tools only: the name of a `TaskMode`.
    pub(crate) task: Option<Ident>,
    /// URLs of pictures.
    pub(crate) icons: Vec<String>,
    /// Resources only.
    pub(crate) mime_type: Option<String>,
}

/// A parameter of the method.
pub(crate) struct Parameter {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    pub(crate) role: Role,
}

/// What a parameter is filled from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// `cx: &Context`.
    ContextRef,
    /// `cx: Context`.
    Context,
    /// The arguments of the call, or a part of them.
    Argument,
}

/// What a call brings.
pub(crate) enum Arguments {
    Nothing,
    /// One parameter is the arguments object.
    Whole(Box<Type>),
    /// The parameters are the keys of the arguments object.
    Fields(Vec<Field>),
}

/// One key of the arguments object.
pub(crate) struct Field {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    /// `#[serde]` and `#[schemars]` of the parameter.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) description: Option<String>,
}

/// What a method answers with.
pub(crate) struct Answer {
    pub(crate) shape: Shape,
    /// The value, or one item when it streams.
    pub(crate) value: Type,
    /// A `Result` names its error type, so it is not the library's own.
    pub(crate) own_error: bool,
}

/// How the value is wrapped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `T`.
    Plain,
    /// `Result<T>`.
    Result,
    /// `impl Stream<Item = Result<T>>`.
    Stream,
    /// `Result<impl Stream<Item = Result<T>>>`.
    ResultStream,
}

impl Model {
    /// Whether the endpoints belong to a trait.
    pub(crate) fn is_trait(&self) -> bool {
        matches!(self.form, Form::Trait { .. })
    }
}

impl Answer {
    /// The method returns nothing but success.
    pub(crate) fn is_unit(&self) -> bool {
        matches!(&self.value, Type::Tuple(tuple) if tuple.elems.is_empty())
    }

    /// The method answers with a stream of items.
    pub(crate) fn streams(&self) -> bool {
        matches!(self.shape, Shape::Stream | Shape::ResultStream)
    }
}
