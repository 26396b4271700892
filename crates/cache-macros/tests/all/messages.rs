//! What does not compile, and what the compiler then says; and what does.

#[test]
fn mistakes_are_refused_with_a_hint() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/accepted/*.rs");
    cases.compile_fail("tests/ui/refused/*.rs");
}
