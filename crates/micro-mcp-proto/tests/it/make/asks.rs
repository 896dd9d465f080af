//! What a server asks.

use super::*;

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

pub(super) fn answers(revision: Revision) -> impl Strategy<Value = InputResponses> {
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

pub(super) fn number() -> impl Strategy<Value = serde_json::Number> {
    any::<i32>().prop_map(serde_json::Number::from)
}

pub(super) fn field(revision: Revision) -> BoxedStrategy<Field> {
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

pub(super) fn sampling_content(revision: Revision) -> BoxedStrategy<SamplingContent> {
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
