//! Notifications and subscriptions, and tasks.

use super::*;

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

pub(super) fn filter() -> impl Strategy<Value = SubscriptionFilter> {
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

pub(super) fn subscription_meta() -> impl Strategy<Value = Object> {
    (id(), meta()).prop_map(|(id, mut meta)| {
        meta.insert(meta_key::SUBSCRIPTION_ID.to_owned(), serde_json::to_value(id).unwrap());
        meta
    })
}

pub(super) fn task_ttl() -> impl Strategy<Value = TaskTtl> {
    option::of(any::<u32>()).prop_map(|ttl| TaskTtl { ttl: ttl.map(u64::from) })
}

pub(super) fn task_status() -> impl Strategy<Value = TaskStatus> {
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
