//! The record of one running instance, in go-micro's JSON form.

use std::{collections::BTreeMap, time::Duration};

use micro_core::{EndpointDescriptor, Hints, Schema, ServiceDescriptor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Error, Result};

/// Keys of endpoint metadata. The first four are go-micro's; the rest carry what its records lose.
mod key {
    pub(super) const DESCRIPTION: &str = "description";
    pub(super) const EXAMPLE: &str = "example";
    pub(super) const SCOPES: &str = "scopes";
    pub(super) const STREAM: &str = "stream";
    pub(super) const TITLE: &str = "title";
    pub(super) const INPUT: &str = "input_schema";
    pub(super) const OUTPUT: &str = "output_schema";
    pub(super) const READ_ONLY: &str = "read_only";
    pub(super) const IDEMPOTENT: &str = "idempotent";
    pub(super) const DESTRUCTIVE: &str = "destructive";
    pub(super) const OPEN_WORLD: &str = "open_world";
    pub(super) const TIMEOUT_MS: &str = "timeout_ms";
    pub(super) const CACHE_MS: &str = "cache_ms";
    pub(super) const COST: &str = "cost";
}

/// Slices of slices of a Go type that are still told apart.
const DEEPEST: usize = 8;

/// One running instance of a service: go-micro's `Service` record with exactly one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// The service's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Service metadata; `description` is the service's text.
    pub metadata: BTreeMap<String, String>,
    /// What it offers.
    pub endpoints: Vec<Endpoint>,
    /// Where it runs.
    pub node: Node,
}

/// Where an instance runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Node metadata; `protocol` tells how to call it.
    #[serde(default, deserialize_with = "null_is_default")]
    pub metadata: BTreeMap<String, String>,
    /// `<service>-<uuid>`, unique in the registry.
    pub id: String,
    /// `host:port`.
    pub address: String,
}

/// One endpoint as the registry holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The request's shape, go-micro style. Ours leave it out: `input_schema` says more.
    #[serde(default)]
    pub request: Option<Value>,
    /// The response's shape, go-micro style.
    #[serde(default)]
    pub response: Option<Value>,
    /// Everything else, as text.
    #[serde(default, deserialize_with = "null_is_default")]
    pub metadata: BTreeMap<String, String>,
    /// `Type.Method`.
    pub name: String,
}

/// go-micro's description of a type: a name, a Go type name and its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// Field name.
    pub name: String,
    /// Go type name.
    #[serde(rename = "type")]
    pub ty: String,
    /// Fields, three levels at most.
    #[serde(default, deserialize_with = "null_is_default")]
    pub values: Vec<Value>,
}

impl Instance {
    /// The record of a described service at an address. `id` is the part of the node id after the
    /// service's name, unique per process.
    pub fn new(descriptor: &ServiceDescriptor, id: &str, address: &str) -> Self {
        let metadata = [("protocol", "mucp"), ("transport", "http"), ("server", "http"), ("broker", "http")];
        Self {
            name: descriptor.name.clone(),
            version: descriptor.version.clone(),
            metadata: [(key::DESCRIPTION.to_owned(), descriptor.description.clone())].into(),
            endpoints: descriptor.endpoints.iter().map(Endpoint::from).collect(),
            node: Node {
                metadata: metadata.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
                id: format!("{}-{id}", descriptor.name),
                address: address.to_owned(),
            },
        }
    }

    /// Refuses what no backend could store: the name and the node id become parts of keys and paths.
    pub(crate) fn check(&self) -> Result<()> {
        let refuse = |reason: String| Err(Error::InvalidRecord { service: self.name.clone(), reason });
        if let Err(invalid) = micro_core::check_service_name(&self.name) {
            return refuse(invalid.reason.to_owned());
        }
        match self.node.id.as_str() {
            "" => refuse("its node id is empty".to_owned()),
            id if id.chars().any(char::is_control) => refuse("its node id has control characters".to_owned()),
            _ => Ok(()),
        }
    }

    /// What the service is for.
    pub fn description(&self) -> &str {
        self.metadata.get(key::DESCRIPTION).map_or("", String::as_str)
    }
}

impl From<&EndpointDescriptor> for Endpoint {
    fn from(endpoint: &EndpointDescriptor) -> Self {
        let mut metadata = BTreeMap::new();
        let mut set = |key: &str, value: Option<String>| {
            if let Some(value) = value.filter(|v| !v.is_empty()) {
                metadata.insert(key.to_owned(), value);
            }
        };
        let flag = |on: bool| on.then(|| "true".to_owned());
        let millis = |d: Option<Duration>| d.map(|d| d.as_millis().to_string());
        set(key::DESCRIPTION, Some(endpoint.description.clone()));
        set(key::EXAMPLE, endpoint.examples.first().cloned());
        set(key::SCOPES, Some(endpoint.scopes.join(",")));
        set(key::STREAM, flag(endpoint.streaming));
        set(key::TITLE, endpoint.title.clone());
        set(key::INPUT, Some(endpoint.input.as_str().to_owned()));
        set(key::OUTPUT, endpoint.output.as_ref().map(|s| s.as_str().to_owned()));
        set(key::READ_ONLY, flag(endpoint.hints.read_only));
        set(key::IDEMPOTENT, flag(endpoint.hints.idempotent));
        set(key::DESTRUCTIVE, endpoint.hints.destructive.map(|b| b.to_string()));
        set(key::OPEN_WORLD, endpoint.hints.open_world.map(|b| b.to_string()));
        set(key::TIMEOUT_MS, millis(endpoint.timeout));
        set(key::CACHE_MS, millis(endpoint.cache));
        set(key::COST, endpoint.cost.map(|c| c.to_string()));
        Self { request: None, response: None, metadata, name: endpoint.name.clone() }
    }
}

impl Endpoint {
    /// Reads the record back. Values that make no sense are passed over, as an unknown key would be;
    /// without a usable input schema the endpoint takes any object.
    pub fn descriptor(&self) -> EndpointDescriptor {
        let get = |key: &str| self.metadata.get(key).map(String::as_str);
        let flag = |key: &str| get(key).and_then(|v| v.parse::<bool>().ok());
        let millis = |key: &str| get(key).and_then(|v| v.parse().ok()).map(Duration::from_millis);
        let schema = |key: &str| get(key).and_then(|text| Schema::parse(text).ok());
        EndpointDescriptor {
            name: self.name.clone(),
            title: get(key::TITLE).map(str::to_owned),
            description: get(key::DESCRIPTION).unwrap_or_default().to_owned(),
            examples: get(key::EXAMPLE).map(str::to_owned).into_iter().collect(),
            scopes: get(key::SCOPES)
                .map(|list| list.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect())
                .unwrap_or_default(),
            hints: Hints {
                read_only: flag(key::READ_ONLY).unwrap_or_default(),
                idempotent: flag(key::IDEMPOTENT).unwrap_or_default(),
                destructive: flag(key::DESTRUCTIVE),
                open_world: flag(key::OPEN_WORLD),
            },
            timeout: millis(key::TIMEOUT_MS),
            cost: get(key::COST).and_then(|v| v.parse().ok()),
            cache: millis(key::CACHE_MS),
            input: schema(key::INPUT).unwrap_or_else(|| self.request.as_ref().map_or_else(any_object, Value::schema)),
            output: schema(key::OUTPUT),
            streaming: flag(key::STREAM).unwrap_or_default(),
        }
    }
}

fn any_object() -> Schema {
    Schema::parse(r#"{"type":"object"}"#).expect("a literal schema")
}

impl Value {
    /// What a go-micro record says of a type. It knows neither optional nor required fields.
    fn schema(&self) -> Schema {
        let mut json = self.json_schema();
        json["type"] = "object".into(); // arguments always are
        Schema::of(&json)
    }

    fn json_schema(&self) -> serde_json::Value {
        let item = self.ty.trim_start_matches("[]");
        let depth = (self.ty.len() - item.len()) / 2;
        if depth > DEEPEST {
            return serde_json::json!({}); // records come from outside: no recursion at their will
        }
        if depth > 0 {
            let item = Value { name: String::new(), ty: item.to_owned(), values: self.values.clone() };
            let array = |items, _| serde_json::json!({"type": "array", "items": items});
            return (0..depth).fold(item.json_schema(), array);
        }
        match self.ty.as_str() {
            "string" => serde_json::json!({"type": "string"}),
            "bool" => serde_json::json!({"type": "boolean"}),
            "float32" | "float64" => serde_json::json!({"type": "number"}),
            ty if ty.starts_with("int") || ty.starts_with("uint") => serde_json::json!({"type": "integer"}),
            _ if self.values.is_empty() => serde_json::json!({}), // a named type may be anything
            _ => {
                let fields = self.values.iter().map(|v| (v.name.clone(), v.json_schema()));
                serde_json::json!({"type": "object", "properties": fields.collect::<serde_json::Map<_, _>>()})
            }
        }
    }
}

// === go-micro's JSON ===

/// `{"name","version","metadata","endpoints","nodes":[…]}`; Go writes `null` for what is empty.
#[derive(Serialize, Deserialize)]
struct GoService<M, E, N> {
    name: String,
    version: String,
    #[serde(default)]
    metadata: Option<M>,
    #[serde(default)]
    endpoints: Option<E>,
    #[serde(default)]
    nodes: Option<N>,
}

impl Serialize for Instance {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = GoService {
            name: self.name.clone(),
            version: self.version.clone(),
            metadata: Some(&self.metadata),
            endpoints: Some(&self.endpoints),
            nodes: Some([&self.node]),
        };
        record.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Instance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let record = GoService::<BTreeMap<_, _>, Vec<_>, Vec<Node>>::deserialize(deserializer)?;
        let nodes = record.nodes.unwrap_or_default();
        let [node] = <[Node; 1]>::try_from(nodes)
            .map_err(|nodes| serde::de::Error::invalid_length(nodes.len(), &"a record with exactly one node"))?;
        Ok(Self {
            name: record.name,
            version: record.version,
            metadata: record.metadata.unwrap_or_default(),
            endpoints: record.endpoints.unwrap_or_default(),
            node,
        })
    }
}

fn null_is_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(d: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(d)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_survives_the_record() {
        let endpoint = EndpointDescriptor {
            name: "Users.Get".into(),
            title: Some("Get a user".into()),
            description: "Retrieve a profile.".into(),
            examples: vec![r#"{"id":"7"}"#.into()],
            scopes: vec!["users:read".into(), "users:admin".into()],
            hints: Hints { read_only: true, idempotent: true, destructive: Some(false), open_world: None },
            timeout: Some(Duration::from_secs(2)),
            cost: Some(3),
            cache: Some(Duration::from_millis(1500)),
            input: Schema::parse(r#"{"type":"object","required":["id"]}"#).unwrap(),
            output: None,
            streaming: true,
        };
        assert_eq!(Endpoint::from(&endpoint).descriptor(), endpoint);
    }

    #[test]
    fn a_go_record_with_nulls_is_read() {
        let json = r#"{"name":"greeter","version":"latest","metadata":null,"endpoints":[{"request":{"name":"Request",
            "type":"Request","values":[{"name":"name","type":"string","values":null},{"name":"tags","type":"[]string","values":null}]},
            "response":null,"metadata":{"description":"Say hello","scopes":"a, b"},"name":"Say.Hello"}],
            "nodes":[{"metadata":null,"id":"greeter-1","address":"127.0.0.1:9"}]}"#;
        let instance: Instance = serde_json::from_str(json).unwrap();
        let endpoint = instance.endpoints[0].descriptor();
        assert_eq!(endpoint.scopes, ["a", "b"]);
        assert_eq!(
            endpoint.input.as_str(),
            r#"{"type":"object","properties":{"name":{"type":"string"},"tags":{"type":"array","items":{"type":"string"}}}}"#
        );
        let again: Instance = serde_json::from_str(&serde_json::to_string(&instance).unwrap()).unwrap();
        assert_eq!(again, instance);
    }

    #[test]
    fn a_type_nested_beyond_reason_may_be_anything() {
        let check = |ty: &str, schema: &str| {
            let value = Value { name: "x".into(), ty: ty.into(), values: vec![] };
            assert_eq!(value.json_schema().to_string(), schema);
        };
        check("[][]bool", r#"{"type":"array","items":{"type":"array","items":{"type":"boolean"}}}"#);
        check(&"[]".repeat(1_000_000), "{}");
    }
}
