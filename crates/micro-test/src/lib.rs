//! Vocabulary of whole-system tests.
