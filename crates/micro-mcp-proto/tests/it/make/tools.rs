//! Tools.

use super::*;

pub(super) fn schema() -> impl Strategy<Value = Box<RawValue>> {
    let member = prop_oneof![Just(r#"{"type":"string"}"#), Just(r#"{ "type" : "integer", "minimum": 1.0 }"#)];
    collection::btree_map(word(), member, 0..3).prop_map(|properties| {
        let members: Vec<_> = properties.iter().map(|(name, schema)| format!(r#""{name}": {schema}"#)).collect();
        RawValue::from_string(format!(r#"{{"type":"object","properties":{{{}}}}}"#, members.join(","))).unwrap()
    })
}

pub(super) fn tool(revision: Revision) -> impl Strategy<Value = Tool> {
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

pub(super) type Hints = (Option<String>, Option<u64>, Option<CacheScope>, Object);

pub(super) fn hints() -> impl Strategy<Value = Hints> {
    (option::of(text()), option::of(any::<u32>().prop_map(u64::from)), option::of(cache_scope()), meta())
}

pub(crate) fn tools(revision: Revision) -> impl Strategy<Value = ListToolsResult> {
    (collection::vec(tool(revision), 0..3), hints()).prop_map(
        move |(tools, (next_cursor, ttl_ms, cache_scope, meta))| {
            ListToolsResult { tools, next_cursor, ttl_ms, cache_scope, meta }.for_revision(revision)
        },
    )
}

pub(super) fn retry(revision: Revision) -> BoxedStrategy<(Option<InputResponses>, Option<String>)> {
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
