//! The heaps against the obvious: a list of sessions that is searched each time.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const PLACES: usize = 4;

/// A session as a worker and as the model see it.
#[derive(Debug, Clone, Copy)]
struct Session {
    number: u64,
    armed: Micros,
    expires_at: Timestamp,
}

/// What a worker does to its timers.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// A session opens at a place (a former one there has gone), and expires so much later.
    Open { place: usize, expires_in: u16 },
    /// A session asks to be woken so much later.
    Ask { place: usize, delay: u16 },
    /// A session is gone.
    Close { place: usize },
    /// So much time passes, and everything that is due fires.
    Pass { millis: u16 },
}

fn act() -> impl Strategy<Value = Act> {
    let place = || 0..PLACES;
    prop_oneof![
        2 => (place(), 0..200_u16).prop_map(|(place, expires_in)| Act::Open { place, expires_in }),
        6 => (place(), 0..50_u16).prop_map(|(place, delay)| Act::Ask { place, delay }),
        1 => place().prop_map(|place| Act::Close { place }),
        3 => (0..60_u16).prop_map(|millis| Act::Pass { millis }),
    ]
}

/// A worker's use of its timers.
#[derive(Default)]
struct Bench {
    timers: Timers,
    sessions: BTreeMap<usize, Session>,
    next_number: u64,
    millis: u64,
}

/// What happened, as the heaps and as the list say it.
type Fired = (Vec<(Micros, usize)>, Vec<(usize, u64)>);

impl Bench {
    fn now(&self) -> Micros {
        Micros::from_millis(self.millis)
    }

    fn wall(&self) -> Timestamp {
        Timestamp(1_000_000).plus_millis(i64::try_from(self.millis).unwrap())
    }

    fn open(&mut self, place: usize, expires_in: u16) {
        let expires_at = self.wall().plus_millis(expires_in.into());
        self.next_number += 1;
        self.timers.expire(expires_at, place, self.next_number);
        let session = Session { number: self.next_number, armed: Micros::MAX, expires_at };
        self.sessions.insert(place, session);
    }

    /// As `Worker::serve`: only what is sooner than the standing timer is armed.
    fn ask(&mut self, place: usize, delay: u16) {
        let at = self.now().plus(Micros::from_millis(delay.into()));
        if let Some(session) = self.sessions.get_mut(&place)
            && at < session.armed
        {
            session.armed = at;
            self.timers.arm(at, place);
        }
    }

    /// What the list says is due; it does not change anything.
    fn obvious(&self) -> Fired {
        let (now, wall) = (self.now(), self.wall());
        let due = self.sessions.iter().filter(|(_, session)| session.armed <= now);
        let mut due: Vec<_> = due.map(|(place, session)| (session.armed, *place)).collect();
        due.sort_unstable();
        let expired = self.sessions.iter().filter(|(_, session)| session.expires_at <= wall);
        let mut expired: Vec<_> =
            expired.map(|(place, session)| (session.expires_at, *place, session.number)).collect();
        expired.sort_unstable();
        (due, expired.into_iter().map(|(_, place, number)| (place, number)).collect())
    }

    /// As `Worker::fire_timers`.
    fn fire(&mut self) -> Fired {
        let (now, wall) = (self.now(), self.wall());
        let (mut due, mut expired) = (Vec::new(), Vec::new());
        while let Some((at, place)) = self.timers.due(now) {
            if let Some(session) = self.sessions.get_mut(&place).filter(|session| session.armed == at) {
                session.armed = Micros::MAX;
                due.push((at, place));
            }
        }
        while let Some((place, number)) = self.timers.expired(wall) {
            if self.sessions.get(&place).is_some_and(|session| session.number == number) {
                self.sessions.remove(&place);
                expired.push((place, number));
            }
        }
        let sessions = &self.sessions;
        self.timers.tidy(
            sessions.len(),
            |at, place| sessions.get(&place).is_some_and(|session| session.armed == at),
            |_, place, number| sessions.get(&place).is_some_and(|session| session.number == number),
        );
        (due, expired)
    }
}

proptest! {
    #[test]
    fn what_is_due_fires_once_and_nothing_else_does(acts in proptest::collection::vec(act(), 1..200)) {
        let mut bench = Bench::default();
        for act in acts {
            match act {
                Act::Open { place, expires_in } => bench.open(place, expires_in),
                Act::Ask { place, delay } => bench.ask(place, delay),
                Act::Close { place } => drop(bench.sessions.remove(&place)),
                Act::Pass { millis } => {
                    bench.millis += u64::from(millis);
                    let obvious = bench.obvious();
                    prop_assert_eq!(bench.fire(), obvious);
                }
            }
            // Nobody sleeps past what stands for something.
            let (now, wall) = (bench.now(), bench.wall());
            let soonest = bench.sessions.values().map(|session| {
                let left = u64::try_from(session.expires_at.millis() - wall.millis()).unwrap_or(0);
                session.armed.min(now.plus(Micros::from_millis(left)))
            });
            if let Some(soonest) = soonest.min() {
                prop_assert!(bench.timers.next(now, wall).is_some_and(|next| next <= soonest));
            }
        }
    }
}

#[test]
fn nothing_is_due_where_nothing_is_armed() {
    let mut timers = Timers::default();
    assert_eq!(timers.next(Micros::ZERO, Timestamp(0)), None);
    assert_eq!(timers.due(Micros::MAX), None);
    assert_eq!(timers.expired(Timestamp(i64::MAX)), None);
}

#[test]
fn an_expiry_that_has_passed_is_due_now() {
    let mut timers = Timers::default();
    timers.expire(Timestamp(500), 0, 1);
    let now = Micros::from_secs(9);
    assert_eq!(timers.next(now, Timestamp(100)), Some(now.plus(Micros::from_millis(400))));
    assert_eq!(timers.next(now, Timestamp(700)), Some(now));
    assert_eq!(timers.expired(Timestamp(499)), None);
    assert_eq!(timers.expired(Timestamp(500)), Some((0, 1)));
    assert_eq!(timers.expired(Timestamp(500)), None);
}

#[test]
fn the_dead_are_swept_out_before_they_outnumber_the_living_by_much() {
    let mut bench = Bench::default();
    for round in 0..50_u16 {
        for place in 0..PLACES {
            bench.open(place, u16::MAX);
            for sooner in (0..100).rev() {
                bench.ask(place, 1_000 + sooner);
            }
        }
        bench.fire();
        let bound = TIDY_FROM + 4 * PLACES;
        let (deadlines, expiries) = (bench.timers.deadlines.len(), bench.timers.expiries.len());
        assert!(deadlines <= bound && expiries <= bound, "{deadlines} and {expiries} in round {round}");
    }
    // The living are still there.
    bench.millis += 1_000;
    let obvious = bench.obvious();
    assert_eq!(obvious.0.len(), PLACES);
    assert_eq!(bench.fire(), obvious);
}
