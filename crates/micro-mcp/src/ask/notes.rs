//! What one request asked and was given.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use micro_mcp_proto::{InputRequest, RpcError};
use parking_lot::Mutex;
use serde_json::value::RawValue;

/// Answers by key, as they came.
pub(crate) type Answers = BTreeMap<String, Box<RawValue>>;

/// The questions and answers of one request. Owns no memory while unused.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Whether there is anything in the book, so that most requests need not look.
    used: AtomicBool,
    book: Mutex<Option<Box<Book>>>,
}

/// What is in [`Notes`].
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// What came with the request: its own answers, and those of earlier rounds.
    pub(crate) given: Answers,
    /// What the handler keeps between rounds.
    pub(crate) state: Option<Box<RawValue>>,
    /// Answers the handler could use; they go into the next round.
    pub(crate) kept: Answers,
    /// Questions without an answer, in the order they were asked.
    pub(crate) open: Vec<(String, InputRequest)>,
    /// Keys that were asked for in this run.
    keys: Vec<String>,
    count: u32,
}

impl Notes {
    /// Begins a run with these answers.
    pub(crate) fn begin(&self, given: Answers, state: Option<Box<RawValue>>) {
        self.used.store(true, Ordering::Release);
        *self.book.lock() = Some(Box::new(Book { given, state, ..Book::default() }));
    }

    /// Looks at what is there, or at an empty book.
    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut Book) -> T) -> T {
        self.used.store(true, Ordering::Release);
        f(self.book.lock().get_or_insert_default())
    }

    /// What was noted, if anything was; the notes are empty then.
    pub(crate) fn close(&self) -> Option<Book> {
        if !self.used.swap(false, Ordering::AcqRel) {
            return None;
        }
        self.book.lock().take().map(|book| *book)
    }

    /// Whether there is something to [`Notes::close`]. Costs one load.
    pub(crate) fn are_used(&self) -> bool {
        self.used.load(Ordering::Acquire)
    }

    /// The key of the next question, and the answer to it if there is one.
    pub(super) fn take(&self, key: Option<Cow<'static, str>>) -> Result<(String, Option<Box<RawValue>>), RpcError> {
        self.with(|book| {
            let key = key.map_or_else(
                || {
                    book.count += 1;
                    format!("ask-{}", book.count)
                },
                Cow::into_owned,
            );
            // The second question would get the first one's answer, for ever.
            if book.keys.contains(&key) {
                tracing::error!(key, "a handler asked twice with the same key");
                return Err(RpcError::internal());
            }
            book.keys.push(key.clone());
            let given = book.given.get(&key).cloned();
            Ok((key, given))
        })
    }

    /// Notes an answer that could be used.
    pub(super) fn keep(&self, key: String, answer: Box<RawValue>) {
        self.with(|book| book.kept.insert(key, answer));
    }

    /// Notes a question without an answer.
    pub(super) fn ask(&self, key: String, question: InputRequest) {
        self.with(|book| book.open.push((key, question)));
    }
}
