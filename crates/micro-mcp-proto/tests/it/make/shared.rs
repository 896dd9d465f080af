//! What many messages share.

use super::*;

pub(super) fn id() -> impl Strategy<Value = RequestId> {
    prop_oneof![any::<i64>().prop_map(RequestId::Number), text().prop_map(RequestId::Text)]
}

pub(super) fn icon() -> impl Strategy<Value = Icon> {
    let theme = option::of(one_of(&["light", "dark"]).prop_map(str::to_owned));
    (uri(), option::of(word()), collection::vec("[1-9][0-9]x[1-9][0-9]|any", 0..2), theme)
        .prop_map(|(src, mime_type, sizes, theme)| Icon { src, mime_type, sizes, theme })
}

pub(super) fn icons(revision: Revision) -> BoxedStrategy<Vec<Icon>> {
    since(Revision::V2025_11_25, revision, collection::vec(icon(), 0..2)).prop_map(Option::unwrap_or_default).boxed()
}

pub(super) fn implementation(revision: Revision) -> impl Strategy<Value = Implementation> {
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

pub(super) fn list_changed() -> impl Strategy<Value = ListChanged> {
    (any::<bool>(), any::<bool>()).prop_map(|(list_changed, subscribe)| ListChanged { list_changed, subscribe })
}

pub(super) fn client_capabilities(revision: Revision) -> impl Strategy<Value = DeclaredCapabilities> {
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

pub(super) fn server_capabilities(revision: Revision) -> impl Strategy<Value = ServerCapabilities> {
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

pub(super) fn log_level() -> impl Strategy<Value = LogLevel> {
    use LogLevel::*;
    one_of(&[Debug, Info, Notice, Warning, Error, Critical, Alert, Emergency])
}

pub(crate) fn empty(revision: Revision) -> impl Strategy<Value = EmptyParams> {
    request_meta(revision).prop_map(|meta| EmptyParams { meta })
}

pub(crate) fn nothing() -> impl Strategy<Value = EmptyResult> {
    meta().prop_map(|meta| EmptyResult { meta })
}
