//! Resources.

use super::*;

pub(super) fn resource(revision: Revision) -> impl Strategy<Value = Resource> {
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

pub(super) fn template(revision: Revision) -> impl Strategy<Value = ResourceTemplate> {
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
