//! Pure decisions: who calls, may they, and the record of it.
