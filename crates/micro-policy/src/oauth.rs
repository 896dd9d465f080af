//! What the authorization server decides (OAuth 2.1, draft-ietf-oauth-v2-1): who a client is, where a user may be sent,
//! what a code, a refresh token or another's token may be turned into.
//!
//! Records are plain values that a store can keep; whoever keeps them does so in one step with what was decided. Times
//! are seconds since 1970, as in the tokens. Nothing here is random: ids and secrets are arguments.

mod authorize;
mod client;
mod code;
mod error;
mod exchange;
mod family;
mod keys;
mod metadata;
mod params;
mod pkce;
mod redirect;
mod registration;
mod token;
mod user;

pub use self::{
    authorize::{AuthorizationRequest, Redirect},
    client::{Client, ClientAuth, GrantType, Presented, UNKNOWN},
    code::{Code, Redemption},
    error::{Denied, ErrorCode, Refused},
    exchange::{Exchange, Exchanged, Subject},
    family::{Family, Refresh},
    keys::{KeyAction, KeySchedule, SigningKey},
    metadata::ServerMetadata,
    params::Params,
    pkce::Challenge,
    redirect::RedirectUri,
    registration::{Registration, document, document_url},
    token::{Actor, Claims, Resources},
    user::{InvalidUser, Owner, User},
};
