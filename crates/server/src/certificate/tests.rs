//! Made once, renewed when it must be, and never over the operator's own.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn folder() -> (tempfile::TempDir, DataFolder) {
    let place = tempfile::tempdir().expect("a folder");
    let folder = DataFolder::at(place.path());
    (place, folder)
}

fn content(folder: &DataFolder) -> String {
    fs::read_to_string(folder.certificate()).expect("written")
}

#[test]
fn a_pair_is_made_once_and_kept() {
    let (_place, folder) = folder();
    ready(&folder, "localhost", NOW).expect("made");
    let first = content(&folder);
    assert!(first.starts_with("Made by Tidegate for localhost, until 20"), "{first}");
    assert_eq!(fs::metadata(folder.key()).expect("there").permissions().mode() & 0o777, 0o600);
    ready(&folder, "localhost", NOW.plus_millis(100 * DAY_MILLIS)).expect("kept");
    assert_eq!(content(&folder), first);
}

#[test]
fn another_host_or_the_near_end_makes_a_new_pair() {
    let (_place, folder) = folder();
    ready(&folder, "localhost", NOW).expect("made");
    let first = content(&folder);
    ready(&folder, "gateway.example", NOW).expect("made");
    let second = content(&folder);
    assert_ne!(second, first);
    ready(&folder, "gateway.example", NOW.plus_millis((VALID_DAYS - RENEW_DAYS) * DAY_MILLIS)).expect("made");
    assert_ne!(content(&folder), second);
}

#[test]
fn a_pair_cut_by_a_crash_is_made_anew() {
    let (_place, folder) = folder();
    ready(&folder, "localhost", NOW).expect("made");
    let old = content(&folder);
    ready(&folder, "other", NOW).expect("made");
    fs::write(folder.certificate(), &old).expect("the key is new, the certificate is not");
    ready(&folder, "localhost", NOW).expect("made anew");
    assert_ne!(content(&folder), old);
    fs::remove_file(folder.certificate()).expect("only the key was written");
    ready(&folder, "localhost", NOW).expect("made anew");
}

#[test]
fn files_of_the_operator_are_used_or_refused_and_never_replaced() {
    let (_place, folder) = folder();
    ready(&folder, "localhost", NOW).expect("made");
    let unmarked = content(&folder).lines().skip(1).collect::<Vec<_>>().join("\n");
    fs::write(folder.certificate(), &unmarked).expect("written");
    ready(&folder, "elsewhere", NOW.plus_millis(1_000 * DAY_MILLIS)).expect("used as it is");
    assert_eq!(content(&folder), unmarked);
    fs::write(folder.key(), "nothing").expect("written");
    let text = ready(&folder, "localhost", NOW).expect_err("no key").to_string();
    assert!(text.contains("key.pem") && text.contains("delete both"), "{text}");
}
