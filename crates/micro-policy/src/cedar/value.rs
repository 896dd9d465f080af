//! Arguments as policies see them.

use std::fmt;

use cedar_policy::RestrictedExpression;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::Number;

use super::{record, schema::Shape, string};

/// JSON in which no name is there twice in one object: who reads the first and who reads the last would judge
/// different calls.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// Why arguments cannot be judged.
type Unjudged = &'static str;

const TWICE: Unjudged = "a name is there twice in the arguments";
const NEARLY: Unjudged = "a name in the arguments differs from that of a parameter in upper and lower case only";
const NO_JSON: Unjudged = "the arguments are no JSON";

/// The largest number that Cedar's `decimal` holds, near enough.
const MAX_DECIMAL: f64 = 922_337_203_685_477.0;

impl Node {
    pub(super) fn parse(json: &str) -> Result<Self, Unjudged> {
        serde_json::from_str(json).map_err(|error| if error.to_string().starts_with(TWICE) { TWICE } else { NO_JSON })
    }
}

impl Shape {
    /// The value as one of this shape. What does not fit is left out: the tool's validator refuses such a call.
    pub(super) fn expression(&self, node: &Node) -> Result<RestrictedExpression, Unjudged> {
        Ok(self.read(node)?.unwrap_or_else(|| record([])))
    }

    fn read(&self, node: &Node) -> Result<Option<RestrictedExpression>, Unjudged> {
        Ok(Some(match (self, node) {
            (Self::Bool, Node::Bool(value)) => RestrictedExpression::new_bool(*value),
            (Self::String, Node::String(text)) => string(text),
            (Self::Long, Node::Number(number)) => RestrictedExpression::new_long(long(number)),
            (Self::Decimal, Node::Number(number)) => {
                let value = number.as_f64().unwrap_or_default().clamp(-MAX_DECIMAL, MAX_DECIMAL);
                RestrictedExpression::new_decimal(format!("{value:.4}"))
            }
            (Self::Set(shape), Node::Array(nodes)) => {
                let elements: Result<Vec<_>, _> = nodes.iter().map(|node| shape.read(node)).collect();
                RestrictedExpression::new_set(elements?.into_iter().flatten())
            }
            (Self::Record(fields), Node::Object(members)) => {
                let mut values = Vec::new();
                for (name, node) in members {
                    match fields.get(name) {
                        Some((shape, _)) => values.extend(shape.read(node)?.map(|value| (name.as_str(), value))),
                        None if fields.keys().any(|field| field.eq_ignore_ascii_case(name)) => return Err(NEARLY),
                        None => {}
                    }
                }
                record(values)
            }
            _ => return Ok(None),
        }))
    }
}

/// An integer; `5.0` is one. Those that are too large count as the largest there is.
fn long(number: &Number) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, which is what is wanted")]
    number.as_i64().unwrap_or_else(|| number.as_f64().unwrap_or_default() as i64)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Number::from_f64(value).map_or(Node::Null, Node::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = elements.next_element()? {
            nodes.push(node);
        }
        Ok(Node::Array(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut nodes: Vec<(String, Node)> = Vec::new();
        while let Some((name, node)) = members.next_entry()? {
            nodes.push((name, node));
        }
        let mut names: Vec<&str> = nodes.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(A::Error::custom(TWICE));
        }
        Ok(Node::Object(nodes))
    }
}
