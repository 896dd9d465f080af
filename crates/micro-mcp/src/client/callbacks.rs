//! What the application does when the server asks, or tells.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc};

use futures_core::future::BoxFuture;
use futures_util::FutureExt;
use micro_mcp_proto::{
    CreateMessage, CreateMessageResult, ElicitAction, ElicitResult, LogParams, Root, RpcError, code,
};
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};

/// A notification about a request's progress goes to the function given with it.
pub(crate) type OnProgress = Arc<dyn Fn(Progress) + Send + Sync>;
type Asked<Q, A> = Arc<dyn Fn(Q) -> BoxFuture<'static, A> + Send + Sync>;
type Told<T> = Arc<dyn Fn(T) + Send + Sync>;

/// What the application set. Absent means the client cannot do it, and says so.
#[derive(Clone, Default)]
pub(crate) struct Callbacks {
    pub(crate) sampling: Option<Asked<CreateMessage, Result<CreateMessageResult, Declined>>>,
    pub(crate) sampling_tools: bool,
    pub(crate) form: Option<Asked<Form, ElicitResult>>,
    pub(crate) url: Option<Asked<UrlVisit, ElicitAction>>,
    pub(crate) roots: Option<Asked<(), Vec<Root>>>,
    pub(crate) log: Option<Told<LogParams>>,
    pub(crate) change: Option<Told<Changed>>,
}

/// How far a request is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Progress {
    /// Grows with each notification.
    pub progress: f64,
    /// What it grows to, if that is known.
    #[serde(default)]
    pub total: Option<f64>,
    /// What is being done, for people.
    #[serde(default)]
    pub message: Option<String>,
}

/// Something of the server's that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Changed {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The lists of resources and resource templates.
    Resources,
    /// What one resource holds; its URI, or that of something below the one that is watched.
    Resource(String),
}

/// A form for a person (`client/elicitation`).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Form {
    /// What it is for.
    pub message: String,
    /// Its fields: a JSON Schema object whose properties are plain values.
    #[serde(default)]
    pub requested_schema: Map<String, Value>,
}

/// An address that a person should visit (`client/elicitation`, URL mode). Show all of it, and open it
/// only when the person agrees.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlVisit {
    /// What it is for.
    pub message: String,
    /// The address.
    pub url: String,
    /// Names the visit (2025-11-25).
    #[serde(default)]
    pub elicitation_id: Option<String>,
}

/// The person or the application does not let the server use the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declined;

impl Form {
    /// The defaults of its fields.
    pub fn defaults(&self) -> Map<String, Value> {
        let fields = self.requested_schema.get("properties").and_then(Value::as_object);
        let defaults = fields.into_iter().flatten().filter_map(|(name, schema)| {
            let default = schema.get("default")?;
            Some((name.clone(), default.clone()))
        });
        defaults.collect()
    }
}

impl Callbacks {
    /// The ClientCapabilities object, with what the application declares beside it.
    pub(crate) fn capabilities(&self, extensions: &Map<String, Value>) -> Value {
        let mut out = json!({});
        if self.sampling.is_some() {
            out["sampling"] = if self.sampling_tools { json!({ "tools": {} }) } else { json!({}) };
        }
        if self.form.is_some() {
            out["elicitation"]["form"] = json!({});
        }
        if self.url.is_some() {
            out["elicitation"]["url"] = json!({});
        }
        if self.roots.is_some() {
            out["roots"] = json!({});
        }
        if !extensions.is_empty() {
            out["extensions"] = extensions.clone().into();
        }
        out
    }

    /// Whether there is anything to hear outside of calls.
    pub(crate) fn listen(&self) -> bool {
        let asked = self.sampling.is_some() || self.form.is_some() || self.url.is_some() || self.roots.is_some();
        asked || self.log.is_some() || self.change.is_some()
    }

    /// Answers one question of the server's: the raw result, or the error to send. A callback that
    /// panics has failed, and nothing else has.
    pub(crate) async fn answer(&self, method: &str, params: Option<&RawValue>) -> Result<Value, RpcError> {
        let answering = AssertUnwindSafe(self.dispatch(method, params)).catch_unwind();
        answering.await.unwrap_or_else(|_| {
            tracing::error!(method, "a callback panicked");
            Err(RpcError::internal())
        })
    }

    /// Sends a person to a page. Who cannot, or panics, has not gone.
    pub(crate) async fn visit(&self, page: UrlVisit) -> ElicitAction {
        let Some(url) = &self.url else { return ElicitAction::Cancel };
        let going = AssertUnwindSafe(async { url(page).await }).catch_unwind();
        going.await.unwrap_or_else(|_| {
            tracing::error!("a callback panicked");
            ElicitAction::Cancel
        })
    }

    async fn dispatch(&self, method: &str, params: Option<&RawValue>) -> Result<Value, RpcError> {
        let unknown = || RpcError::method_not_found(method);
        match method {
            "sampling/createMessage" => {
                let sampling = self.sampling.as_ref().ok_or_else(unknown)?;
                let declined = |Declined| RpcError::new(DECLINED, "The user rejected the request");
                plain(sampling(read(params)?).await.map_err(declined)?)
            }
            "elicitation/create" if is_url(params) => {
                let url = self.url.as_ref().ok_or_else(unknown)?;
                Ok(json!({ "action": url(read(params)?).await }))
            }
            "elicitation/create" => {
                let ask = self.form.as_ref().ok_or_else(unknown)?;
                let form: Form = read(params)?;
                let defaults = form.defaults();
                let mut result = ask(form).await;
                if result.action == ElicitAction::Accept {
                    // What the person left out has the schema's default (SEP-1034).
                    let content = result.content.get_or_insert_default();
                    for (name, default) in defaults {
                        content.entry(name).or_insert(default);
                    }
                }
                plain(result)
            }
            "roots/list" => {
                let roots = self.roots.as_ref().ok_or_else(unknown)?;
                Ok(json!({ "roots": roots(()).await }))
            }
            _ => Err(unknown()),
        }
    }
}

/// What legacy clients answer when a person says no (`client/sampling`, 2025-11-25).
pub(crate) const DECLINED: i32 = -1;

/// Calls a function that is told something. It may panic; that is its own business.
pub(crate) fn tell<T>(told: &Arc<dyn Fn(T) + Send + Sync>, what: T) {
    if std::panic::catch_unwind(AssertUnwindSafe(|| told(what))).is_err() {
        tracing::error!("a callback panicked");
    }
}

/// An application's function in the form it is kept in.
pub(crate) fn asked<Q, A, F, Fut>(f: F) -> Asked<Q, A>
where
    F: Fn(Q) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = A> + Send + 'static,
{
    Arc::new(move |question| Box::pin(f(question)))
}

fn read<'a, T: Deserialize<'a>>(params: Option<&'a RawValue>) -> Result<T, RpcError> {
    let params = params.map_or("{}", RawValue::get);
    serde_json::from_str(params).map_err(|e| RpcError::new(code::INVALID_PARAMS, format!("Invalid params: {e}")))
}

fn is_url(params: Option<&RawValue>) -> bool {
    #[derive(Deserialize)]
    struct Mode {
        mode: String,
    }
    read::<Mode>(params).is_ok_and(|mode| mode.mode == "url")
}

fn plain(value: impl serde::Serialize) -> Result<Value, RpcError> {
    serde_json::to_value(value).map_err(|_| RpcError::internal())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(value: &Value) -> Box<RawValue> {
        serde_json::value::to_raw_value(value).unwrap()
    }

    #[tokio::test]
    async fn fields_that_were_left_out_have_their_defaults() {
        let form = asked(|_: Form| async { ElicitResult::accept(Map::from_iter([("b".to_owned(), json!(2))])) });
        let callbacks = Callbacks { form: Some(form), ..Callbacks::default() };
        let schema = json!({ "properties": { "a": { "default": "A" }, "b": { "default": 1 }, "c": {} } });
        let params = raw(&json!({ "message": "?", "requestedSchema": schema }));
        let answer = callbacks.answer("elicitation/create", Some(&params)).await.unwrap();
        assert_eq!(answer, json!({ "action": "accept", "content": { "a": "A", "b": 2 } }));
        let url = raw(&json!({ "mode": "url", "message": "?", "url": "https://x" }));
        assert_eq!(callbacks.answer("elicitation/create", Some(&url)).await.unwrap_err().code, -32601);
    }

    #[tokio::test]
    async fn a_callback_that_panics_is_an_error_and_nothing_more() {
        let roots = asked(|()| async { panic!("in a callback") });
        let callbacks = Callbacks { roots: Some(roots), ..Callbacks::default() };
        assert_eq!(callbacks.answer("roots/list", None).await.unwrap_err().code, -32603);
        let told: Told<u8> = Arc::new(|_| panic!("in a callback"));
        tell(&told, 1);
    }

    #[test]
    fn only_what_the_application_can_do_is_declared() {
        let callbacks = Callbacks { form: Some(asked(|_| async { ElicitResult::decline() })), ..Callbacks::default() };
        assert_eq!(callbacks.capabilities(&Map::new()), json!({ "elicitation": { "form": {} } }));
        assert_eq!(Callbacks::default().capabilities(&Map::new()), json!({}));
    }
}
