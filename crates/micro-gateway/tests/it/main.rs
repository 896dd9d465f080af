//! A gateway over real sockets, with real services behind it.

mod access;
mod assertions;
mod audit;
mod catalog;
mod fixture;
mod fronts;
mod identity;
#[cfg(feature = "cedar")]
mod matrix;
mod oauth;
mod policy;
