//! One process at a time, and messages that say how to mend it.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

#[test]
fn a_folder_is_made_private_and_held_by_one() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = DataFolder::at(place.path().join("a/b"));
    let lock = folder.lock().expect("it is free");
    assert_eq!(fs::metadata(folder.path()).expect("made").permissions().mode() & 0o777, 0o700);
    let text = folder.lock().expect_err("it is held").to_string();
    assert!(text.contains(&format!("(process {})", std::process::id())), "{text}");
    assert!(text.contains("--data"), "{text}");
    drop(lock);
    folder.lock().expect("it is free again");
}

#[test]
fn a_file_is_not_a_folder_nor_the_parent_of_one() {
    let place = tempfile::tempdir().expect("a folder");
    let file = place.path().join("f");
    fs::write(&file, "").expect("written");
    for path in [file.clone(), file.join("below")] {
        let text = DataFolder::at(&path).lock().expect_err("no folder").to_string();
        assert!(text.contains(&format!("{} is not a folder", file.display())), "{text}");
        assert!(!text.contains('\n'));
    }
}

#[test]
fn writing_replaces_the_whole_file_with_its_mode() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().join("x/secret");
    for content in ["a long first content", "short"] {
        write_durably(&path, content.as_bytes(), 0o600).expect("written");
        assert_eq!(fs::read_to_string(&path).expect("there"), content);
    }
    assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(place.path().join("x")).expect("there").count(), 1, "no draft stays");
}
