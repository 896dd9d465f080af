//! What does not compile says why; what looks odd compiles.

#[test]
fn mistakes_are_explained_on_the_users_own_tokens() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/fail/*.rs");
    cases.pass("tests/ui/pass/*.rs");
}
