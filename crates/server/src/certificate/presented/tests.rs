//! When files are read again.

use super::*;

fn stamp(inode: u64) -> Stamp {
    Stamp { device: 1, inode, len: 1, modified: (1, 0), changed: (1, 0) }
}

fn both(certificate: u64, key: u64) -> Stamps {
    [Some(stamp(certificate)), Some(stamp(key))]
}

#[test]
fn a_pair_is_read_once_it_is_still() {
    let first = both(1, 2);
    let mut looks = Looks { seen: first, read: first };
    assert!(!looks.at(first), "nothing has changed");
    assert!(!looks.at(both(3, 2)), "one of two");
    assert!(!looks.at([Some(stamp(3)), None]), "the other is away");
    let second = both(3, 4);
    assert!(!looks.at(second), "just written");
    assert!(looks.at(second), "and still");
    assert!(!looks.at(second), "it was read");
    let half = both(5, 4);
    assert!(!looks.at(half));
    assert!(looks.at(half), "one file alone is read as well, and told of if that is wrong");
    assert!(!looks.at(half), "once");
    assert!(!looks.at(second), "back again");
    assert!(looks.at(second));
}
