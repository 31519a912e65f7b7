//! Passwords for a terminal alone, and a line that can be pasted.

use super::*;
use crate::first_start::Person;

fn shown(shows_passwords: bool) -> String {
    let addresses = Addresses {
        portal: "https://localhost:9443".into(),
        ws: "ws://localhost:9099".into(),
        wss: "wss://localhost:8099".into(),
        echo: Some("ws://localhost:9098".into()),
    };
    let mut record = Record::default();
    let person = Person { password: Some("abcd-efgh".into()), roles: vec![Role::Admin] };
    record.users.insert("admin".into(), person);
    let folder = DataFolder::at("/a folder");
    let certificate = Source::Folder { folder: folder.clone(), host: "localhost".into() };
    text(&addresses, &folder, &certificate, &record, true, "/bin/tidegate", shows_passwords)
}

#[test]
fn passwords_are_for_a_terminal_alone() {
    assert!(shown(true).contains("abcd-efgh"));
    assert!(!shown(false).contains("abcd-efgh"));
}

#[test]
fn the_line_to_paste_survives_a_shell() {
    assert!(shown(false).contains("/bin/tidegate connect --demo --data '/a folder'\n"));
    assert_eq!(quoted(Path::new("it's")), r"'it'\''s'");
}
