//! What the server says of itself (RFC 8414, RFC 9207, draft-ietf-oauth-client-id-metadata-document).

use serde::Serialize;

use super::client::{ClientAuth, GrantType};

/// The metadata document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerMetadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    revocation_endpoint: String,
    introspection_endpoint: String,
    jwks_uri: String,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 4],
    token_endpoint_auth_methods_supported: [&'static str; 3],
    revocation_endpoint_auth_methods_supported: [&'static str; 3],
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
    code_challenge_methods_supported: [&'static str; 1],
    authorization_response_iss_parameter_supported: bool,
    client_id_metadata_document_supported: bool,
}

impl ServerMetadata {
    /// The document of this issuer, whose endpoints are below `/oauth`. `registration` says whether strangers may
    /// register.
    pub fn new(issuer: &str, registration: bool) -> Self {
        let at = |name: &str| format!("{issuer}/oauth/{name}");
        Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: at("authorize"),
            token_endpoint: at("token"),
            registration_endpoint: registration.then(|| at("register")),
            revocation_endpoint: at("revoke"),
            introspection_endpoint: at("introspect"),
            jwks_uri: at("jwks"),
            response_types_supported: ["code"],
            response_modes_supported: ["query"],
            grant_types_supported: GrantType::ALL.map(GrantType::as_str),
            token_endpoint_auth_methods_supported: ClientAuth::ALL.map(ClientAuth::as_str),
            revocation_endpoint_auth_methods_supported: ClientAuth::ALL.map(ClientAuth::as_str),
            introspection_endpoint_auth_methods_supported: [ClientAuth::Basic, ClientAuth::Post]
                .map(ClientAuth::as_str),
            code_challenge_methods_supported: ["S256"],
            authorization_response_iss_parameter_supported: true,
            client_id_metadata_document_supported: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoints_are_below_the_issuer() {
        let json = |registration| serde_json::to_value(ServerMetadata::new("https://as", registration)).unwrap();
        assert_eq!(json(true)["registration_endpoint"], "https://as/oauth/register");
        assert!(json(false).get("registration_endpoint").is_none());
        assert_eq!(json(true)["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    }
}
