//! What survives a new snapshot, what is forgotten, and how many sessions may be open at once.

use tidegate_model::{id::SubscriptionId, security::Way, snapshot::SnapshotParts};

use super::{
    super::meter::tests::{NOW, budgets, grant, per_minute, plan, refused_by, world},
    *,
};

impl Budgets {
    /// How many there are.
    pub(in crate::relay) fn count(&self) -> usize {
        self.parts.iter().map(|part| Self::locked(part).budgets.len()).sum()
    }
}

#[test]
fn budgets_of_what_exists_survive_a_snapshot_and_others_are_forgotten() {
    let budgets = budgets();
    let parts = world(per_minute(5), per_minute(9));
    budgets.meter(&grant(&parts)).passes(5, NOW);
    budgets.forget_absent(&Snapshot::new(parts.clone()));
    refused_by("Gold", 37, budgets.meter(&grant(&parts)).asks(NOW));
    assert_eq!(budgets.count(), 2);

    let mut unsubscribed = parts.clone();
    unsubscribed.subscriptions.clear();
    budgets.forget_absent(&Snapshot::new(unsubscribed));
    assert_eq!(budgets.count(), 1, "the application is still there");

    budgets.forget_absent(&Snapshot::new(SnapshotParts::default()));
    assert_eq!(budgets.count(), 0);
}

/// What this process holds in memory by itself, in bytes.
#[cfg(target_os = "linux")]
fn resident_bytes() -> u64 {
    let memory = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let line = memory.lines().find_map(|line| line.strip_prefix("Anonymous:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1_024
}

/// Each has let something pass and told of it. Without their sessions, whose shares are their own.
#[cfg(target_os = "linux")]
#[test]
fn the_budgets_of_a_hundred_thousand_subscriptions_take_200_bytes_each_at_most() {
    const SUBSCRIPTIONS: u32 = 100_000;
    let budgets = budgets();
    let parts = world(per_minute(5), None);
    let mut grant = grant(&parts);
    let mut one = |number: u32| {
        let mut random = [7; 10];
        random[6..].copy_from_slice(&number.to_be_bytes());
        grant.subscription = Some(SubscriptionId::new(NOW, random));
        budgets.meter(&grant).passes(1, NOW);
        budgets.tell(NOW)
    };
    // What comes with the first is not of each.
    (0..1_000).for_each(|number| drop(one(number)));
    let before = resident_bytes();
    (1_000..1_000 + SUBSCRIPTIONS).for_each(|number| drop(one(number)));
    let each = (resident_bytes() - before) / u64::from(SUBSCRIPTIONS);
    assert_eq!(budgets.count(), 1_000 + SUBSCRIPTIONS as usize);
    assert!((1..=200).contains(&each), "{each} bytes");
    // As it is reported.
    eprintln!("{each} bytes each");
}

#[test]
fn budgets_of_addresses_are_forgotten_when_there_are_many_but_for_those_in_use() {
    let budgets = budgets();
    let parts = world(None, None);
    let mut nobody = grant(&parts);
    let plan = plan("Unauthenticated", per_minute(1));
    (nobody.subscription, nobody.way, nobody.plan) = (None, Way::None, Some(Arc::new(plan)));
    let mut from = |number: u32| {
        nobody.address = number.to_be_bytes().into();
        budgets.meter(&nobody)
    };
    let mut stays = from(1);
    stays.passes(1, NOW);
    for number in 2..=u32::try_from(3 * PARTS * BUDGETS_SWEPT_FROM).unwrap() {
        drop(from(number));
        assert!(budgets.count() <= PARTS * BUDGETS_SWEPT_FROM);
    }
    let same = from(1);
    assert!(budgets.connect(&same, NOW).is_err(), "a second session of the address has no more");
    budgets.forget_absent(&Snapshot::new(parts));
    assert!(budgets.connect(&from(1), NOW).is_err(), "a change of something else gives nobody new messages");
    budgets.forget_absent(&Snapshot::new(SnapshotParts::default()));
    assert_eq!(budgets.count(), 0);
}

#[test]
fn a_new_subscription_in_the_place_of_an_old_one_has_its_own_budget() {
    let budgets = budgets();
    let mut parts = world(per_minute(5), None);
    budgets.meter(&grant(&parts)).passes(5, NOW);
    parts.subscriptions[0].id = SubscriptionId::new(NOW, [4; 10]);
    budgets.meter(&grant(&parts)).passes(5, NOW);
    budgets.forget_absent(&Snapshot::new(parts.clone()));
    assert_eq!(budgets.count(), 1);
    refused_by("Gold", 37, budgets.meter(&grant(&parts)).asks(NOW));
}

#[test]
fn so_many_sessions_are_open_at_once_and_a_place_is_free_when_one_is_over() {
    let budgets = budgets();
    let mut parts = world(None, None);
    (parts.plans[0].sessions_max, parts.application_policies[0].sessions_max) = (Some(2), Some(3));
    let open = |grant: &Grant| {
        let mut meter = budgets.meter(grant);
        budgets.seat(&mut meter, grant).map(|()| meter)
    };
    let grant_of = |parts: &SnapshotParts| grant(parts);
    let two = grant_of(&parts);
    let (first, second) = (open(&two).unwrap(), open(&two).unwrap());
    let full =
        || Full { plan: "Gold".to_owned(), level: Level::Subscription, sessions_max: 2, of: OfWhom::All };
    assert_eq!(open(&two).unwrap_err(), full());
    drop(first);
    let first = open(&two).unwrap();
    assert_eq!(open(&two).unwrap_err(), full());
    // With more in the plan, the application's policy is the next; who was refused has no place in either.
    parts.plans[0].sessions_max = Some(9);
    let nine = grant_of(&parts);
    let third = open(&nine).unwrap();
    assert_eq!(
        open(&nine).unwrap_err(),
        Full { plan: "Policy".to_owned(), level: Level::Application, sessions_max: 3, of: OfWhom::All }
    );
    drop(third);
    let third = open(&nine).unwrap();
    // Bounded only now, or by less: who is open stays, and counts.
    (parts.plans[0].sessions_max, parts.application_policies[0].sessions_max) = (Some(1), None);
    let one = grant_of(&parts);
    let held: Vec<_> = [first, second, third]
        .into_iter()
        .map(|before| {
            let now = budgets.meter_of_open(&one);
            drop(before);
            now
        })
        .collect();
    for over in held {
        assert!(open(&one).is_err());
        drop(over);
    }
    drop(open(&one).unwrap());
    budgets.forget_absent(&Snapshot::new(parts));
    assert!(budgets.parts.iter().all(|part| Budgets::locked(part).open.is_empty()));
}

#[test]
fn of_one_user_and_from_one_address_so_many_are_open_within_each_holder() {
    let budgets = budgets();
    let mut parts = world(None, None);
    let policy = &mut parts.plans[0];
    (policy.sessions_max, policy.sessions_per_user_max, policy.sessions_per_address_max) =
        (Some(4), Some(2), Some(3));
    let whole = grant(&parts);
    let who = |user: Option<u8>, address: [u8; 4]| {
        let mut grant = whole.clone();
        grant.marks.subject = user.map(|user| [user; 8].into());
        grant.address = address.into();
        grant
    };
    let open = |grant: &Grant| {
        let mut meter = budgets.meter(grant);
        budgets.seat(&mut meter, grant).map(|()| meter)
    };
    let full = |of, sessions_max| {
        let (plan, level) = ("Gold".to_owned(), Level::Subscription);
        Full { plan, level, sessions_max, of }
    };
    let (here, there) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    let ada = [open(&who(Some(1), here)).unwrap(), open(&who(Some(1), here)).unwrap()];
    assert_eq!(open(&who(Some(1), there)).unwrap_err(), full(OfWhom::User, 2));
    let application = open(&who(None, here)).unwrap();
    assert_eq!(open(&who(Some(2), here)).unwrap_err(), full(OfWhom::Address, 3));
    // Whoever was refused has no place among all, nor as a user.
    let bob = open(&who(Some(2), there)).unwrap();
    assert_eq!(open(&who(Some(3), there)).unwrap_err(), full(OfWhom::All, 4));
    drop(ada);
    let more = [open(&who(Some(2), there)).unwrap(), open(&who(None, there)).unwrap()];
    assert_eq!(open(&who(Some(2), here)).unwrap_err(), full(OfWhom::All, 4));
    drop((application, bob, more));
    budgets.forget_absent(&Snapshot::new(parts));
    assert!(budgets.parts.iter().all(|part| Budgets::locked(part).open.is_empty()));
}

#[test]
fn counts_of_users_who_are_gone_are_forgotten_while_others_come() {
    let budgets = budgets();
    let mut parts = world(None, None);
    parts.plans[0].sessions_per_user_max = Some(1);
    let whole = grant(&parts);
    let of = |user: u64| {
        let mut grant = whole.clone();
        grant.marks.subject = Some(user.to_be_bytes().into());
        let mut meter = budgets.meter(&grant);
        budgets.seat(&mut meter, &grant).map(|()| meter)
    };
    let stays = of(u64::MAX).unwrap();
    for user in 1..=3 * (PARTS * OPEN_SWEPT_FROM) as u64 {
        drop(of(user).unwrap());
    }
    let open: usize = budgets.parts.iter().map(|part| Budgets::locked(part).open.len()).sum();
    assert!(open <= PARTS * OPEN_SWEPT_FROM, "{open}");
    assert!(of(u64::MAX).is_err(), "who is there still is counted");
    drop(stays);
    assert!(of(u64::MAX).is_ok());
}
