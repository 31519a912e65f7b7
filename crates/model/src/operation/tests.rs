//! The table is deny by default and names nothing twice.

use super::*;

#[test]
fn what_is_not_in_the_table_nobody_may_call() {
    assert_eq!(who("dropEverything"), None);
    assert_eq!(who(""), None);
    assert_eq!(who("signin"), None);
    assert_eq!(who("signIn"), Some(Who::Everyone));
}

#[test]
fn an_operation_has_one_rule() {
    let ids: BTreeSet<_> = TABLE.iter().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), TABLE.len());
}

#[test]
fn one_of_several_permissions_is_enough_and_the_first_is_the_one_to_ask_for() {
    let held = |permissions: &[Permission]| permissions.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!(EITHER.lacks(&held(&[Permission::ApiPublish])), None);
    assert_eq!(EITHER.lacks(&held(&[Permission::ApiCreate])), None);
    assert_eq!(EITHER.lacks(&held(&[Permission::ApiView])), Some(Permission::ApiCreate));
    assert_eq!(Who::SignedIn.lacks(&held(&[])), None);
}
