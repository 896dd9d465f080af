//! A JSON text as one flat list of nodes, borrowed from it, for the validator to walk.
//!
//! A `serde_json::Value` costs an allocation for each member of a small object; arguments of a call are
//! looked at once and thrown away. Here all nodes are one vector and all texts without escapes are the
//! input's own.

use std::{borrow::Cow, fmt};

use jsonschema::{
    JsonType,
    json::{Array, Json, Node, NodeIdentity, Object},
};
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Number, Value};

/// Every value of a JSON text, each before its children.
#[derive(Debug)]
pub(super) struct Tree<'a>(Vec<Entry<'a>>);

#[derive(Debug)]
struct Entry<'a> {
    /// The member's name, within an object.
    name: Cow<'a, str>,
    kind: Kind<'a>,
    /// Where the next value after this one and all in it is.
    end: usize,
}

#[derive(Debug)]
enum Kind<'a> {
    Null,
    Bool(bool),
    Number(Number),
    String(Cow<'a, str>),
    /// So many elements.
    Array(usize),
    /// So many members.
    Object(usize),
}

/// The representation, as the validator knows it.
#[derive(Debug)]
pub(super) struct Flat;

/// One value of a tree, or a text that is in none (a member's name, validated by itself).
#[derive(Debug, Clone, Copy)]
pub(super) enum Handle<'a> {
    In(&'a Tree<'a>, usize),
    Text(&'a str),
}

/// An object or array of a tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Container<'a> {
    tree: &'a Tree<'a>,
    at: usize,
    len: usize,
}

/// The values directly within a container.
#[derive(Debug, Clone)]
pub(super) struct Children<'a> {
    tree: &'a Tree<'a>,
    at: usize,
    end: usize,
}

impl<'a> Tree<'a> {
    /// Reads a JSON text.
    pub(super) fn parse(json: &'a str) -> serde_json::Result<Self> {
        let mut tree = Self(Vec::new());
        let mut text = serde_json::Deserializer::from_str(json);
        Reader { tree: &mut tree, name: Cow::Borrowed("") }.deserialize(&mut text)?;
        text.end()?;
        Ok(tree)
    }

    pub(super) fn root(&'a self) -> Handle<'a> {
        Handle::In(self, 0)
    }

    fn children(&self, at: usize) -> Children<'_> {
        Children { tree: self, at: at + 1, end: self.0[at].end }
    }

    /// Begins a container, whose children follow.
    fn open(&mut self, name: Cow<'a, str>) -> usize {
        self.0.push(Entry { name, kind: Kind::Null, end: 0 });
        self.0.len() - 1
    }

    fn close(&mut self, at: usize, kind: Kind<'a>) {
        self.0[at].end = self.0.len();
        self.0[at].kind = kind;
    }

    /// A name that two members of one object have. What such an object means depends on who reads it
    /// (RFC 8259 §4), so what was checked might not be what the service sees.
    fn double(&self, at: usize) -> Option<&str> {
        const FEW: usize = 16;
        let names = || self.children(at).map(|(name, _)| name);
        if names().nth(FEW).is_none() {
            return names().enumerate().find(|(n, name)| names().take(*n).any(|other| other == *name)).map(|(_, n)| n);
        }
        let mut sorted: Vec<&str> = names().collect();
        sorted.sort_unstable();
        sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
    }
}

impl<'a> Iterator for Children<'a> {
    type Item = (&'a str, Handle<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at;
        let entry = self.tree.0[..self.end].get(at)?;
        self.at = entry.end;
        Some((&entry.name, Handle::In(self.tree, at)))
    }
}

impl Json for Flat {
    type Node<'a> = Handle<'a>;
    type PreparedKey = Box<str>;
    type StringBuffer = ();

    // A lookup walks the members, so one pass over them is never worse.
    const KEYS_PER_LOOKUP: usize = 1;

    fn prepare_key(key: &str) -> Box<str> {
        key.into()
    }

    fn with_string_node<T>((): &mut (), string: &str, f: impl FnOnce(Handle<'_>) -> T) -> T {
        f(Handle::Text(string))
    }
}

impl<'a> Handle<'a> {
    fn kind(self) -> Option<&'a Kind<'a>> {
        match self {
            Handle::In(tree, at) => Some(&tree.0[at].kind),
            Handle::Text(_) => None,
        }
    }

    fn container(self, len: usize) -> Option<Container<'a>> {
        match self {
            Handle::In(tree, at) => Some(Container { tree, at, len }),
            Handle::Text(_) => None,
        }
    }

    fn text(self) -> Option<&'a str> {
        match (self, self.kind()) {
            (Handle::Text(text), _) => Some(text),
            (_, Some(Kind::String(text))) => Some(text),
            _ => None,
        }
    }
}

impl<'a> Node<'a, Flat> for Handle<'a> {
    type Object = Container<'a>;
    type Array = Container<'a>;
    type Number = &'a Number;

    fn as_object(&self) -> Option<Container<'a>> {
        match self.kind()? {
            Kind::Object(len) => self.container(*len),
            _ => None,
        }
    }

    fn as_array(&self) -> Option<Container<'a>> {
        match self.kind()? {
            Kind::Array(len) => self.container(*len),
            _ => None,
        }
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        self.text().map(Cow::Borrowed)
    }

    fn as_number(&self) -> Option<&'a Number> {
        match self.kind()? {
            Kind::Number(number) => Some(number),
            _ => None,
        }
    }

    fn as_boolean(&self) -> Option<bool> {
        match self.kind()? {
            Kind::Bool(value) => Some(*value),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        matches!(self.kind(), Some(Kind::Null))
    }

    fn json_type(&self) -> JsonType {
        match self.kind() {
            None | Some(Kind::String(_)) => JsonType::String,
            Some(Kind::Null) => JsonType::Null,
            Some(Kind::Bool(_)) => JsonType::Boolean,
            Some(Kind::Number(_)) => JsonType::Number,
            Some(Kind::Array(_)) => JsonType::Array,
            Some(Kind::Object(_)) => JsonType::Object,
        }
    }

    fn equals_value(&self, expected: &Value) -> bool {
        match (self.text(), expected) {
            (Some(text), Value::String(expected)) => text == expected,
            (Some(_), _) | (_, Value::String(_)) => false,
            _ => jsonschema::json::cmp::equal(&self.to_value(), expected),
        }
    }

    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(match self.kind() {
            None | Some(Kind::String(_)) => self.text().unwrap_or_default().into(),
            Some(Kind::Null) => Value::Null,
            Some(Kind::Bool(value)) => Value::Bool(*value),
            Some(Kind::Number(number)) => Value::Number(number.clone()),
            Some(Kind::Array(_)) => self.children().map(|(_, child)| child.to_value().into_owned()).collect(),
            Some(Kind::Object(_)) => {
                self.children().map(|(name, child)| (name.to_owned(), child.to_value().into_owned())).collect()
            }
        })
    }

    fn identity(&self) -> Option<NodeIdentity> {
        match self {
            Handle::In(tree, at) => Some(NodeIdentity::new(std::ptr::from_ref(&tree.0[*at]).addr())),
            Handle::Text(_) => None,
        }
    }
}

impl<'a> Handle<'a> {
    fn children(self) -> Children<'a> {
        match self {
            Handle::In(tree, at) => tree.children(at),
            Handle::Text(_) => unreachable!("a text has no children"),
        }
    }
}

impl<'a> Object<'a, Flat> for Container<'a> {
    type Node = Handle<'a>;
    type MemberName = &'a str;
    type MembersIter = Children<'a>;

    fn len(&self) -> usize {
        self.len
    }

    fn get(&self, key: &Box<str>) -> Option<Handle<'a>> {
        self.tree.children(self.at).find(|(name, _)| *name == &**key).map(|(_, member)| member)
    }

    fn members(&self) -> Children<'a> {
        self.tree.children(self.at)
    }
}

impl<'a> Array<'a, Flat> for Container<'a> {
    type Node = Handle<'a>;
    type ElementsIter = std::iter::Map<Children<'a>, fn((&'a str, Handle<'a>)) -> Handle<'a>>;

    fn len(&self) -> usize {
        self.len
    }

    fn elements(&self) -> Self::ElementsIter {
        self.tree.children(self.at).map(|(_, element)| element)
    }
}

/// Reads one value into the tree.
struct Reader<'t, 'a> {
    tree: &'t mut Tree<'a>,
    name: Cow<'a, str>,
}

impl<'a> Reader<'_, 'a> {
    fn add(self, kind: Kind<'a>) {
        let end = self.tree.0.len() + 1;
        self.tree.0.push(Entry { name: self.name, kind, end });
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.add(Kind::Null);
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.add(Kind::Bool(value));
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.add(Kind::Number(value.into()));
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.add(Kind::Number(value.into()));
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        self.add(Number::from_f64(value).map_or(Kind::Null, Kind::Number));
        Ok(())
    }

    fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<(), E> {
        self.add(Kind::String(Cow::Borrowed(value)));
        Ok(())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        self.add(Kind::String(Cow::Owned(value.to_owned())));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let Self { tree, name } = self;
        let at = tree.open(name);
        let mut len = 0;
        while elements.next_element_seed(Reader { tree: &mut *tree, name: Cow::Borrowed("") })?.is_some() {
            len += 1;
        }
        tree.close(at, Kind::Array(len));
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self { tree, name } = self;
        let at = tree.open(name);
        let mut len = 0;
        while let Some(Name(name)) = members.next_key()? {
            members.next_value_seed(Reader { tree: &mut *tree, name })?;
            len += 1;
        }
        tree.close(at, Kind::Object(len));
        match tree.double(at) {
            Some(name) => Err(de::Error::custom(format_args!("the member `{name:.100}` is there twice"))),
            None => Ok(()),
        }
    }
}

/// A member's name, borrowed unless it has escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tree_is_the_value_it_was_read_from() {
        let value = json!({
            "a": [1, -2, 2.5, 18_446_744_073_709_551_615_u64, [], {}, [[null, true]]], "b\n\"": "text\\", "": {"c": {"d": "é"}},
        });
        let text = value.to_string();
        let tree = Tree::parse(&text).unwrap();
        assert_eq!(*tree.root().to_value(), value);
        let root = tree.root().as_object().unwrap();
        assert_eq!(root.len, 3);
        assert_eq!(root.get(&"b\n\"".into()).unwrap().as_string().unwrap(), "text\\");
        assert!(root.get(&"c".into()).is_none(), "members of members are not its own");
    }

    #[test]
    fn what_is_no_json_or_means_two_things_is_refused() {
        let many: String = (0..100).map(|n| format!("\"{n}\":0,")).collect();
        for text in
            ["", "{", "[1,]", "1 2", r#"{"a":1,"b":2,"a":3}"#, r#"[{"a":1,"\u0061":2}]"#, &format!("{{{many}\"7\":1}}")]
        {
            assert!(Tree::parse(text).is_err(), "{text}");
        }
        assert!(Tree::parse(&format!("{{{}}}", many.trim_end_matches(','))).is_ok());
    }
}
