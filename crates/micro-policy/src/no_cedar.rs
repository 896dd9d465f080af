//! In place of `cedar.rs` where that is not built: there are no policies, and the config cannot name any.

use std::sync::Arc;

use micro_core::EndpointDescriptor;

use crate::{Caller, Denied, Question, Rule, Scopes};

/// Policies in the Cedar language: there are none.
#[derive(Debug)]
pub enum PolicySet {}

/// Who asks.
#[derive(Debug)]
pub(crate) struct Principal;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Resource;

/// Policies cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policies need a program that was built with the feature `cedar`")]
pub struct InvalidPolicies;

impl PolicySet {
    /// Reads files.
    ///
    /// # Errors
    /// Always.
    pub fn parse(_: &[(String, String)]) -> Result<Self, InvalidPolicies> {
        Err(InvalidPolicies)
    }

    pub(crate) fn resource<'a>(
        &self,
        _: &str,
        _: &str,
        _: &EndpointDescriptor,
        _: &Scopes,
        _: impl Iterator<Item = &'a Arc<str>>,
    ) -> Resource {
        match *self {}
    }

    pub(crate) fn principal(&self, _: &Caller) -> Principal {
        match *self {}
    }

    pub(crate) fn decide(&self, _: &Principal, _: &Resource, _: Question<'_>) -> Result<Rule, Denied> {
        match *self {}
    }

    pub(crate) fn shows(&self, _: &Principal, _: &Resource) -> bool {
        match *self {}
    }

    pub(crate) fn check<'a>(&self, _: impl Iterator<Item = &'a Resource>) -> Vec<String> {
        match *self {}
    }
}
