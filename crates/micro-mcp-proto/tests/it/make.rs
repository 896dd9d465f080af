//! Made-up messages: strategies for every type, each as its revision has it.

mod asks;
mod content;
mod opening;
mod prompts;
mod resources;
mod shared;
mod streams;
mod tools;

use std::{collections::BTreeMap, sync::Arc};

use micro_mcp_proto::*;
use proptest::{collection, option, prelude::*};
use serde_json::{Map, Value, value::RawValue};

use self::content::*;
pub(crate) use self::{asks::*, opening::*, prompts::*, resources::*, shared::*, streams::*, tools::*};

type Object = Map<String, Value>;

fn modern(revision: Revision) -> bool {
    revision.era() == Era::Modern
}

/// Something of a revision; `None` before it came.
fn since<T: Clone + std::fmt::Debug + 'static>(
    first: Revision,
    revision: Revision,
    value: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<T>> {
    if revision < first { Just(None).boxed() } else { option::of(value).boxed() }
}

/// Something of 2025-11-25 alone.
fn once<T: Clone + std::fmt::Debug + 'static>(
    revision: Revision,
    value: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<T>> {
    if revision == Revision::V2025_11_25 { option::of(value).boxed() } else { Just(None).boxed() }
}

fn text() -> impl Strategy<Value = String> + Clone {
    "\\PC{0,12}|[\\n\"\\\\\u{0}\u{7f}\u{2028}]{1,3}"
}

fn word() -> impl Strategy<Value = String> + Clone {
    "[a-z][a-zA-Z0-9_.-]{0,11}"
}

fn uri() -> impl Strategy<Value = String> + Clone {
    "(file:///|https://example\\.com/|test://)[a-z0-9]{1,8}"
}

/// Fractions that every JSON library reads back as they were.
fn fraction() -> impl Strategy<Value = f64> + Clone {
    (0u8..=4).prop_map(|n| f64::from(n) / 4.0)
}

fn json() -> BoxedStrategy<Value> {
    let odd = prop_oneof![Just(Value::Null), fraction().prop_map(Value::from)];
    let list = collection::vec(prop_oneof![odd.clone(), plain_json()], 0..3).prop_map(Value::from);
    prop_oneof![plain_json(), odd, list].boxed()
}

/// The schema of 2026-07-28 knows neither null nor fractions inside its `JSONObject`.
fn plain_json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    let tree = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            collection::vec((word(), inner), 0..4).prop_map(|all| Value::Object(all.into_iter().collect())),
        ]
    });
    tree.boxed()
}

pub(crate) fn object() -> BoxedStrategy<Object> {
    collection::vec((word(), plain_json()), 0..4).prop_map(|all| all.into_iter().collect()).boxed()
}

fn objects() -> BoxedStrategy<Object> {
    collection::vec((word(), object().prop_map(Value::Object)), 0..3).prop_map(|all| all.into_iter().collect()).boxed()
}

/// `_meta` of anything but a request: keys with a prefix.
fn meta() -> BoxedStrategy<Object> {
    let key = word().prop_map(|word| format!("com.example/{word}"));
    collection::vec((key, json()), 0..2).prop_map(|all| all.into_iter().collect()).boxed()
}

fn raw(value: &impl serde::Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).unwrap()
}

fn one_of<T: Clone + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> + Clone {
    proptest::sample::select(all)
}
