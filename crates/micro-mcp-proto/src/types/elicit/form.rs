//! The flat JSON Schema of a form, and its builder (`client/elicitation`, "Requested Schema").

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Number, Value};

use crate::{Revision, types::Inexpressible};

/// A form: fields in the order in which they are shown.
///
/// ```
/// use micro_mcp_proto::{Field, FormSchema};
///
/// let form = FormSchema::new()
///     .required("email", Field::email().title("Your e-mail"))
///     .required("size", Field::choice(["S", "M", "L"]).default("M"))
///     .optional("age", Field::integer().at_least(18));
/// assert_eq!(
///     serde_json::to_string(&form).unwrap(),
///     r#"{"type":"object","properties":{"email":{"type":"string","format":"email","title":"Your e-mail"},"size":{"type":"string","enum":["S","M","L"],"default":"M"},"age":{"type":"integer","minimum":18}},"required":["email","size"]}"#
/// );
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FormSchema {
    /// Names and fields.
    pub fields: Vec<(String, Field)>,
    /// Names that must be answered.
    pub required: Vec<String>,
}

/// One field of a form (`PrimitiveSchemaDefinition`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// What it takes.
    #[serde(flatten)]
    pub kind: FieldKind,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What a field takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum FieldKind {
    /// A text, or one of some texts.
    String {
        /// Fewest characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min_length: Option<u32>,
        /// Most characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_length: Option<u32>,
        /// What the text must be.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        format: Option<StringFormat>,
        /// One of these.
        #[serde(default, rename = "enum", skip_serializing_if = "Option::is_none")]
        choices: Option<Vec<String>>,
        /// Names for people, one for each of `enum`; how titles were written before 2025-11-25.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        enum_names: Option<Vec<String>>,
        /// One of these, with names for people (since 2025-11-25).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        one_of: Option<Vec<Titled>>,
        /// What is taken when nothing is said (since 2025-11-25).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<String>,
    },
    /// A number.
    Number {
        /// The least.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minimum: Option<Number>,
        /// The most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        maximum: Option<Number>,
        /// What is taken when nothing is said (since 2025-11-25).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<Number>,
    },
    /// A whole number.
    Integer {
        /// The least.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minimum: Option<Number>,
        /// The most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        maximum: Option<Number>,
        /// What is taken when nothing is said (since 2025-11-25).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<Number>,
    },
    /// Yes or no.
    Boolean {
        /// What is taken when nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<bool>,
    },
    /// Some of some texts (since 2025-11-25).
    Array {
        /// Of which.
        items: Items,
        /// Fewest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min_items: Option<u32>,
        /// Most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_items: Option<u32>,
        /// What is taken when nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<Vec<String>>,
    },
}

/// The choices of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Items {
    /// With names for people.
    Titled {
        /// The choices.
        #[serde(rename = "anyOf")]
        any_of: Vec<Titled>,
    },
    /// As they are.
    Plain {
        /// Always `string`.
        #[serde(rename = "type")]
        kind: StringType,
        /// The choices.
        #[serde(rename = "enum")]
        choices: Vec<String>,
    },
}

/// The word `string`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StringType {
    /// It.
    #[default]
    String,
}

/// A choice and its name for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Titled {
    /// The choice.
    #[serde(rename = "const")]
    pub value: String,
    /// Its name.
    pub title: String,
}

/// What a text must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names of JSON Schema's formats say it")]
pub enum StringFormat {
    Email,
    Uri,
    Date,
    DateTime,
}

impl FormSchema {
    /// Without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field that must be answered.
    #[must_use]
    pub fn required(mut self, name: impl Into<String>, field: Field) -> Self {
        let name = name.into();
        self.required.push(name.clone());
        self.optional(name, field)
    }

    /// Adds a field that may stay empty.
    #[must_use]
    pub fn optional(mut self, name: impl Into<String>, field: Field) -> Self {
        self.fields.push((name.into(), field));
        self
    }

    /// Puts the default of every field that has one and was not answered into the answer.
    pub fn fill_defaults(&self, content: &mut Map<String, Value>) {
        for (name, field) in &self.fields {
            if let Some(default) = field.default_value().filter(|_| !content.contains_key(name)) {
                content.insert(name.clone(), default);
            }
        }
    }

    /// The form as the revision knows it: before 2025-11-25 names of choices stand in `enumNames`.
    ///
    /// # Errors
    /// Before 2025-11-25 there was no choice of several.
    pub fn for_revision(mut self, revision: Revision) -> Result<Self, Inexpressible> {
        if revision < Revision::V2025_11_25 {
            for (_, field) in &mut self.fields {
                field.kind.make_old(revision)?;
            }
        }
        Ok(self)
    }
}

impl Field {
    /// A field of a kind, without words for people.
    pub fn new(kind: FieldKind) -> Self {
        Self { kind, title: None, description: None }
    }

    /// A text.
    pub fn text() -> Self {
        Self::string(None, None, None)
    }

    /// An e-mail address.
    pub fn email() -> Self {
        Self::string(Some(StringFormat::Email), None, None)
    }

    /// A text of a format.
    pub fn format(format: StringFormat) -> Self {
        Self::string(Some(format), None, None)
    }

    /// One of some texts.
    pub fn choice<S: Into<String>>(choices: impl IntoIterator<Item = S>) -> Self {
        Self::string(None, Some(choices.into_iter().map(Into::into).collect()), None)
    }

    /// One of some texts, each with a name for people.
    pub fn titled_choice<S: Into<String>, T: Into<String>>(choices: impl IntoIterator<Item = (S, T)>) -> Self {
        Self::string(None, None, Some(choices.into_iter().map(Titled::from).collect()))
    }

    /// Some of some texts.
    pub fn choices<S: Into<String>>(choices: impl IntoIterator<Item = S>) -> Self {
        let choices = choices.into_iter().map(Into::into).collect();
        Self::array(Items::Plain { kind: StringType::String, choices })
    }

    /// Some of some texts, each with a name for people.
    pub fn titled_choices<S: Into<String>, T: Into<String>>(choices: impl IntoIterator<Item = (S, T)>) -> Self {
        Self::array(Items::Titled { any_of: choices.into_iter().map(Titled::from).collect() })
    }

    /// A number.
    pub fn number() -> Self {
        Self::new(FieldKind::Number { minimum: None, maximum: None, default: None })
    }

    /// A whole number.
    pub fn integer() -> Self {
        Self::new(FieldKind::Integer { minimum: None, maximum: None, default: None })
    }

    /// Yes or no.
    pub fn boolean() -> Self {
        Self::new(FieldKind::Boolean { default: None })
    }

    /// Name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// What it means.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// The least number, the fewest characters or the fewest choices.
    #[must_use]
    pub fn at_least(mut self, least: impl Into<Number>) -> Self {
        let least = least.into();
        match &mut self.kind {
            FieldKind::Number { minimum, .. } | FieldKind::Integer { minimum, .. } => *minimum = Some(least),
            FieldKind::String { min_length: count, .. } | FieldKind::Array { min_items: count, .. } => {
                *count = small(&least);
            }
            FieldKind::Boolean { .. } => {}
        }
        self
    }

    /// The greatest number, the most characters or the most choices.
    #[must_use]
    pub fn at_most(mut self, most: impl Into<Number>) -> Self {
        let most = most.into();
        match &mut self.kind {
            FieldKind::Number { maximum, .. } | FieldKind::Integer { maximum, .. } => *maximum = Some(most),
            FieldKind::String { max_length: count, .. } | FieldKind::Array { max_items: count, .. } => {
                *count = small(&most);
            }
            FieldKind::Boolean { .. } => {}
        }
        self
    }

    /// What is taken when nothing is said. A value of another type than the field's is left out.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        match (&mut self.kind, value.into()) {
            (FieldKind::String { default, .. }, Value::String(text)) => *default = Some(text),
            (FieldKind::Number { default, .. }, Value::Number(number)) => *default = Some(number),
            (FieldKind::Integer { default, .. }, Value::Number(number)) if !number.is_f64() => *default = Some(number),
            (FieldKind::Boolean { default }, Value::Bool(yes)) => *default = Some(yes),
            (FieldKind::Array { default, .. }, Value::Array(all)) => {
                *default = all.into_iter().map(|one| one.as_str().map(str::to_owned)).collect();
            }
            _ => {}
        }
        self
    }

    /// Its default, as JSON.
    pub fn default_value(&self) -> Option<Value> {
        match &self.kind {
            FieldKind::String { default, .. } => default.clone().map(Value::String),
            FieldKind::Number { default, .. } | FieldKind::Integer { default, .. } => {
                default.clone().map(Value::Number)
            }
            FieldKind::Boolean { default } => default.map(Value::Bool),
            FieldKind::Array { default, .. } => default.clone().map(Value::from),
        }
    }

    fn string(format: Option<StringFormat>, choices: Option<Vec<String>>, one_of: Option<Vec<Titled>>) -> Self {
        let (min_length, max_length, enum_names, default) = (None, None, None, None);
        Self::new(FieldKind::String { min_length, max_length, format, choices, enum_names, one_of, default })
    }

    fn array(items: Items) -> Self {
        Self::new(FieldKind::Array { items, min_items: None, max_items: None, default: None })
    }
}

impl FieldKind {
    fn make_old(&mut self, revision: Revision) -> Result<(), Inexpressible> {
        match self {
            Self::String { choices, enum_names, one_of, .. } => {
                if let Some(titled) = one_of.take() {
                    let (values, names) = titled.into_iter().map(|one| (one.value, one.title)).unzip();
                    (*choices, *enum_names) = (Some(values), Some(names));
                }
                Ok(())
            }
            Self::Array { .. } => Err(Inexpressible::new("a choice of several", revision)),
            Self::Number { .. } | Self::Integer { .. } | Self::Boolean { .. } => Ok(()),
        }
    }
}

impl<S: Into<String>, T: Into<String>> From<(S, T)> for Titled {
    fn from((value, title): (S, T)) -> Self {
        Self { value: value.into(), title: title.into() }
    }
}

fn small(number: &Number) -> Option<u32> {
    number.as_u64().and_then(|n| u32::try_from(n).ok())
}

// === the order of fields is the order on the wire ===

#[derive(Serialize)]
struct Wire<'a> {
    r#type: &'static str,
    properties: Fields<'a>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    required: &'a [String],
}

struct Fields<'a>(&'a [(String, Field)]);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, field)| (name, field)))
    }
}

impl Serialize for FormSchema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Wire { r#type: "object", properties: Fields(&self.fields), required: &self.required }.serialize(serializer)
    }
}

#[derive(Deserialize)]
struct Read {
    #[serde(deserialize_with = "in_order")]
    properties: Vec<(String, Field)>,
    #[serde(default)]
    required: Vec<String>,
}

impl<'de> Deserialize<'de> for FormSchema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Read { properties: fields, required } = Read::deserialize(deserializer)?;
        Ok(Self { fields, required })
    }
}

fn in_order<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, Field)>, D::Error> {
    struct InOrder;
    impl<'de> Visitor<'de> for InOrder {
        type Value = Vec<(String, Field)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of fields")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut fields = Vec::new();
            while let Some(field) = map.next_entry()? {
                fields.push(field);
            }
            Ok(fields)
        }
    }
    deserializer.deserialize_map(InOrder)
}
