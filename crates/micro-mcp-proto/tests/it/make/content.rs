//! Content.

use super::*;

pub(super) fn annotations(revision: Revision) -> BoxedStrategy<Option<Annotations>> {
    let audience = collection::vec(one_of(&[Role::User, Role::Assistant]), 0..3);
    let modified = since(Revision::V2025_06_18, revision, Just("2026-08-01T10:30:00Z".to_owned()));
    option::of(
        (audience, option::of(fraction()), modified, meta()).prop_map(|(audience, priority, last_modified, more)| {
            Annotations { audience, priority, last_modified, more }
        }),
    )
    .boxed()
}

pub(super) fn text_content(revision: Revision) -> impl Strategy<Value = TextContent> {
    (text(), annotations(revision), meta()).prop_map(|(text, annotations, meta)| TextContent {
        text,
        annotations,
        meta,
    })
}

pub(super) fn media(revision: Revision) -> impl Strategy<Value = MediaContent> {
    ("([A-Za-z0-9+/]{4}){0,3}", word(), annotations(revision), meta())
        .prop_map(|(data, mime_type, annotations, meta)| MediaContent { data, mime_type, annotations, meta })
}

pub(super) fn contents() -> impl Strategy<Value = ResourceContents> {
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
pub(super) fn content(revision: Revision) -> impl Strategy<Value = Content> {
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
