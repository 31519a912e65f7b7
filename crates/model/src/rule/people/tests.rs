//! Names that cannot be taken for others, and passwords that are not guessed first.

use super::*;

fn code_of(check: impl Fn(&mut Vec<FieldProblem>)) -> &'static str {
    let mut problems = Vec::new();
    check(&mut problems);
    problems.first().map_or("", |problem| problem.code)
}

#[test]
fn a_user_name_is_ascii_without_markup() {
    for (name, code) in [
        ("ada", ""),
        ("Ada.Lovelace+1@example.com", ""),
        ("7", ""),
        ("", "required"),
        (" ada", "illegal_character"),
        ("a da", "illegal_character"),
        ("аda", "illegal_character"),
        ("ada<script>", "illegal_character"),
        ("ada\u{0}", "illegal_character"),
        ("ada\u{202e}", "illegal_character"),
        ("-rf", "illegal_character"),
        ("@ada", "illegal_character"),
        ("../etc", "illegal_character"),
    ] {
        assert_eq!(code_of(|problems| username("/username", name, problems)), code, "{name:?}");
    }
    let long = "a".repeat(USERNAME_CHARS_MAX);
    assert_eq!(code_of(|problems| username("/username", &long, problems)), "");
    assert_eq!(code_of(|problems| username("/username", &format!("{long}a"), problems)), "too_long");
}

#[test]
fn a_password_is_long_and_not_among_the_first_that_are_guessed() {
    for (text, code) in [
        ("correct horse battery staple", ""),
        ("h7wk-1mce-49pq-zt3e-8nra", ""),
        ("длинный пароль тут", ""),
        ("elevenchars", "too_short"),
        ("", "too_short"),
        ("aaaaaaaaaaaaaaaa", "too_common"),
        ("abababababababab", "too_common"),
        ("password1234", "too_common"),
        ("Password1234567890!", "too_common"),
        ("qwertyuiop123", "too_common"),
        ("Tidegate-Admin-1", "too_common"),
        ("lovelace-2026", "too_common"),
        ("LOVELACElovelace", "too_common"),
    ] {
        let found = code_of(|problems| password("/password", text, "lovelace", problems));
        assert_eq!(found, code, "{text:?}");
    }
    let long: String = ('a'..='z').cycle().take(PASSWORD_BYTES_MAX).collect();
    assert_eq!(code_of(|problems| password("/password", &long, "ada", problems)), "");
    assert_eq!(code_of(|problems| password("/password", &format!("{long}x"), "ada", problems)), "too_long");
    assert_eq!(code_of(|problems| password("/password", "seven boats adrift", "bo", problems)), "");
}
