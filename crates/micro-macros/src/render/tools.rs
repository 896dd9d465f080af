//! `ToolSet::register`: each method becomes one step of the server's builder.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Type, ext::IdentExt};

use super::{arguments, located};
use crate::{
    errors::Errors,
    model::{Arguments, Endpoint, Field, Member, MemberKind, Options, Role, Shape, ToolSet},
    parse::{ParsedTools, inner, inside, last_segment},
};

/// Types of content, which are shown as they are; any other value is shown as JSON.
const CONTENT: [&str; 5] = ["String", "str", "Content", "CallToolResult", "Json"];

/// Renders everything a block expands to.
pub(crate) fn tools(parsed: &ParsedTools, errors: &Errors) -> TokenStream {
    let ParsedTools { item, model } = parsed;
    let support = model.as_ref().map(support);
    quote! { #item #support #errors }
}

fn support(model: &ToolSet) -> TokenStream {
    let ToolSet { library, handler, members } = model;
    let private = quote!(#library::__private);
    let tools = members.iter().filter(|member| matches!(member.kind, MemberKind::Tool)).map(|member| &member.endpoint);
    let structs = arguments::structs(tools, false, &private);
    let steps = members.iter().map(|member| step(member, library, handler));
    quote! {
        const _: () = {
            #structs
            #[automatically_derived]
            impl #library::ToolSet for #handler {
                fn register(self: ::std::sync::Arc<Self>, server: #library::Builder) -> #library::Builder {
                    #(let server = #steps;)*
                    server
                }
            }
        };
    }
}

fn step(member: &Member, library: &syn::Path, handler: &Type) -> TokenStream {
    let endpoint = &member.endpoint;
    let step = match &member.kind {
        MemberKind::Tool => tool(endpoint, library, handler),
        MemberKind::Prompt => prompt(endpoint, library, handler),
        MemberKind::Resource { uri, variables } => resource(endpoint, uri, variables, library, handler),
    };
    quote_spanned! { located(&endpoint.method)=> #step }
}

/// A closure of the builder's: it holds the handler, and each call has a share of its own.
fn closure(endpoint: &Endpoint, input: &TokenStream, body: &TokenStream) -> TokenStream {
    quote_spanned! { located(&endpoint.method)=> {
        let this = ::std::sync::Arc::clone(&self);
        move |#input| {
            let this = ::std::sync::Arc::clone(&this);
            async move { #body }
        }
    } }
}

/// The call of the method, with `cx` and `value` for each argument.
fn call(endpoint: &Endpoint, handler: &Type, value: impl Fn(&syn::Ident) -> TokenStream) -> TokenStream {
    let method = &endpoint.method;
    let values = endpoint.parameters.iter().map(|parameter| match parameter.role {
        Role::ContextRef => quote!(&cx),
        Role::Context => quote!(cx),
        Role::Argument => value(&parameter.name),
    });
    let dot_await = endpoint.is_async.then(|| quote!(.await));
    quote_spanned! { located(method)=> <#handler>::#method(&this, #(#values),*) #dot_await }
}

fn tool(endpoint: &Endpoint, library: &syn::Path, handler: &Type) -> TokenStream {
    let Endpoint { name, description, examples, options, .. } = endpoint;
    let private = quote!(#library::__private);
    let mut steps = vec![quote!(.description(#description))];
    steps.extend(options.title.iter().map(|title| quote!(.title(#title))));
    steps.extend(annotations(options, library));
    steps.extend(options.icons.iter().map(|url| quote!(.icon(#private::icon(#url)))));
    steps.extend(options.task.iter().map(|task| quote!(.task(#library::task::TaskMode::#task))));
    steps.extend(examples.iter().map(|example| quote!(.example(#private::example(#example)))));
    let value = &endpoint.answer.value;
    let plain = endpoint.answer.is_unit() || is_content(value);
    if !plain {
        steps.push(quote!(.output_schema::<#value>()));
    }
    let input = arguments::ty(endpoint, &private);
    let binding = if matches!(endpoint.arguments, Arguments::Nothing) { quote!(_) } else { quote!(arguments) };
    let call = call(endpoint, handler, |name| match &endpoint.arguments {
        Arguments::Fields(_) => quote!(arguments.#name),
        _ => quote!(arguments),
    });
    let answer = match (endpoint.answer.shape, plain) {
        (_, true) => call,
        (Shape::Result, false) => quote!(#call.map(#library::Json)),
        (_, false) => quote!(#library::Json(#call)),
    };
    let cx = context(endpoint);
    let closure = closure(endpoint, &quote!(#cx: #library::CallContext, #binding: #input), &answer);
    quote!(server.tool(#name) #(#steps)* .handler(#closure))
}

fn is_content(value: &Type) -> bool {
    let is =
        |ty: &Type, names: &[&str]| last_segment(ty).is_some_and(|last| names.iter().any(|name| last.ident == name));
    is(value, &CONTENT) || inside("Vec", value).is_some_and(|element| is(element, &["Content"]))
}

fn annotations(options: &Options, library: &syn::Path) -> Option<TokenStream> {
    let yes = |on: bool| on.then_some(true);
    let hints = [
        ("read_only_hint", yes(options.read_only)),
        ("idempotent_hint", yes(options.idempotent)),
        ("destructive_hint", options.destructive),
        ("open_world_hint", options.open_world),
    ];
    let set: Vec<_> = hints
        .into_iter()
        .filter_map(|(name, hint)| {
            let name = syn::Ident::new(name, proc_macro2::Span::call_site());
            hint.map(|hint| quote!(#name: ::core::option::Option::Some(#hint)))
        })
        .collect();
    (!set.is_empty()).then(|| {
        quote! {
            .annotations(#library::proto::ToolAnnotations {
                #(#set,)*
                ..::core::default::Default::default()
            })
        }
    })
}

fn prompt(endpoint: &Endpoint, library: &syn::Path, handler: &Type) -> TokenStream {
    let private = quote!(#library::__private);
    let (name, description, title) = (&endpoint.name, &endpoint.description, text(endpoint.options.title.as_ref()));
    let icons = &endpoint.options.icons;
    let fields = fields(endpoint);
    let arguments = fields.iter().map(|field| {
        let (name, description) = (field.name.unraw().to_string(), text(field.description.as_ref()));
        let required = inner(&field.ty).is_none();
        quote!(#private::prompt_argument(#name, #description, #required))
    });
    let shown = quote! {
        #private::prompt(#name, #title, #description, [#(#arguments),*], [#(#icons),*])
    };
    let taken = fields.iter().map(|field| {
        let (ident, name) = (&field.name, field.name.unraw().to_string());
        let otherwise = inner(&field.ty).is_none().then(|| quote!(.unwrap_or_default()));
        quote!(let #ident = get.arguments.remove(#name) #otherwise;)
    });
    let call = call(endpoint, handler, |name| quote!(#name));
    let cx = use_context(endpoint, &quote!(get));
    let mutable = (!fields.is_empty()).then(|| quote!(mut));
    let get = if fields.is_empty() && cx.is_none() { quote!(_) } else { quote!(#mutable get) };
    let body = quote! { #(#taken)* #cx #private::messages(#call) };
    let closure = closure(endpoint, &quote!(#get: #library::GetPrompt), &body);
    quote!(server.prompt(#shown, #closure))
}

fn resource(endpoint: &Endpoint, uri: &str, variables: &[String], library: &syn::Path, handler: &Type) -> TokenStream {
    let private = quote!(#library::__private);
    let Endpoint { name, description, options, .. } = endpoint;
    let (title, mime_type, icons) = (text(options.title.as_ref()), text(options.mime_type.as_ref()), &options.icons);
    let taken = fields(endpoint).iter().map(|field| {
        let (ident, name) = (&field.name, field.name.unraw().to_string());
        quote!(let #ident = read.variables.remove(#name).unwrap_or_default();)
    });
    let call = call(endpoint, handler, |name| quote!(#name));
    let cx = use_context(endpoint, &quote!(read));
    let mutable = (!variables.is_empty()).then(|| quote!(mut));
    let body = quote! {
        let uri = ::std::clone::Clone::clone(&read.uri);
        #(#taken)*
        #cx
        #private::contents(uri, #mime_type, #call)
    };
    let closure = closure(endpoint, &quote!(#mutable read: #library::Read), &body);
    let about = quote!(#uri, #name, #title, #description, #mime_type, [#(#icons),*]);
    match variables.is_empty() {
        true => quote!(server.resource(#private::resource(#about), #closure)),
        false => quote!(server.resource_template(#private::resource_template(#about), #closure)),
    }
}

fn fields(endpoint: &Endpoint) -> &[Field] {
    match &endpoint.arguments {
        Arguments::Fields(fields) => fields,
        _ => &[],
    }
}

/// The name of the context's binding.
fn context(endpoint: &Endpoint) -> TokenStream {
    let used = endpoint.parameters.iter().any(|parameter| parameter.role != Role::Argument);
    if used { quote!(cx) } else { quote!(_) }
}

/// Takes the context out of a wish, when the method wants it.
fn use_context(endpoint: &Endpoint, wish: &TokenStream) -> Option<TokenStream> {
    let used = endpoint.parameters.iter().any(|parameter| parameter.role != Role::Argument);
    used.then(|| quote!(let cx = #wish.cx;))
}

fn text(text: Option<&String>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}
