//! Made-up messages: strategies for every type, each as its revision has it.
//! Long because: one function for each type.

use std::{collections::BTreeMap, sync::Arc};

use micro_mcp_proto::*;
use proptest::{collection, option, prelude::*};
use serde_json::{Map, Value, value::RawValue};

type Object = Map<String, Value>;

fn modern(revision: Revision) -> bool {
    revision.era() == Era::Modern
}

/// Something of a revision; `None` before it came.
fn since<T: Clone + std::fmt::Debug + 'static>(
    first: Revision,
    revision: Revision,
    value: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<T>> {
    if revision < first { Just(None).boxed() } else { option::of(value).boxed() }
}

/// Something of 2025-11-25 alone.
fn once<T: Clone + std::fmt::Debug + 'static>(
    revision: Revision,
    value: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<T>> {
    if revision == Revision::V2025_11_25 { option::of(value).boxed() } else { Just(None).boxed() }
}

fn text() -> impl Strategy<Value = String> + Clone {
    "\\PC{0,12}|[\\n\"\\\\\u{0}\u{7f}\u{2028}]{1,3}"
}

fn word() -> impl Strategy<Value = String> + Clone {
    "[a-z][a-zA-Z0-9_.-]{0,11}"
}

fn uri() -> impl Strategy<Value = String> + Clone {
    "(file:///|https://example\\.com/|test://)[a-z0-9]{1,8}"
}

/// Fractions that every JSON library reads back as they were.
fn fraction() -> impl Strategy<Value = f64> + Clone {
    (0u8..=4).prop_map(|n| f64::from(n) / 4.0)
}

fn json() -> BoxedStrategy<Value> {
    let odd = prop_oneof![Just(Value::Null), fraction().prop_map(Value::from)];
    let list = collection::vec(prop_oneof![odd.clone(), plain_json()], 0..3).prop_map(Value::from);
    prop_oneof![plain_json(), odd, list].boxed()
}

/// The schema of 2026-07-28 knows neither null nor fractions inside its `JSONObject`.
fn plain_json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    let tree = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            collection::vec((word(), inner), 0..4).prop_map(|all| Value::Object(all.into_iter().collect())),
        ]
    });
    tree.boxed()
}

pub(crate) fn object() -> BoxedStrategy<Object> {
    collection::vec((word(), plain_json()), 0..4).prop_map(|all| all.into_iter().collect()).boxed()
}

fn objects() -> BoxedStrategy<Object> {
    collection::vec((word(), object().prop_map(Value::Object)), 0..3).prop_map(|all| all.into_iter().collect()).boxed()
}

/// `_meta` of anything but a request: keys with a prefix.
fn meta() -> BoxedStrategy<Object> {
    let key = word().prop_map(|word| format!("com.example/{word}"));
    collection::vec((key, json()), 0..2).prop_map(|all| all.into_iter().collect()).boxed()
}

fn raw(value: &impl serde::Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).unwrap()
}

fn one_of<T: Clone + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> + Clone {
    proptest::sample::select(all)
}

// === what many messages share ===

fn id() -> impl Strategy<Value = RequestId> {
    prop_oneof![any::<i64>().prop_map(RequestId::Number), text().prop_map(RequestId::Text)]
}

fn icon() -> impl Strategy<Value = Icon> {
    let theme = option::of(one_of(&["light", "dark"]).prop_map(str::to_owned));
    (uri(), option::of(word()), collection::vec("[1-9][0-9]x[1-9][0-9]|any", 0..2), theme)
        .prop_map(|(src, mime_type, sizes, theme)| Icon { src, mime_type, sizes, theme })
}

fn icons(revision: Revision) -> BoxedStrategy<Vec<Icon>> {
    since(Revision::V2025_11_25, revision, collection::vec(icon(), 0..2)).prop_map(Option::unwrap_or_default).boxed()
}

fn implementation(revision: Revision) -> impl Strategy<Value = Implementation> {
    let newest = Revision::V2025_11_25;
    (
        text(),
        text(),
        since(Revision::V2025_06_18, revision, text()),
        since(newest, revision, text()),
        since(newest, revision, uri()),
        icons(revision),
    )
        .prop_map(|(name, version, title, description, website_url, icons)| Implementation {
            name,
            version,
            title,
            description,
            website_url,
            icons,
        })
}

fn list_changed() -> impl Strategy<Value = ListChanged> {
    (any::<bool>(), any::<bool>()).prop_map(|(list_changed, subscribe)| ListChanged { list_changed, subscribe })
}

fn client_capabilities(revision: Revision) -> impl Strategy<Value = DeclaredCapabilities> {
    let modes = |names: &'static [&'static str]| {
        collection::btree_map(one_of(names), object(), 0..3).prop_map(|all| {
            all.into_iter().map(|(name, settings)| (name.to_owned(), settings.into())).collect::<Object>()
        })
    };
    let tasks =
        Just(serde_json::from_str::<Object>(r#"{"list":{},"requests":{"sampling":{"createMessage":{}}}}"#).unwrap());
    let all = (
        option::of(list_changed()),
        option::of(modes(&["tools", "context"])),
        option::of(modes(&["form", "url"])),
        option::of(tasks),
        objects(),
        objects(),
    );
    all.prop_map(move |(roots, sampling, elicitation, tasks, extensions, experimental)| {
        DeclaredCapabilities { roots, sampling, elicitation, tasks, extensions, experimental }.for_revision(revision)
    })
}

fn server_capabilities(revision: Revision) -> impl Strategy<Value = ServerCapabilities> {
    let tasks = Just(serde_json::from_str::<Object>(r#"{"cancel":{},"requests":{"tools":{"call":{}}}}"#).unwrap());
    let lists = (option::of(list_changed()), option::of(list_changed()), option::of(list_changed()));
    let rest = (option::of(object()), option::of(object()), option::of(tasks), objects(), objects());
    (lists, rest).prop_map(
        move |((tools, prompts, resources), (completions, logging, tasks, extensions, experimental))| {
            ServerCapabilities { tools, prompts, resources, completions, logging, tasks, extensions, experimental }
                .for_revision(revision)
        },
    )
}

pub(crate) fn request_meta(revision: Revision) -> BoxedStrategy<RequestMeta> {
    let trace = option::of(Just("00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01".to_owned()));
    let who = (client_capabilities(revision), option::of(implementation(revision)), option::of(log_level()));
    (who, option::of(id()), trace, option::of(text()), option::of(text()), meta())
        .prop_map(move |((capabilities, info, log_level), progress_token, traceparent, tracestate, baggage, more)| {
            let client_capabilities = Some(Arc::new(capabilities));
            let client_info = info.map(Arc::new);
            RequestMeta {
                protocol_version: None,
                client_capabilities,
                client_info,
                log_level,
                progress_token,
                traceparent,
                tracestate,
                baggage,
                more,
            }
            .for_revision(revision)
        })
        .boxed()
}

fn log_level() -> impl Strategy<Value = LogLevel> {
    use LogLevel::*;
    one_of(&[Debug, Info, Notice, Warning, Error, Critical, Alert, Emergency])
}

pub(crate) fn empty(revision: Revision) -> impl Strategy<Value = EmptyParams> {
    request_meta(revision).prop_map(|meta| EmptyParams { meta })
}

pub(crate) fn nothing() -> impl Strategy<Value = EmptyResult> {
    meta().prop_map(|meta| EmptyResult { meta })
}

// === how a conversation begins ===

pub(crate) fn initialize(revision: Revision) -> impl Strategy<Value = InitializeParams> {
    (client_capabilities(revision), implementation(revision), request_meta(revision)).prop_map(
        move |(capabilities, client_info, meta)| InitializeParams {
            protocol_version: revision.to_string(),
            capabilities,
            client_info,
            meta,
        },
    )
}

pub(crate) fn initialized(revision: Revision) -> impl Strategy<Value = InitializeResult> {
    (server_capabilities(revision), implementation(revision), option::of(text()), meta()).prop_map(
        move |(capabilities, server_info, instructions, meta)| InitializeResult {
            protocol_version: revision.to_string(),
            capabilities,
            server_info,
            instructions,
            meta,
        },
    )
}

pub(crate) fn discovered(revision: Revision) -> impl Strategy<Value = DiscoverResult> {
    let versions = collection::vec(word(), 0..3);
    (versions, server_capabilities(revision), option::of(text()), any::<u32>(), cache_scope(), meta()).prop_map(
        |(supported_versions, capabilities, instructions, ttl_ms, cache_scope, meta)| DiscoverResult {
            supported_versions,
            capabilities,
            instructions,
            ttl_ms: ttl_ms.into(),
            cache_scope,
            meta,
        },
    )
}

fn cache_scope() -> impl Strategy<Value = CacheScope> {
    one_of(&[CacheScope::Public, CacheScope::Private])
}

// === content ===

fn annotations(revision: Revision) -> BoxedStrategy<Option<Annotations>> {
    let audience = collection::vec(one_of(&[Role::User, Role::Assistant]), 0..3);
    let modified = since(Revision::V2025_06_18, revision, Just("2026-08-01T10:30:00Z".to_owned()));
    option::of(
        (audience, option::of(fraction()), modified, meta()).prop_map(|(audience, priority, last_modified, more)| {
            Annotations { audience, priority, last_modified, more }
        }),
    )
    .boxed()
}

fn text_content(revision: Revision) -> impl Strategy<Value = TextContent> {
    (text(), annotations(revision), meta()).prop_map(|(text, annotations, meta)| TextContent {
        text,
        annotations,
        meta,
    })
}

fn media(revision: Revision) -> impl Strategy<Value = MediaContent> {
    ("([A-Za-z0-9+/]{4}){0,3}", word(), annotations(revision), meta())
        .prop_map(|(data, mime_type, annotations, meta)| MediaContent { data, mime_type, annotations, meta })
}

fn contents() -> impl Strategy<Value = ResourceContents> {
    let what = prop_oneof![
        text().prop_map(|text| (Some(text), None)),
        "([A-Za-z0-9+/]{4}){0,3}".prop_map(|blob| (None, Some(blob))),
    ];
    (uri(), option::of(word()), what, meta()).prop_map(|(uri, mime_type, (text, blob), meta)| ResourceContents {
        uri,
        mime_type,
        text,
        blob,
        meta,
    })
}

/// As anyone may write it; [`Content::for_revision`] makes it fit.
fn content(revision: Revision) -> impl Strategy<Value = Content> {
    let embedded = (contents(), annotations(revision), meta())
        .prop_map(|(resource, annotations, meta)| Content::Resource(EmbeddedResource { resource, annotations, meta }));
    prop_oneof![
        text_content(revision).prop_map(Content::Text),
        media(revision).prop_map(Content::Image),
        media(revision).prop_map(Content::Audio),
        resource(revision).prop_map(Content::ResourceLink),
        embedded,
    ]
}

// === tools ===

fn schema() -> impl Strategy<Value = Box<RawValue>> {
    let member = prop_oneof![Just(r#"{"type":"string"}"#), Just(r#"{ "type" : "integer", "minimum": 1.0 }"#)];
    collection::btree_map(word(), member, 0..3).prop_map(|properties| {
        let members: Vec<_> = properties.iter().map(|(name, schema)| format!(r#""{name}": {schema}"#)).collect();
        RawValue::from_string(format!(r#"{{"type":"object","properties":{{{}}}}}"#, members.join(","))).unwrap()
    })
}

fn tool(revision: Revision) -> impl Strategy<Value = Tool> {
    let hint = option::of(any::<bool>());
    let hints = (option::of(text()), hint.clone(), hint.clone(), hint.clone(), hint);
    let hints = hints.prop_map(|(title, read_only_hint, destructive_hint, idempotent_hint, open_world_hint)| {
        ToolAnnotations { title, read_only_hint, destructive_hint, idempotent_hint, open_world_hint }
    });
    let output = prop_oneof![schema(), Just(raw(&serde_json::json!({ "type": "array" })))];
    let support = one_of(&[TaskSupport::Forbidden, TaskSupport::Optional, TaskSupport::Required]);
    let execution = option::of(support).prop_map(|task_support| ToolExecution { task_support });
    let names = (word(), since(Revision::V2025_06_18, revision, text()), option::of(text()));
    let about = (since(Revision::V2025_03_26, revision, hints), icons(revision), option::of(execution), meta());
    (names, schema(), option::of(output), about).prop_map(
        move |((name, title, description), input, output_schema, (annotations, icons, execution, meta))| {
            Tool { title, description, output_schema, annotations, icons, execution, meta, ..Tool::new(name, input) }
                .for_revision(revision)
        },
    )
}

pub(crate) fn page(revision: Revision) -> impl Strategy<Value = PageParams> {
    (option::of(text()), request_meta(revision)).prop_map(|(cursor, meta)| PageParams { cursor, meta })
}

type Hints = (Option<String>, Option<u64>, Option<CacheScope>, Object);

fn hints() -> impl Strategy<Value = Hints> {
    (option::of(text()), option::of(any::<u32>().prop_map(u64::from)), option::of(cache_scope()), meta())
}

pub(crate) fn tools(revision: Revision) -> impl Strategy<Value = ListToolsResult> {
    (collection::vec(tool(revision), 0..3), hints()).prop_map(
        move |(tools, (next_cursor, ttl_ms, cache_scope, meta))| {
            ListToolsResult { tools, next_cursor, ttl_ms, cache_scope, meta }.for_revision(revision)
        },
    )
}

fn retry(revision: Revision) -> BoxedStrategy<(Option<InputResponses>, Option<String>)> {
    if !modern(revision) {
        return Just((None, None)).boxed();
    }
    (option::of(answers(revision)), option::of(text())).boxed()
}

pub(crate) fn call_tool(revision: Revision) -> impl Strategy<Value = CallToolParams> {
    (word(), option::of(object()), retry(revision), once(revision, task_ttl()), request_meta(revision)).prop_map(
        |(name, arguments, (input_responses, request_state), task, meta)| CallToolParams {
            name,
            arguments: arguments.map(|arguments| raw(&arguments)),
            input_responses,
            request_state,
            task,
            meta,
        },
    )
}

pub(crate) fn called(revision: Revision) -> impl Strategy<Value = CallToolResult> {
    (collection::vec(content(revision), 0..4), option::of(json()), any::<bool>(), meta()).prop_map(
        move |(content, structured_content, is_error, meta)| {
            CallToolResult { content, structured_content, is_error, meta }.for_revision(revision)
        },
    )
}

// === resources ===

fn resource(revision: Revision) -> impl Strategy<Value = Resource> {
    let names = (uri(), text(), since(Revision::V2025_06_18, revision, text()), option::of(text()));
    let about = (option::of(word()), option::of(any::<u32>()), icons(revision), annotations(revision), meta());
    (names, about).prop_map(|((uri, name, title, description), (mime_type, size, icons, annotations, meta))| Resource {
        uri,
        name,
        title,
        description,
        mime_type,
        size: size.map(u64::from),
        icons,
        annotations,
        meta,
    })
}

fn template(revision: Revision) -> impl Strategy<Value = ResourceTemplate> {
    let names = ("test://[a-z]{1,5}/\\{[a-z]{1,5}\\}", text(), since(Revision::V2025_06_18, revision, text()));
    let about = (option::of(text()), option::of(word()), icons(revision), annotations(revision), meta());
    (names, about).prop_map(|((uri_template, name, title), (description, mime_type, icons, annotations, meta))| {
        ResourceTemplate { uri_template, name, title, description, mime_type, icons, annotations, meta }
    })
}

pub(crate) fn resources(revision: Revision) -> impl Strategy<Value = ListResourcesResult> {
    (collection::vec(resource(revision), 0..3), hints()).prop_map(
        move |(resources, (next_cursor, ttl_ms, cache_scope, meta))| {
            ListResourcesResult { resources, next_cursor, ttl_ms, cache_scope, meta }.for_revision(revision)
        },
    )
}

pub(crate) fn templates(revision: Revision) -> impl Strategy<Value = ListResourceTemplatesResult> {
    (collection::vec(template(revision), 0..3), hints()).prop_map(
        move |(resource_templates, (next_cursor, ttl_ms, cache_scope, meta))| {
            ListResourceTemplatesResult { resource_templates, next_cursor, ttl_ms, cache_scope, meta }
                .for_revision(revision)
        },
    )
}

pub(crate) fn read_resource(revision: Revision) -> impl Strategy<Value = ReadResourceParams> {
    (uri(), retry(revision), request_meta(revision)).prop_map(|(uri, (input_responses, request_state), meta)| {
        ReadResourceParams { uri, input_responses, request_state, meta }
    })
}

pub(crate) fn resource_uri(revision: Revision) -> impl Strategy<Value = ResourceParams> {
    (uri(), request_meta(revision)).prop_map(|(uri, meta)| ResourceParams { uri, meta })
}

pub(crate) fn read(revision: Revision) -> impl Strategy<Value = ReadResourceResult> {
    (collection::vec(contents(), 0..3), hints()).prop_map(move |(contents, (_, ttl_ms, cache_scope, meta))| {
        ReadResourceResult { contents, ttl_ms, cache_scope, meta }.for_revision(revision)
    })
}

// === prompts and completion ===

fn prompt(revision: Revision) -> impl Strategy<Value = Prompt> {
    let title = || since(Revision::V2025_06_18, revision, text());
    let argument = (word(), title(), option::of(text()), any::<bool>())
        .prop_map(|(name, title, description, required)| PromptArgument { name, title, description, required });
    (word(), title(), option::of(text()), collection::vec(argument, 0..3), icons(revision), meta()).prop_map(
        |(name, title, description, arguments, icons, meta)| Prompt {
            name,
            title,
            description,
            arguments,
            icons,
            meta,
        },
    )
}

pub(crate) fn prompts(revision: Revision) -> impl Strategy<Value = ListPromptsResult> {
    (collection::vec(prompt(revision), 0..3), hints()).prop_map(
        move |(prompts, (next_cursor, ttl_ms, cache_scope, meta))| {
            ListPromptsResult { prompts, next_cursor, ttl_ms, cache_scope, meta }.for_revision(revision)
        },
    )
}

fn strings() -> impl Strategy<Value = BTreeMap<String, String>> {
    collection::btree_map(word(), text(), 0..3)
}

pub(crate) fn get_prompt(revision: Revision) -> impl Strategy<Value = GetPromptParams> {
    (word(), strings(), retry(revision), request_meta(revision)).prop_map(
        |(name, arguments, (input_responses, request_state), meta)| GetPromptParams {
            name,
            arguments,
            input_responses,
            request_state,
            meta,
        },
    )
}

fn role() -> impl Strategy<Value = Role> {
    one_of(&[Role::User, Role::Assistant])
}

pub(crate) fn got_prompt(revision: Revision) -> impl Strategy<Value = GetPromptResult> {
    let message = (role(), content(revision)).prop_map(|(role, content)| PromptMessage { role, content });
    (option::of(text()), collection::vec(message, 0..3), meta()).prop_map(move |(description, messages, meta)| {
        GetPromptResult { description, messages, meta }.for_revision(revision)
    })
}

pub(crate) fn complete(revision: Revision) -> impl Strategy<Value = CompleteParams> {
    let reference = prop_oneof![
        (word(), since(Revision::V2025_06_18, revision, text()))
            .prop_map(|(name, title)| Reference::Prompt { name, title }),
        uri().prop_map(|uri| Reference::Resource { uri }),
    ];
    let argument = (word(), text()).prop_map(|(name, value)| CompleteArgument { name, value });
    let context = strings().prop_map(|arguments| CompleteContext { arguments });
    (reference, argument, since(Revision::V2025_06_18, revision, context), request_meta(revision))
        .prop_map(|(reference, argument, context, meta)| CompleteParams { reference, argument, context, meta })
}

pub(crate) fn completed() -> impl Strategy<Value = CompleteResult> {
    (collection::vec(text(), 0..200), meta())
        .prop_map(|(values, meta)| CompleteResult { completion: values.into_iter().collect(), meta })
}

// === what a server asks ===

pub(crate) fn question(revision: Revision) -> BoxedStrategy<InputRequest> {
    let roots = request_meta(Revision::LATEST_LEGACY).prop_map(|meta| InputRequest::Roots(EmptyParams { meta }));
    let sample = create_message(revision).prop_map(|params| InputRequest::Sample(Box::new(params)));
    if revision < Revision::V2025_06_18 {
        return prop_oneof![roots, sample].boxed();
    }
    prop_oneof![roots, sample, elicit(revision).prop_map(InputRequest::Elicit)].boxed()
}

pub(crate) fn input_required(revision: Revision) -> impl Strategy<Value = InputRequired> {
    (collection::btree_map(word(), question(revision), 0..3), option::of(text()), meta())
        .prop_map(|(input_requests, request_state, meta)| InputRequired { input_requests, request_state, meta })
}

fn answers(revision: Revision) -> impl Strategy<Value = InputResponses> {
    let answer = prop_oneof![
        elicited(revision).prop_map(InputResponse::Elicit),
        message_created(revision).prop_map(InputResponse::Sample),
        roots().prop_map(InputResponse::Roots),
    ];
    collection::btree_map(word(), answer, 0..3)
}

pub(crate) fn roots() -> impl Strategy<Value = ListRootsResult> {
    let root = (uri(), option::of(text()), meta()).prop_map(|(uri, name, meta)| Root { uri, name, meta });
    (collection::vec(root, 0..3), meta()).prop_map(|(roots, meta)| ListRootsResult { roots, meta })
}

fn number() -> impl Strategy<Value = serde_json::Number> {
    any::<i32>().prop_map(serde_json::Number::from)
}

fn field(revision: Revision) -> BoxedStrategy<Field> {
    let titled = || collection::vec((text(), text()), 1..4);
    let string = (option::of(0u32..9), option::of(9u32..99), option::of(text())).prop_map(|(least, most, default)| {
        let mut field = Field::text();
        if let Some(least) = least {
            field = field.at_least(least);
        }
        if let Some(most) = most {
            field = field.at_most(most);
        }
        default.into_iter().fold(field, Field::default)
    });
    use StringFormat::*;
    let numeric = |field: fn() -> Field| {
        (number(), number(), number()).prop_map(move |(least, most, default)| {
            field().at_least(least).at_most(most).default(Value::Number(default))
        })
    };
    let mut kinds = vec![
        string.boxed(),
        one_of(&[Email, Uri, Date, DateTime]).prop_map(Field::format).boxed(),
        collection::vec(text(), 1..4).prop_map(Field::choice).boxed(),
        titled().prop_map(Field::titled_choice).boxed(),
        numeric(Field::number).boxed(),
        numeric(Field::integer).boxed(),
        any::<bool>().prop_map(|default| Field::boolean().default(default)).boxed(),
    ];
    if revision >= Revision::V2025_11_25 {
        let some = collection::vec(text(), 1..4)
            .prop_map(|all| Field::choices(all.clone()).at_least(1u32).at_most(3u32).default(all));
        kinds.extend([some.boxed(), titled().prop_map(Field::titled_choices).boxed()]);
    }
    (proptest::strategy::Union::new(kinds), option::of(text()), option::of(text()))
        .prop_map(|(field, title, description)| Field { title, description, ..field })
        .boxed()
}

pub(crate) fn form(revision: Revision) -> impl Strategy<Value = FormSchema> {
    collection::btree_map(word(), (field(revision), any::<bool>()), 0..4).prop_map(move |fields| {
        let add = |form: FormSchema, (name, (field, must)): (String, (Field, bool))| match must {
            true => form.required(name, field),
            false => form.optional(name, field),
        };
        fields.into_iter().fold(FormSchema::new(), add).for_revision(revision).unwrap()
    })
}

pub(crate) fn elicit_url() -> impl Strategy<Value = ElicitUrl> {
    (text(), uri(), text(), option::of(task_ttl()), meta()).prop_map(|(message, url, id, task, meta)| ElicitUrl {
        message,
        url,
        elicitation_id: Some(id),
        task,
        meta,
    })
}

pub(crate) fn elicit(revision: Revision) -> BoxedStrategy<ElicitParams> {
    let form =
        (text(), form(revision), option::of(task_ttl()), meta()).prop_map(|(message, requested_schema, task, meta)| {
            ElicitParams::Form(ElicitForm { message, requested_schema, task, meta })
        });
    let either = match revision < Revision::V2025_11_25 {
        true => form.boxed(),
        false => prop_oneof![form, elicit_url().prop_map(ElicitParams::Url)].boxed(),
    };
    either.prop_map(move |params| params.for_revision(revision).unwrap()).boxed()
}

pub(crate) fn elicited(revision: Revision) -> impl Strategy<Value = ElicitResult> {
    let mut values = vec![
        text().prop_map(Value::from).boxed(),
        any::<i64>().prop_map(Value::from).boxed(),
        any::<bool>().prop_map(Value::from).boxed(),
    ];
    if revision >= Revision::V2025_11_25 {
        values.push(collection::vec(text(), 0..3).prop_map(Value::from).boxed());
    }
    let content = collection::vec((word(), proptest::strategy::Union::new(values)), 0..4);
    (option::of(content.prop_map(|all| all.into_iter().collect::<Object>())), meta()).prop_flat_map(
        |(content, meta)| {
            use ElicitAction::*;
            one_of(&[Accept, Decline, Cancel]).prop_map(move |action| ElicitResult {
                action,
                content: content.clone(),
                meta: meta.clone(),
            })
        },
    )
}

pub(crate) fn elicitation_complete() -> impl Strategy<Value = ElicitationCompleteParams> {
    (text(), meta()).prop_map(|(elicitation_id, meta)| ElicitationCompleteParams { elicitation_id, meta })
}

fn sampling_content(revision: Revision) -> BoxedStrategy<SamplingContent> {
    let mut kinds = vec![
        text_content(revision).prop_map(SamplingContent::Text).boxed(),
        media(revision).prop_map(SamplingContent::Image).boxed(),
        media(revision).prop_map(SamplingContent::Audio).boxed(),
    ];
    if revision >= Revision::V2025_11_25 {
        let used = (text(), word(), object(), meta())
            .prop_map(|(id, name, input, meta)| SamplingContent::ToolUse(ToolUse { id, name, input, meta }));
        let result = (text(), called(revision)).prop_map(|(tool_use_id, result)| {
            let CallToolResult { content, structured_content, is_error, meta } = result;
            SamplingContent::ToolResult(ToolResult { tool_use_id, content, structured_content, is_error, meta })
        });
        kinds.extend([used.boxed(), result.boxed()]);
    }
    proptest::strategy::Union::new(kinds).prop_map(move |block| block.for_revision(revision).unwrap()).boxed()
}

pub(crate) fn create_message(revision: Revision) -> impl Strategy<Value = CreateMessage> {
    let message = (role(), collection::vec(sampling_content(revision), 1..3), meta())
        .prop_map(|(role, content, meta)| SamplingMessage { role, content, meta });
    let preferences =
        (collection::vec(option::of(text()).prop_map(|name| ModelHint { name }), 0..2), option::of(fraction()))
            .prop_map(|(hints, cost)| ModelPreferences { hints, cost_priority: cost, ..ModelPreferences::default() });
    let context = one_of(&[IncludeContext::None, IncludeContext::ThisServer, IncludeContext::AllServers]);
    let wishes = (option::of(preferences), option::of(text()), option::of(context), option::of(fraction()));
    let rest = (collection::vec(text(), 0..2), option::of(object()), option::of(task_ttl()), meta());
    let mode = one_of(&[ToolChoiceMode::Auto, ToolChoiceMode::Required, ToolChoiceMode::None]);
    let tools = (
        since(Revision::V2025_11_25, revision, collection::vec(tool(revision), 0..2)),
        since(Revision::V2025_11_25, revision, mode.prop_map(|mode| ToolChoice { mode })),
    );
    (collection::vec(message, 0..3), any::<u32>(), wishes, rest, tools).prop_map(
        move |(messages, max_tokens, wishes, (stop_sequences, metadata, task, meta), (tools, tool_choice))| {
            let (model_preferences, system_prompt, include_context, temperature) = wishes;
            let params = CreateMessage {
                messages,
                max_tokens,
                model_preferences,
                system_prompt,
                include_context,
                temperature,
                stop_sequences,
                metadata,
                tools: tools.unwrap_or_default(),
                tool_choice,
                task,
                meta,
            };
            params.for_revision(revision).unwrap()
        },
    )
}

pub(crate) fn message_created(revision: Revision) -> impl Strategy<Value = CreateMessageResult> {
    let most = if revision < Revision::V2025_11_25 { 2 } else { 4 };
    (role(), collection::vec(sampling_content(revision), 1..most), text(), option::of(text()), meta()).prop_map(
        |(role, content, model, stop_reason, meta)| CreateMessageResult { role, content, model, stop_reason, meta },
    )
}

// === notifications ===

pub(crate) fn cancelled() -> impl Strategy<Value = CancelledParams> {
    (id(), option::of(text()), meta()).prop_map(|(id, reason, meta)| CancelledParams {
        request_id: Some(id),
        reason,
        meta,
    })
}

pub(crate) fn progress(revision: Revision) -> impl Strategy<Value = ProgressParams> {
    let message = since(Revision::V2025_03_26, revision, text());
    (id(), fraction(), option::of(fraction()), message, meta()).prop_map(
        |(progress_token, progress, total, message, meta)| ProgressParams {
            progress_token,
            progress,
            total,
            message,
            meta,
        },
    )
}

pub(crate) fn log() -> impl Strategy<Value = LogParams> {
    (log_level(), option::of(text()), json(), meta()).prop_map(|(level, logger, data, meta)| LogParams {
        level,
        logger,
        data,
        meta,
    })
}

pub(crate) fn set_level(revision: Revision) -> impl Strategy<Value = SetLevelParams> {
    (log_level(), request_meta(revision)).prop_map(|(level, meta)| SetLevelParams { level, meta })
}

pub(crate) fn updated() -> impl Strategy<Value = ResourceUpdatedParams> {
    (uri(), meta()).prop_map(|(uri, meta)| ResourceUpdatedParams { uri, meta })
}

/// A notification that says nothing.
pub(crate) fn bare() -> impl Strategy<Value = EmptyResult> {
    nothing()
}

// === subscriptions and tasks ===

fn filter() -> impl Strategy<Value = SubscriptionFilter> {
    let lists = (any::<bool>(), any::<bool>(), any::<bool>());
    (lists, collection::vec(uri(), 0..3), collection::vec(text(), 0..3)).prop_map(
        |((tools, prompts, resources), resource_subscriptions, task_ids)| SubscriptionFilter {
            tools_list_changed: tools,
            prompts_list_changed: prompts,
            resources_list_changed: resources,
            resource_subscriptions,
            task_ids,
        },
    )
}

pub(crate) fn listen(revision: Revision) -> impl Strategy<Value = ListenParams> {
    (filter(), request_meta(revision)).prop_map(|(notifications, meta)| ListenParams { notifications, meta })
}

pub(crate) fn acknowledged() -> impl Strategy<Value = AcknowledgedParams> {
    (filter(), subscription_meta()).prop_map(|(notifications, meta)| AcknowledgedParams { notifications, meta })
}

/// The end of a subscription.
pub(crate) fn listened() -> impl Strategy<Value = EmptyResult> {
    subscription_meta().prop_map(|meta| EmptyResult { meta })
}

fn subscription_meta() -> impl Strategy<Value = Object> {
    (id(), meta()).prop_map(|(id, mut meta)| {
        meta.insert(meta_key::SUBSCRIPTION_ID.to_owned(), serde_json::to_value(id).unwrap());
        meta
    })
}

fn task_ttl() -> impl Strategy<Value = TaskTtl> {
    option::of(any::<u32>()).prop_map(|ttl| TaskTtl { ttl: ttl.map(u64::from) })
}

fn task_status() -> impl Strategy<Value = TaskStatus> {
    use TaskStatus::*;
    one_of(&[Working, InputRequired, Completed, Failed, Cancelled])
}

pub(crate) fn core_task() -> impl Strategy<Value = CoreTask> {
    let numbers = (option::of(any::<u32>()), option::of(any::<u32>()));
    (text(), task_status(), option::of(text()), text(), text(), numbers, meta()).prop_map(
        |(task_id, status, status_message, created_at, last_updated_at, (ttl, poll), meta)| CoreTask {
            task_id,
            status,
            status_message,
            created_at,
            last_updated_at,
            ttl: ttl.map(u64::from),
            poll_interval: poll.map(u64::from),
            meta,
        },
    )
}

pub(crate) fn core_task_created() -> impl Strategy<Value = CoreTaskCreated> {
    (core_task(), meta()).prop_map(|(task, meta)| CoreTaskCreated { task, meta })
}

pub(crate) fn core_tasks() -> impl Strategy<Value = CoreTaskList> {
    (collection::vec(core_task(), 0..3), option::of(text()), meta())
        .prop_map(|(tasks, next_cursor, meta)| CoreTaskList { tasks, next_cursor, meta })
}

pub(crate) fn task() -> impl Strategy<Value = Task> {
    let error = (any::<i32>(), text()).prop_map(|(code, message)| RpcError::new(code, message));
    let outcome = (
        collection::btree_map(word(), question(Revision::LATEST), 0..2),
        option::of(object().prop_map(|result| raw(&result))),
        option::of(error),
    );
    (core_task(), outcome).prop_map(|(task, (input_requests, result, error))| Task {
        task_id: task.task_id,
        status: task.status,
        status_message: task.status_message,
        created_at: task.created_at,
        last_updated_at: task.last_updated_at,
        ttl_ms: task.ttl,
        poll_interval_ms: task.poll_interval,
        input_requests,
        result,
        error,
        meta: task.meta,
    })
}

pub(crate) fn task_id(revision: Revision) -> impl Strategy<Value = TaskParams> {
    (text(), request_meta(revision)).prop_map(|(task_id, meta)| TaskParams { task_id, meta })
}

pub(crate) fn update_task(revision: Revision) -> impl Strategy<Value = UpdateTaskParams> {
    (text(), answers(revision), request_meta(revision)).prop_map(|(task_id, input_responses, meta)| UpdateTaskParams {
        task_id,
        input_responses,
        meta,
    })
}
