//! What is asked, and how answers are read.

use micro_core::{Schema, Validator};
use micro_mcp_proto::{
    ClientCapabilities, CreateMessageResult, ElicitAction, ElicitParams, ElicitResult, FormSchema, Inexpressible,
    InputRequest, ListRootsResult, NotAForm, Revision, Root, RpcError, code,
};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::{Value, value::RawValue};

use super::{AskError, Line};

/// Why an answer that came cannot be used.
pub(super) enum Unread {
    /// It is no answer at all.
    Shape(&'static str),
    /// It is one, but not to what was asked: ask again.
    Content(String),
    Declined,
    Cancelled,
}

/// A form with the fields of a struct.
pub(super) fn form<T: JsonSchema>(message: impl Into<String>) -> Result<InputRequest, NotAForm> {
    // In place, so that what is said of a field and of its type stands together.
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let form = FormSchema::from_json_schema(schema.as_value())?;
    Ok(InputRequest::Elicit(ElicitParams::form(message, form)))
}

/// A page to send the user to.
pub(super) fn url(message: impl Into<String>, url: impl Into<String>) -> InputRequest {
    InputRequest::Elicit(ElicitParams::url(message, url))
}

/// Fails when the client did not declare what the question takes.
pub(super) fn check(question: &InputRequest, client: ClientCapabilities) -> Result<(), AskError> {
    let Some(required) = question.missing_capability(client) else { return Ok(()) };
    let what = match question {
        InputRequest::Elicit(ElicitParams::Form(_)) => "elicitation",
        InputRequest::Elicit(ElicitParams::Url(_)) => "URL elicitation",
        InputRequest::Sample(params) if params.tools.is_empty() && params.tool_choice.is_none() => "sampling",
        InputRequest::Sample(_) => "sampling with tools",
        InputRequest::Roots(_) => "roots",
    };
    Err(AskError::Unsupported(RpcError::missing_capability(format!("This needs a client with {what}"), &required)))
}

/// The question as it is sent to a legacy client.
pub(super) fn legacy(mut question: InputRequest, line: &Line, revision: Revision) -> Result<InputRequest, AskError> {
    if let InputRequest::Elicit(ElicitParams::Url(url)) = &mut question {
        url.elicitation_id.get_or_insert_with(|| line.name_page()); // 2025-11-25 wants a name for it
    }
    in_words_of(revision, question)
}

/// The question as a revision has it.
pub(super) fn in_words_of(revision: Revision, question: InputRequest) -> Result<InputRequest, AskError> {
    // What the revision has no words for, its client cannot do.
    let older =
        |error: Inexpressible| AskError::Unsupported(RpcError::new(code::MISSING_CAPABILITY, error.to_string()));
    question.for_revision(revision).map_err(older)
}

// === answers ===

fn elicited(answer: &RawValue) -> Result<ElicitResult, Unread> {
    let result: ElicitResult = object(answer, "an ElicitResult is an object with an action")?;
    match result.action {
        ElicitAction::Accept => Ok(result),
        ElicitAction::Decline => Err(Unread::Declined),
        ElicitAction::Cancel => Err(Unread::Cancelled),
    }
}

/// The form as the handler wants it, if it is what was asked for.
pub(super) fn read_form<T: DeserializeOwned>(question: &InputRequest, answer: &RawValue) -> Result<T, Unread> {
    let content = Value::Object(elicited(answer)?.content.unwrap_or_default());
    if let InputRequest::Elicit(ElicitParams::Form(form)) = question
        && let Ok(validator) = Validator::compile(&Schema::of(&form.requested_schema))
        && let Err(violations) = validator.check(&content.to_string())
    {
        return Err(Unread::Content(violations.first().map(ToString::to_string).unwrap_or_default()));
    }
    read_content(content)
}

/// The form under a key of which the question is not known any more.
pub(super) fn read_any_form<T: DeserializeOwned>(answer: &RawValue) -> Result<T, Unread> {
    read_content(Value::Object(elicited(answer)?.content.unwrap_or_default()))
}

fn read_content<T: DeserializeOwned>(content: Value) -> Result<T, Unread> {
    serde_json::from_value(content).map_err(|error| Unread::Content(error.to_string()))
}

pub(super) fn read_consent(_: &InputRequest, answer: &RawValue) -> Result<(), Unread> {
    elicited(answer).map(drop)
}

/// Whether a person went to a page that was asked for.
pub(super) fn read_visit(answer: &RawValue) -> Result<(), AskError> {
    match elicited(answer) {
        Ok(_) => Ok(()),
        Err(Unread::Cancelled) => Err(AskError::Cancelled),
        Err(Unread::Declined | Unread::Shape(_) | Unread::Content(_)) => Err(AskError::Declined),
    }
}

pub(super) fn read_message(_: &InputRequest, answer: &RawValue) -> Result<CreateMessageResult, Unread> {
    object(answer, "a CreateMessageResult is an object with role, content and model")
}

pub(super) fn read_roots(_: &InputRequest, answer: &RawValue) -> Result<Vec<Root>, Unread> {
    object::<ListRootsResult>(answer, "a ListRootsResult is an object with roots").map(|result| result.roots)
}

/// Derived structs would also take an array.
fn object<T: DeserializeOwned>(answer: &RawValue, what: &'static str) -> Result<T, Unread> {
    let answer = answer.get();
    let read = answer.starts_with('{').then(|| serde_json::from_str(answer).ok()).flatten();
    read.ok_or(Unread::Shape(what))
}

#[cfg(test)]
mod tests {
    use micro_mcp_proto::{CreateMessage, EmptyParams};
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, JsonSchema)]
    struct Age {
        #[schemars(range(max = 150))]
        age: u8,
    }

    #[test]
    fn an_answer_must_fit_the_form_it_was_given_to() {
        let question = form::<Age>("How old?").unwrap();
        let read = |answer: &str| match read_form::<Age>(&question, serde_json::from_str(answer).unwrap()) {
            Ok(age) => format!("{}", age.age),
            Err(Unread::Shape(_)) => "shape".to_owned(),
            Err(Unread::Content(_)) => "content".to_owned(),
            Err(Unread::Declined) => "declined".to_owned(),
            Err(Unread::Cancelled) => "cancelled".to_owned(),
        };
        for (answer, expected) in [
            (r#"{"action":"accept","content":{"age":30}}"#, "30"),
            (r#"{"action":"accept","content":{"age":200}}"#, "content"),
            (r#"{"action":"accept","content":{"age":"30"}}"#, "content"),
            (r#"{"action":"accept"}"#, "content"),
            (r#"{"action":"decline"}"#, "declined"),
            (r#"{"action":"cancel"}"#, "cancelled"),
            (r#"{"action":"maybe"}"#, "shape"),
            (r#"["accept",{"age":30}]"#, "shape"),
            ("null", "shape"),
            ("7", "shape"),
        ] {
            assert_eq!(read(answer), expected, "{answer}");
        }
    }

    #[test]
    fn a_question_says_what_it_takes() {
        let nothing = ClientCapabilities::default();
        let with_tools = CreateMessage { tool_choice: Some(Default::default()), ..CreateMessage::default() };
        for (question, needs) in [
            (form::<Age>("How old?").unwrap(), "elicitation"),
            (url("Sign in", "https://example.com"), "URL elicitation"),
            (InputRequest::Sample(Box::default()), "sampling"),
            (InputRequest::Sample(Box::new(with_tools)), "sampling with tools"),
            (InputRequest::Roots(EmptyParams::default()), "roots"),
        ] {
            let Err(AskError::Unsupported(error)) = check(&question, nothing) else {
                panic!("{needs} is not declared")
            };
            assert_eq!(error.message, format!("This needs a client with {needs}"));
        }
    }
}
