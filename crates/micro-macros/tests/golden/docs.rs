//! What a doc comment can say.

/// Notes that people keep.
///
/// Everything is text.
#[service]
impl Notes {
    /// Write a note.
    ///
    /// The text may be long. Write to @alice for more.
    /// @param text What it says,
    ///   in plain words.
    /// @param tags - Words to find it by.
    /// @return The note's number.
    /// @example {"text": "milk",
    ///   "tags": ["shop"]}
    ///
    /// # Example
    ///
    /// ```json
    /// {"text": "bread"}
    /// ```
    ///
    /// # Limits
    ///
    /// ```text
    /// @example is not read inside a fence
    /// ```
    #[endpoint]
    async fn write(&self, text: String, #[serde(default)] tags: Vec<String>) -> Result<u64> {
        self.insert(text, tags).await
    }

    /**
     * Read a note.
     *
     * @param id Its number.
     */
    #[endpoint]
    async fn read(&self, id: u64) -> Result<Note> {
        self.find(id).await
    }
}
