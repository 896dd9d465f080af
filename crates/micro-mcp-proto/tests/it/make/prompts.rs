//! Prompts and completion.

use super::*;

pub(super) fn prompt(revision: Revision) -> impl Strategy<Value = Prompt> {
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

pub(super) fn strings() -> impl Strategy<Value = BTreeMap<String, String>> {
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

pub(super) fn role() -> impl Strategy<Value = Role> {
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
