//! Which `traceparent` of a client is believed.

use super::*;

const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn flags(value: &str) -> Option<u8> {
    let (id, flags) = read(value.as_bytes())?;
    assert_eq!(format!("{id:032x}"), ID);
    Some(flags)
}

#[test]
fn what_is_valid_is_read() {
    assert_eq!(flags(&format!("00-{ID}-{PARENT}-01")), Some(1));
    assert_eq!(flags(&format!("00-{ID}-{PARENT}-00")), Some(0));
    assert_eq!(flags(&format!(" 00-{ID}-{PARENT}-ff ")), Some(0xff));
    assert_eq!(flags(&format!("01-{ID}-{PARENT}-01")), Some(1));
    assert_eq!(flags(&format!("cc-{ID}-{PARENT}-01-what-the-future-says")), Some(1));
}

#[test]
fn what_is_not_valid_is_nothing() {
    let zeros = "0".repeat(32);
    for value in [
        "",
        "00",
        ID,
        &format!("00-{ID}-{PARENT}"),
        &format!("00-{ID}-{PARENT}-1"),
        &format!("00-{ID}-{PARENT}-01-"),
        &format!("00-{ID}-{PARENT}-01-more"),
        &format!("00-{ID}-{PARENT}-011"),
        &format!("01-{ID}-{PARENT}-01more"),
        &format!("ff-{ID}-{PARENT}-01"),
        &format!("00-{zeros}-{PARENT}-01"),
        &format!("00-{ID}-{}-01", &zeros[..16]),
        &format!("00-{}-{PARENT}-01", ID.to_uppercase()),
        &format!("00-{}-{PARENT}-01", ID.replace('4', "+")),
        &format!("00-{ID}-{PARENT}-0g"),
        &format!("0-0{ID}-{PARENT}-01"),
        &format!("00_{ID}_{PARENT}_01"),
        &format!("00-{ID}-{PARENT}-0\u{e9}"),
    ] {
        assert_eq!(read(value.as_bytes()), None, "{value:?}");
    }
    assert_eq!(read(&[0xff; 55]), None);
}

#[test]
fn ids_are_written_with_all_their_zeros() {
    let trace = Trace { id: 1, parent: 2, flags: 1, continues: false };
    assert_eq!(trace.to_string(), "00-00000000000000000000000000000001-0000000000000002-01");
    assert_eq!(trace.id().to_string(), "00000000000000000000000000000001");
}
