//! Every message of every revision round-trips, and is what the official schema of that revision says.

use std::fmt::Debug;

use anyhow::Result;
use micro_mcp_proto::{ElicitParams, Message, Outcome, Revision, RpcError, method, parse, write};
use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestCaseError, TestRunner},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json, value::RawValue};

use crate::{
    make,
    schema::{self, Schema},
};

/// How many of each message at each revision.
const CASES: u32 = 8;

/// One revision, and how its messages are checked.
struct Book {
    revision: Revision,
    schema: Schema,
}

#[test]
fn every_message_round_trips_and_fits_the_schema_of_its_revision() -> Result<()> {
    for (revision, schema) in schema::all()? {
        let mut book = Book { revision, schema };
        book.client_requests();
        book.server_requests();
        book.notifications();
        book.results();
        book.errors()?;
        match revision {
            Revision::V2026_07_28 => book.modern(),
            _ => book.legacy(),
        }
        if revision == Revision::V2025_11_25 {
            book.core_tasks();
        }
        // `JSONRPCBatch…` is no union of messages; all others have been made at least once.
        let unused = book.schema.unused();
        assert_eq!(unused, beyond(revision), "{revision}: messages without a type");
    }
    Ok(())
}

/// What stands in the schema that checks a revision, but not in the revision.
fn beyond(revision: Revision) -> Vec<String> {
    match revision {
        // Any object at all: the result of the request that became a task.
        Revision::V2025_11_25 => vec!["GetTaskPayloadResult".to_owned()],
        _ => Vec::new(),
    }
}

impl Book {
    /// Requests that every revision has.
    fn client_requests(&mut self) {
        let revision = self.revision;
        self.request(method::TOOLS_LIST, "ListToolsRequest", make::page(revision));
        self.request(method::TOOLS_CALL, "CallToolRequest", make::call_tool(revision));
        self.request(method::RESOURCES_LIST, "ListResourcesRequest", make::page(revision));
        self.request(method::RESOURCE_TEMPLATES_LIST, "ListResourceTemplatesRequest", make::page(revision));
        self.request(method::RESOURCES_READ, "ReadResourceRequest", make::read_resource(revision));
        self.request(method::PROMPTS_LIST, "ListPromptsRequest", make::page(revision));
        self.request(method::PROMPTS_GET, "GetPromptRequest", make::get_prompt(revision));
        self.request(method::COMPLETE, "CompleteRequest", make::complete(revision));
    }

    /// What servers ask: requests before 2026-07-28, entries of `inputRequests` since.
    fn server_requests(&mut self) {
        let revision = self.revision;
        self.request(method::SAMPLING_CREATE_MESSAGE, "CreateMessageRequest", make::create_message(revision));
        self.request(method::ROOTS_LIST, "ListRootsRequest", make::empty(Revision::LATEST_LEGACY));
        self.plain("CreateMessageResult", make::message_created(revision));
        self.plain("ListRootsResult", make::roots());
        if revision >= Revision::V2025_06_18 {
            self.request(method::ELICITATION_CREATE, "ElicitRequest", make::elicit(revision));
            self.plain("ElicitResult", make::elicited(revision));
        }
    }

    fn notifications(&mut self) {
        let revision = self.revision;
        self.notification(method::CANCELLED, "CancelledNotification", make::cancelled());
        self.notification(method::PROGRESS, "ProgressNotification", make::progress(revision));
        self.notification(method::MESSAGE, "LoggingMessageNotification", make::log());
        self.notification(method::RESOURCE_UPDATED, "ResourceUpdatedNotification", make::updated());
        self.notification(method::RESOURCES_CHANGED, "ResourceListChangedNotification", make::bare());
        self.notification(method::TOOLS_CHANGED, "ToolListChangedNotification", make::bare());
        self.notification(method::PROMPTS_CHANGED, "PromptListChangedNotification", make::bare());
    }

    fn results(&mut self) {
        let revision = self.revision;
        self.result("Result", make::nothing());
        self.result("ListToolsResult", make::tools(revision));
        self.result("CallToolResult", make::called(revision));
        self.result("ListResourcesResult", make::resources(revision));
        self.result("ListResourceTemplatesResult", make::templates(revision));
        self.result("ReadResourceResult", make::read(revision));
        self.result("ListPromptsResult", make::prompts(revision));
        self.result("GetPromptResult", make::got_prompt(revision));
        self.result("CompleteResult", make::completed());
    }

    fn legacy(&mut self) {
        let revision = self.revision;
        self.request(method::INITIALIZE, "InitializeRequest", make::initialize(revision));
        self.request(method::PING, "PingRequest", make::empty(revision));
        self.request(method::RESOURCES_SUBSCRIBE, "SubscribeRequest", make::resource_uri(revision));
        self.request(method::RESOURCES_UNSUBSCRIBE, "UnsubscribeRequest", make::resource_uri(revision));
        self.request(method::SET_LEVEL, "SetLevelRequest", make::set_level(revision));
        self.notification(method::INITIALIZED, "InitializedNotification", make::bare());
        self.notification(method::ROOTS_CHANGED, "RootsListChangedNotification", make::bare());
        self.result("InitializeResult", make::initialized(revision));
    }

    fn core_tasks(&mut self) {
        let revision = self.revision;
        self.notification(
            method::ELICITATION_COMPLETE,
            "ElicitationCompleteNotification",
            make::elicitation_complete(),
        );
        self.request(method::TASKS_GET, "GetTaskRequest", make::task_id(revision));
        self.request(method::TASKS_RESULT, "GetTaskPayloadRequest", make::task_id(revision));
        self.request(method::TASKS_CANCEL, "CancelTaskRequest", make::task_id(revision));
        self.request(method::TASKS_LIST, "ListTasksRequest", make::page(revision));
        self.notification(method::TASKS_STATUS, "TaskStatusNotification", make::core_task());
        self.plain("CreateTaskResult", make::core_task_created());
        self.plain("GetTaskResult", make::core_task());
        self.plain("CancelTaskResult", make::core_task());
        self.plain("ListTasksResult", make::core_tasks());
    }

    fn modern(&mut self) {
        let revision = self.revision;
        self.request(method::DISCOVER, "DiscoverRequest", make::empty(revision));
        self.request(method::LISTEN, "SubscriptionsListenRequest", make::listen(revision));
        self.notification(method::ACKNOWLEDGED, "SubscriptionsAcknowledgedNotification", make::acknowledged());
        self.result("DiscoverResult", make::discovered(revision));
        self.result("SubscriptionsListenResult", make::listened());
        self.plain("InputRequest", make::question(revision));
        let asked = make::input_required(revision).prop_map(Outcome::<Value>::InputRequired);
        self.plain("InputRequiredResult", asked);
        // The tasks extension has no schema of its own: what it sends is a request, a result, a notification.
        self.request(method::TASKS_GET, "JSONRPCRequest", make::task_id(revision));
        self.request(method::TASKS_CANCEL, "JSONRPCRequest", make::task_id(revision));
        self.request(method::TASKS_UPDATE, "JSONRPCRequest", make::update_task(revision));
        self.notification(method::TASKS, "JSONRPCNotification", make::task());
        self.result("Result", make::task());
        self.plain("Result", make::task().prop_map(|task| Outcome::<Value>::Task(Box::new(task))));
    }

    /// Errors with data of their own.
    fn errors(&mut self) -> Result<()> {
        let id = RawValue::from_string("7".to_owned())?;
        let id = micro_mcp_proto::Id::new(&id);
        let plain = if self.revision < Revision::V2025_11_25 { "JSONRPCError" } else { "JSONRPCErrorResponse" };
        let mut errors = vec![(plain, RpcError::internal()), (plain, RpcError::resource_not_found("test://a"))];
        if self.revision == Revision::V2025_11_25 {
            let ElicitParams::Url(mut page) = ElicitParams::url("Sign in", "https://example.com/") else {
                unreachable!()
            };
            page.elicitation_id = Some("e1".to_owned());
            errors.push(("URLElicitationRequiredError", RpcError::url_elicitation_required("Sign in first", &[page])));
        }
        if self.revision == Revision::V2026_07_28 {
            errors.extend([
                ("HeaderMismatchError", RpcError::header_mismatch("Mcp-Name")),
                (
                    "MissingRequiredClientCapabilityError",
                    RpcError::missing_capability("Elicitation required", &json!({ "elicitation": {} })),
                ),
                ("UnsupportedProtocolVersionError", RpcError::unsupported_version("1900-01-01", &Revision::ALL)),
            ]);
        }
        for (name, error) in errors {
            self.schema.check(name, &serde_json::from_slice(&write::error(id, &error))?)?;
        }
        Ok(())
    }

    /// A request with these params.
    fn request<T: Serialize + DeserializeOwned + Debug>(
        &mut self,
        method: &str,
        definition: &str,
        params: impl Strategy<Value = T>,
    ) {
        let wrap = |params: &[u8]| write::request("r1", method, params);
        self.each(definition, &params, |params| {
            let bytes = wrap(params);
            let Ok(Message::Request { params: Some(read), .. }) = parse(&bytes) else { panic!("no request") };
            assert_eq!(read.get().as_bytes(), params, "the envelope keeps params as they are");
            bytes
        });
    }

    fn notification<T: Serialize + DeserializeOwned + Debug>(
        &mut self,
        method: &str,
        definition: &str,
        params: impl Strategy<Value = T>,
    ) {
        self.each(definition, &params, |params| write::notification(method, Some(params)));
    }

    /// A result: bare before 2026-07-28, with `resultType` since.
    fn result<T: Serialize + DeserializeOwned + Debug>(&mut self, definition: &str, result: impl Strategy<Value = T>) {
        match self.revision {
            Revision::V2026_07_28 => self.plain(definition, result.prop_map(Outcome::Complete)),
            _ => self.plain(definition, result),
        }
    }

    fn plain<T: Serialize + DeserializeOwned + Debug>(&mut self, definition: &str, value: impl Strategy<Value = T>) {
        self.each(definition, &value, <[u8]>::to_vec);
    }

    /// Makes up values, and checks that each is read back as it was written, that members nobody knows are no
    /// hindrance, and that what it is wrapped in fits the schema.
    fn each<T: Serialize + DeserializeOwned + Debug>(
        &mut self,
        definition: &str,
        strategy: &impl Strategy<Value = T>,
        wrap: impl Fn(&[u8]) -> Vec<u8>,
    ) {
        let schema = std::cell::RefCell::new(&mut self.schema);
        let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
        let outcome = runner.run(strategy, |value| {
            let fail = |error: anyhow::Error| TestCaseError::fail(format!("{error:#}"));
            let text = serde_json::to_string(&value).map_err(|error| fail(error.into()))?;
            assert_eq!(again::<T>(&text).map_err(fail)?, text, "read back and written again");
            let newer = text.replacen('{', r#"{"x-newer":[{"type":"unheard-of"}],"#, 1).replace(",}", "}");
            again::<T>(&newer).map_err(fail)?;
            let message = serde_json::from_slice(&wrap(text.as_bytes())).map_err(|error| fail(error.into()))?;
            schema.borrow_mut().check(definition, &message).map_err(fail)
        });
        if let Err(error) = outcome {
            panic!("{} {definition}: {error}", self.revision);
        }
    }
}

/// Reads a value and writes it again.
fn again<T: Serialize + DeserializeOwned>(text: &str) -> Result<String> {
    Ok(serde_json::to_string(&serde_json::from_str::<T>(text)?)?)
}
