//! What does not compile says why; what looks odd compiles.

/// Part of this binary, since passing cases would make trybuild build every dependency once more.
#[path = "../ui/pass/odd.rs"]
mod odd;

#[test]
fn mistakes_are_explained_on_the_users_own_tokens() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/fail/*.rs");
}
