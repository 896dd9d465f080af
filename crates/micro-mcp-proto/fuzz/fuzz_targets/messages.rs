//! Whatever is read as a message is written so that it is read as the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use micro_mcp_proto::{
    CallToolParams, CallToolResult, CompleteParams, CoreTask, DiscoverResult, ElicitParams, FormSchema,
    GetPromptResult, InitializeParams, InputRequest, InputResponse, ListResourcesResult, ListToolsResult, ListenParams,
    Outcome, ProgressParams, RawObject, ReadResourceResult, Revision, Task,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

fuzz_target!(|text: &str| {
    again::<CallToolParams>(text);
    again::<Outcome<CallToolResult>>(text);
    again::<CompleteParams>(text);
    again::<CoreTask>(text);
    again::<DiscoverResult>(text);
    again::<ElicitParams>(text);
    again::<GetPromptResult>(text);
    again::<InitializeParams>(text);
    again::<InputRequest>(text);
    again::<InputResponse>(text);
    again::<ListResourcesResult>(text);
    again::<ListToolsResult>(text);
    again::<ListenParams>(text);
    again::<ProgressParams>(text);
    again::<ReadResourceResult>(text);
    again::<Task>(text);
    if let Ok(object) = serde_json::from_str::<RawObject<'_>>(text) {
        let written = serde_json::to_string(&object).unwrap();
        serde_json::from_str::<RawObject<'_>>(&written).expect("a raw object is read again");
    }
    if let Ok(schema) = serde_json::from_str::<Value>(text) {
        let _ = FormSchema::from_json_schema(&schema);
    }
    for revision in Revision::ALL {
        if let Ok(question) = serde_json::from_str::<InputRequest>(text) {
            let _ = question.for_revision(revision);
        }
    }
});

fn again<T: Serialize + DeserializeOwned>(text: &str) {
    let Ok(value) = serde_json::from_str::<T>(text) else { return };
    let once = serde_json::to_string(&value).unwrap();
    let read: T = serde_json::from_str(&once).unwrap_or_else(|error| panic!("{once} is not read again: {error}"));
    assert_eq!(serde_json::to_string(&read).unwrap(), once);
}
