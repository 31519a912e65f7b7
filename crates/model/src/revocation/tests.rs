//! Whom a revocation hits, and what is forgotten when.

use super::*;

fn mark(number: u8) -> Mark {
    Mark::from([number; 8])
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(second)
}

/// A token of everything that can be revoked, issued at second 100.
fn marks() -> Marks {
    Marks { credential: Some(mark(1)), grant: Some(mark(2)), subject: Some(mark(3)), issued_at: at(100) }
}

fn of<'c>(client_id: &'c str, marks: &'c Marks) -> Revocable<'c> {
    Revocable { client_id: Some(client_id), marks, source: None }
}

fn revoked(what: Revoked, second: i64) -> Revocations {
    Revocations::from_iter([Revocation { number: 1, what, at: at(second), until: at(10_000) }])
}

#[test]
fn each_kind_hits_what_it_names_and_nothing_else() {
    let client = Revoked::Client("client".into());
    let all = [Revoked::Credential(mark(1)), Revoked::Grant(mark(2)), Revoked::Subject(mark(3)), client];
    for (place, what) in all.into_iter().enumerate() {
        let revocations = revoked(what.clone(), 200);
        assert!(revocations.hit(&of("client", &marks())), "{what:?}");
        // The same mark elsewhere says nothing.
        let named = u8::try_from(place + 1).unwrap();
        let elsewhere = |own: u8| Some(mark(if own == named { 7 } else { named }));
        let [credential, grant, subject] = [1, 2, 3].map(elsewhere);
        let foreign = Marks { credential, grant, subject, issued_at: at(100) };
        assert!(!revocations.hit(&of("other", &foreign)), "{what:?}");
        assert!(!revocations.hit(&of("other", &Marks::default())), "{what:?}");
    }
}

#[test]
fn what_is_issued_later_is_not_hit_with_its_client_or_subject() {
    for what in [Revoked::Client("client".into()), Revoked::Subject(mark(3))] {
        assert!(
            revoked(what.clone(), 100).hit(&of("client", &marks())),
            "{what:?}: issued in the same second"
        );
        assert!(!revoked(what.clone(), 99).hit(&of("client", &marks())), "{what:?}: issued a second later");
    }
    for what in [Revoked::Credential(mark(1)), Revoked::Grant(mark(2))] {
        assert!(revoked(what.clone(), 99).hit(&of("client", &marks())), "{what:?} does not ask when");
    }
}

#[test]
fn the_later_of_two_revocations_counts_in_any_order() {
    for seconds in [[50, 150], [150, 50]] {
        let two = (1..).zip(seconds).map(|(number, second)| Revocation {
            number,
            what: Revoked::Client("client".into()),
            at: at(second),
            until: at(10_000),
        });
        assert!(two.collect::<Revocations>().hit(&of("client", &marks())), "{seconds:?}");
    }
}

#[test]
fn what_is_new_is_told_in_order() {
    let one = |number| Revocation { number, what: Revoked::Grant(mark(9)), at: at(1), until: at(2) };
    let all = [3, 1, 7].map(one).into_iter().collect::<Revocations>();
    let since = |number| all.since(number).map(|it| it.number).collect::<Vec<_>>();
    assert_eq!((since(0), since(1), since(3), since(7)), (vec![1, 3, 7], vec![3, 7], vec![7], vec![]));
    assert_eq!((all.number(), all.since(u64::MAX).count()), (7, 0));
}

#[test]
fn what_nothing_needs_any_more_is_forgotten_and_the_rest_is_not() {
    let mut all = Revocations::default();
    let hash = |number: u64| Mark::from(number.to_be_bytes());
    for number in 1..=4_000 {
        let until = at(if number % 4 == 0 { 1_000 } else { 10 });
        all.add(Revocation { number, what: Revoked::Credential(hash(number)), at: at(1), until });
    }
    all.tidy(at(10));
    assert_eq!((all.all.len(), all.marks.len(), all.number()), (1_000, 1_000, 4_000));
    let hit = |all: &Revocations, number| {
        let marks = Marks { credential: Some(hash(number)), ..marks() };
        all.hit(&Revocable { client_id: None, marks: &marks, source: None })
    };
    assert!(hit(&all, 8) && !hit(&all, 9));
    // The number outlives what had it: nothing is told twice.
    all.tidy_at = 0;
    all.tidy(at(10_000));
    all.tidy(at(10_000));
    assert_eq!((all.number(), all.since(0).count()), (4_000, 1_000), "few are never worth sweeping");
}

#[test]
fn what_is_stored_is_read_back() {
    let all = [
        Revoked::Credential(mark(1)),
        Revoked::Grant(Mark::from([0; 8])),
        Revoked::Subject(mark(255)),
        Revoked::Client("a client".into()),
    ];
    for what in all {
        assert_eq!(Revoked::parse(what.word(), &what.name()), Ok(what));
    }
    for (word, name) in [
        ("credential", ""),
        ("grant", "0000000000000000"),
        ("subject", "00000000000000001"),
        ("grant", "+000000000000001"),
        ("credential", "00000000000000AB"),
        ("other", "0000000000000001"),
    ] {
        assert_eq!(Revoked::parse(word, name), Err(NoMark), "{word} {name}");
    }
}

#[test]
fn a_session_remembers_little_of_its_credential() {
    assert_eq!(size_of::<Marks>(), 32);
}

#[test]
fn what_was_exchanged_ends_with_what_it_came_of() {
    let source = |key_manager| Source {
        client_id: "first".to_owned(),
        key_manager,
        credential: mark(8),
        subject: mark(3),
        signed_with: None,
    };
    let hit = |what: Revoked, source: &Source| {
        let marks = marks();
        revoked(what, 200).hit(&Revocable { source: Some(source), ..of("client", &marks) })
    };
    let ours = source(None);
    for what in [
        Revoked::Credential(mark(8)),
        Revoked::Grant(mark(2)),
        Revoked::Subject(mark(3)),
        Revoked::Client("first".into()),
        // By itself as well.
        Revoked::Credential(mark(1)),
        Revoked::Client("client".into()),
    ] {
        assert!(hit(what.clone(), &ours), "{what:?}");
    }
    assert!(!hit(Revoked::Credential(mark(9)), &ours) && !hit(Revoked::Client("other".into()), &ours));
    // What another issuer calls a client may be what we call another.
    let theirs = source(Some(crate::id::KeyManagerId::new(at(0), [1; 10])));
    assert!(!hit(Revoked::Client("first".into()), &theirs) && hit(Revoked::Credential(mark(8)), &theirs));
}
