//! A fleet in simulation: gateways with clients that send as they like, a network that delays and loses, and a truth that
//! goes away, comes back empty, or comes back with what it knew some time ago.

use std::sync::Arc;

use async_channel::Receiver;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    id::BootId,
    limit::{Unit, Window},
    time::{MINUTE_MILLIS, Timestamp},
    topic::Direction,
};

/// How exact the simulation is, in microseconds.
const STEP: u64 = 500;
/// After that the driver gives an answer up.
const DEADLINE: u64 = 100_000;
/// A minute begins then.
const MINUTE: i64 = 28_333_334;

/// Reproducible randomness: xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound.max(1)
    }
}

/// A word on its way to the truth, or an answer on its way back.
enum Mail {
    Word(Told),
    Answer(u64, Heard),
}

struct Gateway {
    budget: Arc<Budget>,
    gauge: Gauge,
    asker: Asker,
    needy: Receiver<Arc<Budget>>,
    underway: Option<(Told, u64)>,
    passed: u64,
    awaited: u64,
}

struct Network {
    /// The longest delay of one way, in microseconds.
    delay: u64,
    /// One of so many is lost; 0: none.
    loses_one_of: u64,
}

struct Fleeting {
    gateways: Vec<Gateway>,
    ledger: Ledger,
    is_down: bool,
    mail: Vec<(u64, usize, Mail)>,
    network: Network,
    dice: Dice,
    micros: u64,
    limit: Limit,
}

impl Fleeting {
    fn new(gateways: u128, limit: Limit, when_alone: WhenAlone, network: Network, seed: u64) -> Self {
        let gateway = |number: u128| {
            let (fleet, needy) = Fleet::new(when_alone);
            let budget = Budget::default().shared("plan".into(), limit.shape(), &fleet);
            budget.lease().unwrap().hold_to(limit);
            Gateway {
                budget,
                gauge: limit.into(),
                asker: Asker::new(BootId(Uuid::from_u128(number + 1)), fleet),
                needy,
                underway: None,
                passed: 0,
                awaited: 0,
            }
        };
        Self {
            gateways: (0..gateways).map(gateway).collect(),
            ledger: Ledger::default(),
            is_down: false,
            mail: Vec::new(),
            network,
            dice: Dice(seed | 1),
            micros: 0,
            limit,
        }
    }

    /// A fleet that has been together for a while, at the beginning of a minute.
    fn together(gateways: u128, limit: Limit, when_alone: WhenAlone, network: Network, seed: u64) -> Self {
        let mut fleet = Self::new(gateways, limit, when_alone, network, seed);
        fleet.run_for(4_000, |_, _| 0);
        assert!(fleet.gateways.iter().all(|gateway| gateway.asker.company().is_together));
        fleet
    }

    fn post(&mut self, gateway: usize, mail: Mail) {
        let is_lost = self.network.loses_one_of > 0 && self.dice.below(self.network.loses_one_of) == 0;
        if !is_lost {
            self.mail.push((self.micros + 100 + self.dice.below(self.network.delay), gateway, mail));
        }
    }

    /// Lets time pass; `sends` says how many messages clients of a gateway send in a step.
    fn run_for(&mut self, millis: u64, mut sends: impl FnMut(usize, &mut Dice) -> u64) {
        let end = self.micros + millis * 1_000;
        while self.micros < end {
            self.micros += STEP;
            let now = at(self.micros);
            for number in 0..self.gateways.len() {
                let messages = sends(number, &mut self.dice);
                let gateway = &mut self.gateways[number];
                for _ in 0..messages {
                    match gateway.budget.take(&gateway.gauge, 1, now) {
                        Ok(()) => gateway.passed += 1,
                        Err(refused) => gateway.awaited += u64::from(refused.scarcity == Scarcity::Awaited),
                    }
                }
                self.drive(number, now);
            }
            self.deliver();
        }
    }

    /// What the gateway's task does.
    fn drive(&mut self, number: usize, now: Moment) {
        let gateway = &mut self.gateways[number];
        while let Ok(budget) = gateway.needy.try_recv() {
            gateway.asker.need(&budget, now);
        }
        if let Some((told, until)) = gateway.underway.take() {
            if now.micros < until {
                gateway.underway = Some((told, until));
                return;
            }
            gateway.asker.hear(&told, None, now, Vec::new);
        }
        if let Some(told) = gateway.asker.say(now) {
            gateway.underway = Some((told.clone(), now.micros + DEADLINE));
            self.post(number, Mail::Word(told));
        }
    }

    fn deliver(&mut self) {
        let now = self.micros;
        let (due, later) = std::mem::take(&mut self.mail).into_iter().partition(|(at, _, _)| *at <= now);
        self.mail = later;
        for (_, number, mail) in due {
            match mail {
                Mail::Word(told) if !self.is_down => {
                    let heard = self.ledger.hear(&told, 1_000_000_000_000 + now);
                    self.post(number, Mail::Answer(told.number, heard));
                }
                Mail::Word(_) => {}
                Mail::Answer(of, heard) => {
                    let gateway = &mut self.gateways[number];
                    if let Some((told, _)) = gateway.underway.take_if(|(told, _)| told.number == of) {
                        let budget = Arc::clone(&gateway.budget);
                        gateway.asker.hear(&told, Some(&heard), at(now), || vec![budget]);
                    }
                }
            }
        }
    }

    fn passed(&self) -> u64 {
        self.gateways.iter().map(|gateway| gateway.passed).sum()
    }

    /// Everybody ends in order; answers what the truth still knows to be held in this window.
    fn end(&mut self) -> u64 {
        let now = at(self.micros);
        for gateway in &mut self.gateways {
            for told in gateway.asker.say_goodbye(now) {
                self.ledger.hear(&told, 1_000_000_000_000 + now.micros);
            }
        }
        let window = match self.limit.counting {
            Counting::Calendar => self.limit.per.number(now.wall),
            Counting::Sliding { .. } => 0,
        };
        self.ledger.held("plan", window)
    }
}

/// Both clocks, so many microseconds after the minute began.
fn at(micros: u64) -> Moment {
    let millis = i64::try_from(micros / 1_000).unwrap();
    Moment { wall: Timestamp(MINUTE * MINUTE_MILLIS + millis), micros: micros + 1 }
}

const fn per_minute(amount: u64) -> Limit {
    Limit::messages(amount, Window::Minute)
}

const fn sliding(amount: u64, burst: u64) -> Limit {
    Limit { counting: Counting::Sliding { burst }, ..Limit::messages(amount, Window::Minute) }
}

const QUICK: Network = Network { delay: 1_000, loses_one_of: 0 };

#[test]
fn a_fleet_that_hears_each_other_uses_a_budget_exactly_once() {
    for (gateways, amount) in [(1, 10_000), (2, 10), (2, 100), (3, 10_000), (5, 1_000), (8, 3)] {
        let mut fleet = Fleeting::together(gateways, per_minute(amount), WhenAlone::Share, QUICK, amount);
        fleet.run_for(4_000, |_, _| 8);
        assert!(fleet.passed() >= amount, "{gateways} gateways: {} of {amount}", fleet.passed());
        let beyond = fleet.passed() - amount;
        assert!(beyond <= amount / CREDIT_PARTS, "{gateways} gateways: {beyond} beyond {amount}");
        assert_eq!(fleet.end(), fleet.passed(), "everything that was not used is given back");
    }
}

#[test]
fn what_an_idle_gateway_does_not_use_is_there_for_the_others() {
    let mut fleet = Fleeting::together(3, per_minute(10_000), WhenAlone::Share, QUICK, 7);
    // One is busy for a second, then rests; another begins later.
    fleet.run_for(1_000, |number, _| u64::from(number == 0));
    let first = fleet.passed();
    assert_eq!(first, 2_000, "no message waits while there is enough");
    fleet.run_for(1_500, |_, _| 0);
    fleet.run_for(10_000, |number, _| 5 * u64::from(number == 1));
    assert!((10_000..=10_000 + 10_000 / CREDIT_PARTS).contains(&fleet.passed()), "{}", fleet.passed());
}

#[test]
fn the_last_messages_pass_at_whichever_gateway_they_come_to() {
    let mut fleet = Fleeting::together(3, per_minute(20), WhenAlone::Share, QUICK, 41);
    // Some at each, one after the other and well apart, as people do.
    for turn in 0..20 {
        let (before, gateway) = (fleet.passed(), turn % 3);
        let mut waits = true;
        fleet.run_for(100, |number, _| u64::from(number == gateway && std::mem::take(&mut waits)));
        for _ in 0..450 {
            if fleet.passed() == before {
                let mut waits = true;
                fleet.run_for(1, |number, _| u64::from(number == gateway && std::mem::take(&mut waits)));
            }
        }
        assert_eq!(fleet.passed(), before + 1, "message {turn} waits for less than half a second");
    }
    fleet.run_for(2_000, |_, _| 1);
    assert_eq!(fleet.passed(), 20);
    let gateway = &fleet.gateways[1];
    let refused = gateway.budget.take(&gateway.gauge, 1, at(fleet.micros)).unwrap_err();
    assert_eq!(refused.scarcity, Scarcity::Used);
}

#[test]
fn nobody_waits_for_an_answer_while_there_is_enough() {
    // A fleet in which each sends 1,000 a second of a limit that allows it, over the edges of minutes.
    let mut fleet = Fleeting::together(3, per_minute(400_000), WhenAlone::Share, QUICK, 11);
    fleet.run_for(130_000, |_, dice| dice.below(2));
    let awaited: u64 = fleet.gateways.iter().map(|gateway| gateway.awaited).sum();
    assert_eq!(awaited, 0);
}

#[test]
fn the_next_window_begins_with_a_slice_that_was_asked_for_before() {
    let limit = Limit::messages(30, Window::Second);
    let mut fleet = Fleeting::together(2, limit, WhenAlone::Share, QUICK, 13);
    fleet.run_for(9_999, |_, _| 1);
    assert_eq!(fleet.passed(), 300, "thirty in each of ten seconds");
}

#[test]
fn a_limit_of_zero_passes_nothing_and_asks_for_nothing() {
    let mut fleet = Fleeting::together(2, per_minute(0), WhenAlone::Share, QUICK, 17);
    fleet.run_for(1_000, |_, _| 1);
    assert_eq!((fleet.passed(), fleet.end()), (0, 0));
}

#[test]
fn what_slides_keeps_its_rate_over_all_gateways() {
    for (gateways, burst) in [(1, 50), (3, 50), (3, 1), (4, 600)] {
        let mut fleet = Fleeting::together(gateways, sliding(6_000, burst), WhenAlone::Share, QUICK, burst);
        fleet.run_for(20_000, |_, _| 3);
        // A hundred a second, and the burst once. What is held unused of a burst comes in time, or is given back.
        let due = 2_000 + burst;
        // Where nothing may come at once, what is not used at once is lost: the time of an answer for each message.
        let lost = if burst == 1 && gateways > 1 { due / 5 } else { due / 20 };
        let least = due - lost - 2 * u64::try_from(gateways).unwrap();
        let most = due + burst / CREDIT_PARTS + 2 * u64::try_from(gateways).unwrap();
        assert!((least..=most).contains(&fleet.passed()), "{gateways}, {burst}: {} of {due}", fleet.passed());
    }
}

#[test]
fn alone_each_goes_on_with_its_part_and_counts_what_it_had_used() {
    let mut fleet = Fleeting::together(4, per_minute(10_000), WhenAlone::Share, QUICK, 19);
    fleet.run_for(1_000, |number, dice| u64::from(dice.below(2 + number as u64) == 0));
    fleet.is_down = true;
    fleet.run_for(5_000, |_, _| 5);
    let passed = fleet.passed();
    assert!((9_000..=10_000).contains(&passed), "everybody goes on, and nothing is used twice: {passed}");
    // And of the next minute, a part each.
    fleet.run_for(60_000, |_, _| 0);
    let before = fleet.passed();
    fleet.run_for(2_000, |number, _| 5 * u64::from(number == 0));
    assert_eq!(fleet.passed() - before, 2_500);
}

#[test]
fn alone_a_closed_fleet_passes_what_was_granted_and_says_why_it_stops() {
    let mut fleet = Fleeting::together(2, per_minute(1_000), WhenAlone::Closed, QUICK, 23);
    fleet.run_for(500, |_, dice| u64::from(dice.below(10) == 0));
    fleet.is_down = true;
    fleet.run_for(3_000, |_, _| 5);
    let granted = fleet.ledger.held("plan", Window::Minute.number(at(fleet.micros).wall));
    assert!(fleet.passed() <= granted + 1_000 / CREDIT_PARTS, "{} of {granted}", fleet.passed());
    let gateway = &fleet.gateways[0];
    let refused = gateway.budget.take(&gateway.gauge, 1, at(fleet.micros)).unwrap_err();
    assert_eq!(refused, Exhausted { retry_after_millis: 10_000, scarcity: Scarcity::Alone });
    // Back again, the rest is used.
    fleet.is_down = false;
    fleet.run_for(5_000, |_, _| 5);
    assert!((1_000..=1_000 + 1_000 / CREDIT_PARTS).contains(&fleet.passed()), "{}", fleet.passed());
}

#[test]
fn a_truth_that_comes_back_empty_or_old_learns_what_was_used_before_it_grants() {
    for is_empty in [true, false] {
        let mut fleet = Fleeting::together(3, per_minute(10_000), WhenAlone::Closed, QUICK, 29);
        let old = fleet.ledger.clone();
        fleet.run_for(2_000, |number, _| u64::from(number == 0));
        // Whoever used the most rests, and says nothing but that it is there.
        fleet.run_for(2_000, |_, _| 0);
        fleet.ledger = if is_empty { Ledger::default() } else { old };
        fleet.run_for(10_000, |number, _| 5 * u64::from(number > 0));
        let most = 10_000 + 10_000 / CREDIT_PARTS;
        assert!((10_000..=most).contains(&fleet.passed()), "empty {is_empty}: {}", fleet.passed());
    }
}

#[test]
fn a_word_that_arrives_late_or_twice_changes_nothing() {
    let mut ledger = Ledger::default();
    let mut say = |number: u64, answered: u64, hold: u64, wish: u64, at: u64| {
        let terms = Terms::Calendar { amount: 100, keep_millis: 1 };
        let ask = Ask { name: "plan".into(), window: 5, hold, wish, used: hold, terms };
        let boot = BootId(Uuid::from_u128(1));
        ledger.hear(&Told { boot, number, answered, is_last: false, asks: vec![ask] }, at * 1_000)
    };
    assert!(say(1, 0, 0, 10, 10).is_settling);
    let granted = |heard: &Heard| heard.answers.iter().map(|answer| answer.granted).collect::<Vec<_>>();
    assert_eq!(granted(&say(2, 1, 0, 10, 5_000)), [10]);
    assert_eq!(granted(&say(4, 2, 10, 30, 5_001)), [30]);
    assert!(say(4, 2, 10, 30, 5_002).is_stale);
    assert!(say(3, 2, 0, 0, 5_003).is_stale, "it would have freed what is held");
    // Its answer was lost: it holds what it held, and is granted the same again.
    assert_eq!(granted(&say(5, 2, 10, 30, 5_004)), [30]);
}

#[test]
fn what_an_earlier_process_has_used_stays_used_and_is_not_told_twice() {
    let limit = per_minute(100);
    let (fleet, _needy) = Fleet::new(WhenAlone::Share);
    let earlier = Budget::default();
    for _ in 0..40 {
        earlier.take(&limit.into(), 1, at(0)).unwrap();
    }
    let budget = earlier.shared("plan".into(), limit.shape(), &fleet);
    budget.lease().unwrap().hold_to(limit);
    let mut asker = Asker::new(BootId(Uuid::from_u128(2)), Arc::clone(&fleet));
    let heard =
        |answers| Heard { gateways: 1, is_stale: false, has_lost: false, is_settling: false, answers };
    let hello = asker.say(at(1_000)).unwrap();
    asker.hear(&hello, Some(&heard(Vec::new())), at(1_000), Vec::new);
    asker.need(&budget, at(2_000));
    let told = asker.say(at(2_000)).unwrap();
    assert_eq!((told.asks[0].hold, told.asks[0].used), (0, 0), "{told:?}");
    let answer = Answer { granted: 7, left: 0, unused: 0, is_wanted: false, wait_millis: 0 };
    asker.hear(&told, Some(&heard(vec![answer])), at(2_000), Vec::new);
    let passed = (0..100).filter(|_| budget.take(&limit.into(), 1, at(3_000)).is_ok()).count();
    assert_eq!((passed, budget.reading(&limit.into(), at(3_000)).used), (7, 47));
}

#[test]
fn bytes_of_a_message_may_go_over_what_was_granted_and_are_told() {
    let limit = Limit { unit: Unit::Bytes, direction: Direction::Both, ..per_minute(10_000) };
    let mut fleet = Fleeting::together(2, limit, WhenAlone::Share, QUICK, 31);
    fleet.run_for(500, |number, _| u64::from(number == 0));
    let gateway = &fleet.gateways[0];
    gateway.budget.take(&gateway.gauge, 9_000, at(fleet.micros)).unwrap();
    fleet.run_for(5_000, |number, _| 2 * u64::from(number == 1));
    // The other had a slice before it was told, and no more.
    assert!((1_000..=1_000 + 10_000 / 32 + 50).contains(&fleet.passed()), "{}", fleet.passed());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever the network and the truth do: a fleet that is closed while alone never passes more than the limit and the
    /// credit. One that goes on never passes more than twice the limit once its gateways know of each other, and the limit
    /// for each gateway before.
    #[test]
    fn nothing_that_happens_outside_lets_more_pass_than_is_stated(
        seed in any::<u64>(),
        gateways in 1_u128..6,
        amount in 1_u64..5_000,
        delay in 100_u64..120_000,
        loses_one_of in prop_oneof![Just(0_u64), 2_u64..40],
        is_closed in any::<bool>(),
    ) {
        let when_alone = if is_closed { WhenAlone::Closed } else { WhenAlone::Share };
        let network = Network { delay, loses_one_of };
        let mut fleet = Fleeting::new(gateways, per_minute(amount), when_alone, network, seed);
        // Everybody has told that he is there before anybody sends: what a gateway does not know it cannot divide by.
        fleet.run_for(3_000, |_, _| 0);
        let mut old = fleet.ledger.clone();
        let is_known = fleet.gateways.iter().all(|gateway| u128::from(gateway.asker.company().gateways) == gateways);
        for _ in 0..9 {
            let speed = fleet.dice.below(4);
            let quiet = usize::try_from(fleet.dice.below(6)).unwrap();
            fleet.run_for(1_000, |number, dice| if number == quiet { 0 } else { dice.below(speed + 1) });
            match fleet.dice.below(6) {
                0 => fleet.is_down = !fleet.is_down,
                // What was lost can be told again only where words arrive within the time for it.
                1 if loses_one_of == 0 && delay < 20_000 => fleet.ledger = Ledger::default(),
                2 if loses_one_of == 0 && delay < 20_000 => fleet.ledger = old.clone(),
                3 => old = fleet.ledger.clone(),
                _ => {}
            }
        }
        let most = match (is_closed, is_known) {
            (true, _) => amount + amount / CREDIT_PARTS,
            (false, true) => 2 * amount,
            (false, false) => amount * u64::try_from(gateways).unwrap(),
        };
        prop_assert!(fleet.passed() <= most, "{} of {amount}", fleet.passed());
    }
}

#[test]
fn what_one_gateway_left_passes_at_another_at_once() {
    for delay in [200, 1_000, 5_000, 20_000] {
        for seed in 1..20 {
            let quick = Network { delay, loses_one_of: 0 };
            let mut fleet = Fleeting::together(2, per_minute(20), WhenAlone::Share, quick, seed);
            // At any time between two words of who holds nothing.
            fleet.run_for(50 * seed, |_, _| 0);
            for (gateway, messages) in [(0, 12), (1, 8)] {
                for message in 0..messages {
                    let before = fleet.passed();
                    for _ in 0..1_000 {
                        if fleet.passed() > before {
                            break;
                        }
                        let mut once = true;
                        fleet.run_for(1, |number, _| {
                            u64::from(number == gateway && std::mem::take(&mut once))
                        });
                        let (budget, now) = (&fleet.gateways[gateway].budget, at(fleet.micros));
                        let refused = budget.refuses(&fleet.gateways[gateway].gauge, now);
                        let is_refused = refused.is_some_and(|refused| refused.scarcity == Scarcity::Used);
                        assert!(
                            !is_refused || fleet.passed() > before,
                            "{message} at {gateway}, delay {delay}, seed {seed}: {:?}",
                            fleet.gateways[gateway].budget
                        );
                    }
                    assert!(fleet.passed() > before);
                }
            }
        }
    }
}
