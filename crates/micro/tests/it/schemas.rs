//! From types to JSON Schema.

use std::collections::BTreeMap;

use micro::{Service, prelude::*};
use serde_json::{Value, json};

/// Where somebody lives.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Address {
    /// Street and number.
    street: String,
    city: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Role {
    Admin,
    Guest,
}

/// How a parcel
/// travels.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Speed {
    /// A week,
    /// perhaps two.
    Slow,
    /// Tomorrow.
    Fast,
    Usual,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Payment {
    Card { number: String },
    Invoice,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Tree {
    name: String,
    children: Vec<Tree>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Signup {
    /// How to address the user.
    #[schemars(length(min = 1, max = 80))]
    full_name: String,
    #[schemars(range(min = 0, max = 150))]
    age: u8,
    #[schemars(email)]
    email: String,
    #[serde(default)]
    newsletter: bool,
    addresses: Vec<Address>,
    role: Role,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Receipt {
    id: uuid::Uuid,
    at: jiff::Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

struct Types;

#[micro::service]
impl Types {
    /// Arguments in a struct of the user's.
    #[endpoint]
    async fn signup(&self, req: Signup) -> Result<Receipt> {
        Err(Error::internal(format!("{} is only a shape", req.full_name)))
    }

    /// Plain parameters.
    #[endpoint]
    async fn plain(
        &self,
        /// Who it is.
        id: uuid::Uuid,
        /** When it was. */
        since: jiff::Timestamp,
        #[schemars(range(min = 1, max = 100))] limit: u32,
        #[serde(default)] deep: bool,
        roles: Option<Vec<Role>>,
        #[serde(rename = "userName")] user_name: String,
        labels: BTreeMap<String, f64>,
    ) -> Result<()> {
        let _ = (id, since, limit, deep, roles, user_name, labels);
        Ok(())
    }

    /// A closed set of objects.
    #[endpoint]
    fn pay(&self, args: Payment) -> Result<Role> {
        let _ = args;
        Ok(Role::Guest)
    }

    /// A closed set whose members have docs.
    #[endpoint]
    fn send(
        &self,
        by: Speed,
        or: Option<Speed>,
        /** If both fail. */
        last: Speed,
    ) -> Speed {
        let _ = (or, last);
        by
    }

    /// Nothing in, a list out.
    #[endpoint]
    fn list(&self) -> Vec<Address> {
        Vec::new()
    }

    /// A type within itself.
    #[endpoint]
    fn grow(&self, tree: Tree) -> Tree {
        tree
    }
}

fn endpoint(name: &str) -> micro::EndpointDescriptor {
    let found = Types::descriptor().endpoints.into_iter().find(|endpoint| endpoint.name == name);
    found.unwrap_or_else(|| panic!("{name} is not offered"))
}

#[track_caller]
fn check(schema: &micro::Schema, pointer: &str, expected: impl Into<Value>) {
    let expected = expected.into();
    let schema: Value = serde_json::from_str(schema.as_str()).unwrap();
    assert_eq!(schema.pointer(pointer), Some(&expected), "{pointer} of {schema:#}");
}

#[test]
fn a_structs_fields_are_named_required_described_and_bounded_as_it_says() {
    let input = endpoint("Types.Signup").input;
    check(&input, "/type", json!("object"));
    check(&input, "/required", json!(["fullName", "age", "email", "addresses", "role"]));
    check(&input, "/properties/fullName/description", json!("How to address the user."));
    check(&input, "/properties/fullName/minLength", json!(1));
    check(&input, "/properties/fullName/maxLength", json!(80));
    check(&input, "/properties/age/maximum", json!(150));
    check(&input, "/properties/email/format", json!("email"));
    check(&input, "/properties/newsletter/default", json!(false));
    check(&input, "/properties/role/enum", json!(["admin", "guest"]));
}

#[test]
fn nested_objects_and_arrays_are_written_in_place() {
    let input = endpoint("Types.Signup").input;
    check(&input, "/properties/addresses/type", json!("array"));
    check(&input, "/properties/addresses/items/type", json!("object"));
    check(&input, "/properties/addresses/items/description", json!("Where somebody lives."));
    check(&input, "/properties/addresses/items/properties/street/description", json!("Street and number."));
    check(&input, "/properties/addresses/items/required", json!(["street"]));
    assert!(!input.as_str().contains("$ref"), "{input:?}");
}

#[test]
fn plain_parameters_make_the_same_schema_as_a_struct_would() {
    let input = endpoint("Types.Plain").input;
    check(&input, "/type", json!("object"));
    check(&input, "/required", json!(["id", "since", "limit", "userName", "labels"]));
    check(&input, "/properties/id", json!({"type": "string", "format": "uuid", "description": "Who it is."}));
    check(&input, "/properties/since/format", json!("date-time"));
    check(&input, "/properties/since/description", json!("When it was."));
    check(&input, "/properties/limit/minimum", json!(1));
    check(&input, "/properties/limit/maximum", json!(100));
    check(&input, "/properties/deep/default", json!(false));
    check(&input, "/properties/roles/items/enum", json!(["admin", "guest"]));
    check(&input, "/properties/labels/additionalProperties/type", json!("number"));
    assert_eq!(endpoint("Types.Plain").output, None);
}

#[test]
fn the_output_is_what_is_written_and_the_input_is_what_is_read() {
    let output = endpoint("Types.Signup").output.unwrap();
    check(&output, "/properties/id/format", json!("uuid"));
    check(&output, "/required", json!(["id", "at"]));
    check(&endpoint("Types.List").output.unwrap(), "/type", json!("array"));
    check(&endpoint("Types.Pay").output.unwrap(), "/enum", json!(["admin", "guest"]));
    check(&endpoint("Types.List").input, "/type", json!("object"));
}

#[test]
fn an_enum_of_objects_is_an_object() {
    let input = endpoint("Types.Pay").input;
    check(&input, "/type", json!("object"));
    check(&input, "/oneOf/0/properties/kind/const", json!("card"));
    check(&input, "/oneOf/0/required", json!(["kind", "number"]));
}

#[test]
fn a_closed_set_whose_members_have_docs_is_still_one_enum() {
    let input = endpoint("Types.Send").input;
    let about = "- `slow`: A week, perhaps two.\n- `fast`: Tomorrow.";
    let schema = |first: &str| json!({"type": "string", "enum": ["usual", "slow", "fast"], "description": format!("{first}\n\n{about}")});
    check(&input, "/properties/by", schema("How a parcel travels."));
    check(&input, "/properties/or/enum", json!(["usual", "slow", "fast", null]));
    check(&input, "/properties/or/type", json!(["string", "null"]));
    check(&input, "/properties/or/description", json!(format!("How a parcel travels.\n\n{about}")));
    check(&input, "/properties/last", schema("If both fail."));
    check(&endpoint("Types.Send").output.unwrap(), "", schema("How a parcel travels."));
}

#[test]
fn only_a_type_within_itself_is_referred_to() {
    let input = endpoint("Types.Grow").input;
    assert!(input.as_str().contains("$ref"), "{input:?}");
    assert_eq!(micro::serve(Types).check(), Ok(()));
}
