//! What stands in the parentheses of `#[service(…)]` and `#[endpoint(…)]`.

use std::time::Duration;

use proc_macro2::TokenStream;
use syn::{
    Attribute, Expr, ExprArray, ExprLit, Ident, Lit, LitStr, Meta, Path, Token,
    ext::IdentExt,
    parse::{Parse, ParseStream, Parser},
    parse_quote,
    punctuated::Punctuated,
};

use crate::{errors::Errors, model::Options, near};

const SERVICE_KEYS: [&str; 2] = ["name", "crate"];
const ENDPOINT_KEYS: [&str; 11] = [
    "scopes",
    "read_only",
    "idempotent",
    "destructive",
    "open_world",
    "title",
    "timeout",
    "cost",
    "cache",
    "name",
    "skip",
];

/// What `#[service(…)]` says.
pub(super) struct Service {
    pub(super) name: Option<LitStr>,
    pub(super) library: Path,
}

/// `key` or `key = value`.
struct Setting {
    key: Ident,
    value: Option<Expr>,
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input.call(Ident::parse_any)?;
        let value = if input.parse::<Option<Token![=]>>()?.is_some() { Some(input.parse()?) } else { None };
        Ok(Self { key, value })
    }
}

/// Reads the options of `#[service(…)]`.
pub(super) fn service(tokens: TokenStream, errors: &mut Errors) -> Service {
    let mut service = Service { name: None, library: parse_quote!(::micro) };
    for setting in settings(tokens, &SERVICE_KEYS, errors) {
        let Some(text) = errors.keep(setting.text("users")) else { continue };
        if setting.key == "name" {
            match check_service_name(&text.value()) {
                Ok(()) => service.name = Some(text),
                Err(reason) => errors.on(&text, reason),
            }
        } else if let Some(library) = errors.keep(text.parse_with(Path::parse_mod_style)) {
            service.library = library;
        }
    }
    service
}

/// Whether this is `#[endpoint]`.
pub(super) fn is_endpoint(attribute: &Attribute) -> bool {
    is_called(attribute, "endpoint")
}

/// Whether this is `#[name]`, by whatever path.
pub(super) fn is_called(attribute: &Attribute, name: &str) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == name)
}

/// Reads the options of `#[tools(…)]`: the path of the library.
pub(super) fn tools(tokens: TokenStream, errors: &mut Errors) -> Path {
    let mut library = parse_quote!(::micro_mcp);
    for setting in settings(tokens, &["crate"], errors) {
        let path = setting.text("micro_mcp").and_then(|text| text.parse_with(Path::parse_mod_style));
        library = errors.keep(path).unwrap_or(library);
    }
    library
}

/// Reads the settings of a list into options.
pub(super) fn options(noun: &str, tokens: TokenStream, known: &[&str], errors: &mut Errors) -> Options {
    let mut options = Options::default();
    let mut destructive = None;
    for setting in settings(tokens, known, errors) {
        let read = setting.read_into(&mut options);
        errors.keep(read);
        if setting.key == "destructive" {
            destructive = Some(setting.key);
        }
    }
    if let (true, Some(true), Some(key)) = (options.read_only, options.destructive, destructive) {
        errors.on(key, format!("{noun} is `read_only` or `destructive`, not both"));
    }
    options
}

/// Takes `#[endpoint(…)]` away from a method and reads it; `None` when there is none.
pub(super) fn endpoint(attributes: &mut Vec<Attribute>, errors: &mut Errors) -> Option<Options> {
    let ours: Vec<_> = attributes.extract_if(.., |attribute| is_endpoint(attribute)).collect();
    let (first, more) = ours.split_first()?;
    for attribute in more {
        errors.on(attribute, "`#[endpoint]` stands here already; put everything into one");
    }
    let list = match &first.meta {
        Meta::Path(_) => return Some(Options::default()),
        Meta::List(list) => list.tokens.clone(),
        Meta::NameValue(_) => {
            errors.on(first, "write `#[endpoint]` or `#[endpoint(key = value, …)]`");
            return Some(Options::default());
        }
    };
    Some(self::options("an endpoint", list, &ENDPOINT_KEYS, errors))
}

/// The settings that are known, each once; the others are errors.
fn settings(tokens: TokenStream, known: &[&str], errors: &mut Errors) -> Vec<Setting> {
    let parsed = Punctuated::<Setting, Token![,]>::parse_terminated.parse2(tokens);
    let mut settings: Vec<Setting> = Vec::new();
    for setting in errors.keep(parsed).into_iter().flatten() {
        let key = setting.key.to_string();
        if !known.contains(&key.as_str()) {
            let hint = near::nearest(&key, known.iter().copied())
                .map_or_else(|| format!("known are {}", quoted(known)), |meant| format!("did you mean `{meant}`?"));
            errors.on(&setting.key, format!("unknown option `{key}`; {hint}"));
        } else if settings.iter().any(|earlier| earlier.key == setting.key) {
            errors.on(&setting.key, format!("`{key}` is set twice"));
        } else {
            settings.push(setting);
        }
    }
    settings
}

impl Setting {
    fn read_into(&self, options: &mut Options) -> syn::Result<()> {
        match self.key.to_string().as_str() {
            "skip" => options.skip = self.flag()?,
            "read_only" => options.read_only = self.flag()?,
            "idempotent" => options.idempotent = self.flag()?,
            "destructive" => options.destructive = Some(self.flag()?),
            "open_world" => options.open_world = Some(self.flag()?),
            "title" => options.title = Some(self.text("Find a user")?.value()),
            "name" => options.name = Some(self.method_name()?),
            "timeout" => options.timeout = Some(self.duration()?),
            "cache" => options.cache = Some(self.duration()?),
            "cost" => options.cost = Some(self.number()?),
            "task" => options.task = Some(self.task()?),
            "icons" => options.icons = self.icons()?,
            "mime_type" => options.mime_type = Some(self.text("text/plain")?.value()),
            _ => options.scopes = self.scopes()?,
        }
        Ok(())
    }

    fn flag(&self) -> syn::Result<bool> {
        match &self.value {
            None => Ok(true),
            Some(Expr::Lit(ExprLit { lit: Lit::Bool(value), .. })) => Ok(value.value),
            Some(_) => Err(self.wants(&format!("`{0}` or `{0} = false`", self.key))),
        }
    }

    fn text(&self, example: &str) -> syn::Result<LitStr> {
        match &self.value {
            Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => Ok(text.clone()),
            _ => Err(self.wants(&format!("`{} = \"{example}\"`", self.key))),
        }
    }

    fn number(&self) -> syn::Result<u32> {
        match &self.value {
            Some(Expr::Lit(ExprLit { lit: Lit::Int(number), .. })) => number.base10_parse(),
            _ => Err(self.wants(&format!("`{} = 3`", self.key))),
        }
    }

    fn method_name(&self) -> syn::Result<String> {
        let text = self.text("Get")?;
        let name = text.value();
        let fine = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if fine {
            Ok(name)
        } else {
            Err(syn::Error::new(text.span(), "a name is letters, digits and `_`, as in `Get`"))
        }
    }

    fn duration(&self) -> syn::Result<Duration> {
        let text = self.text("2s")?;
        let wrong =
            || syn::Error::new(text.span(), "a duration is a whole number with a unit: `500ms`, `2s`, `1m`, `1h`");
        let value = text.value();
        let (number, unit) = value.split_at(value.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?);
        let unit = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60 * 1000,
            "h" => 60 * 60 * 1000,
            _ => return Err(wrong()),
        };
        let milliseconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(wrong)?;
        if milliseconds == 0 {
            return Err(syn::Error::new(text.span(), "a duration of nothing"));
        }
        Ok(Duration::from_millis(milliseconds))
    }

    fn scopes(&self) -> syn::Result<Vec<String>> {
        let Some(Expr::Array(ExprArray { elems, .. })) = &self.value else {
            return Err(self.wants("`scopes = [\"users:read\"]`"));
        };
        let (mut scopes, mut wrong) = (Vec::new(), None::<syn::Error>);
        for element in elems {
            let text = match element {
                Expr::Lit(ExprLit { lit: Lit::Str(scope), .. }) => {
                    let name = scope.value();
                    if !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == ',') {
                        scopes.push(name);
                        continue;
                    }
                    "a scope is one word without commas: `users:read`"
                }
                _ => "a scope is a string: `\"users:read\"`",
            };
            let error = syn::Error::new_spanned(element, text);
            match &mut wrong {
                Some(wrong) => wrong.combine(error),
                None => wrong = Some(error),
            }
        }
        wrong.map_or(Ok(scopes), Err)
    }

    fn task(&self) -> syn::Result<Ident> {
        let word = match &self.value {
            Some(Expr::Path(path)) => path.path.get_ident(),
            _ => None,
        };
        match word.map(ToString::to_string).as_deref() {
            Some("optional") => Ok(Ident::new("Optional", proc_macro2::Span::call_site())),
            Some("required") => Ok(Ident::new("Required", proc_macro2::Span::call_site())),
            _ => Err(self.wants("`task = optional` or `task = required`")),
        }
    }

    fn icons(&self) -> syn::Result<Vec<String>> {
        let wrong = || self.wants("`icons = [\"https://example.com/icon.png\"]`");
        let Some(Expr::Array(ExprArray { elems, .. })) = &self.value else { return Err(wrong()) };
        let icon = |element: &Expr| match element {
            Expr::Lit(ExprLit { lit: Lit::Str(url), .. }) => match url.value() {
                url if url.starts_with("https://") || url.starts_with("data:") => Ok(url),
                _ => Err(syn::Error::new(url.span(), "an icon is an `https:` or `data:` URL")),
            },
            _ => Err(wrong()),
        };
        elems.iter().map(icon).collect()
    }

    /// The value is missing or of another kind.
    fn wants(&self, form: &str) -> syn::Error {
        let text = format!("write {form}");
        match &self.value {
            Some(value) => syn::Error::new_spanned(value, text),
            None => syn::Error::new_spanned(&self.key, text),
        }
    }
}

/// The rule of `micro_core::check_service_name`, for contracts at compile time.
fn check_service_name(name: &str) -> Result<(), &'static str> {
    let fine = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= 128
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    if fine {
        Ok(())
    } else {
        Err("a service's name is letters, digits, `.`, `_` and `-`, and begins with a letter or digit")
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
