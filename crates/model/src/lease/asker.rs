//! What one gateway says to the truth and when: a beat for all slices that are held, and at once for what runs low.
//!
//! One word is under way at a time. Who drives it carries words, keeps time, and decides nothing.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use super::{
    Ask, Fleet, Heard, Told,
    holding::{BEAT_MICROS, Holding},
};
use crate::{
    id::BootId,
    throttle::{Budget, Moment},
};

/// Budgets that one word speaks of at most: the truth answers so many within a millisecond or two, and nobody else meanwhile.
pub const WORD_BUDGETS_MAX: usize = 256;
/// Without slices a gateway still says so often that it is there, in microseconds. It bounds for how long a loss of
/// the truth can stay unseen.
const PRESENCE_MICROS: u64 = 1_000_000;
/// A gateway that got no answer tries so often, in microseconds.
const PROBE_MICROS: u64 = 500_000;

/// With whom a gateway shares budgets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Company {
    /// Whether budgets are shared now.
    pub is_together: bool,
    /// Whether it hears the truth, which waits until every gateway has told what it holds.
    pub is_settling: bool,
    /// How many gateways there were last, this one included.
    pub gateways: u32,
}

/// One gateway's side of all its leases.
#[derive(Debug)]
pub struct Asker {
    boot: BootId,
    fleet: Arc<Fleet>,
    number: u64,
    answered: u64,
    held: HashMap<Arc<str>, Slice>,
    /// Whose turn comes with the next words.
    waiting: VecDeque<Arc<str>>,
    /// The microsecond of the next beat.
    beat_at: u64,
    company: Company,
}

#[derive(Debug)]
struct Slice {
    budget: Arc<Budget>,
    holding: Holding,
    /// Why it is among those that wait for their turn, if it is.
    waits_for: Option<Turn>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Need,
    Beat,
}

impl Asker {
    /// A gateway that has not said anything yet, and does so at once.
    pub fn new(boot: BootId, fleet: Arc<Fleet>) -> Self {
        Self {
            boot,
            fleet,
            number: 0,
            answered: 0,
            held: HashMap::new(),
            waiting: VecDeque::new(),
            beat_at: 0,
            company: Company { gateways: 1, ..Company::default() },
        }
    }

    /// With whom it shares budgets now.
    pub const fn company(&self) -> Company {
        self.company
    }

    /// The microsecond at which there is something to say, whatever budgets need.
    pub fn due_at(&self) -> u64 {
        if self.waiting.is_empty() { self.beat_at } else { 0 }
    }

    /// A budget runs low.
    pub fn need(&mut self, budget: &Arc<Budget>, now: Moment) {
        let is_together = self.company.is_together;
        if is_together {
            // The beat was slow while nothing was held.
            self.beat_at = self.beat_at.min(now.micros.saturating_add(BEAT_MICROS));
        } else {
            Holding::hear_nothing(budget, now);
        }
        let Some(slice) = self.slice(budget, Holding::default) else { return };
        if is_together && slice.waits_for.is_none() {
            slice.waits_for = Some(Turn::Need);
            let name = budget.lease().map(|lease| Arc::clone(lease.name()));
            self.waiting.extend(name);
        }
    }

    fn slice(&mut self, budget: &Arc<Budget>, holding: fn() -> Holding) -> Option<&mut Slice> {
        let name = Arc::clone(budget.lease()?.name());
        let new = || Slice { budget: Arc::clone(budget), holding: holding(), waits_for: None };
        Some(self.held.entry(name).or_insert_with(new))
    }

    /// What is to be said now, if anything is. Asked only while no word is under way: what is held is what was answered.
    pub fn say(&mut self, now: Moment) -> Option<Told> {
        if now.micros >= self.beat_at {
            self.beat(now);
        } else if self.waiting.is_empty() {
            return None;
        }
        let mut asks = Vec::new();
        while asks.len() < WORD_BUDGETS_MAX
            && let Some(name) = self.waiting.pop_front()
        {
            let Some(slice) = self.held.get_mut(&name) else { continue };
            let is_beat = slice.waits_for.take() == Some(Turn::Beat);
            if !slice.holding.ask(&slice.budget, now, is_beat, &mut asks) {
                self.held.remove(&name);
            }
        }
        Some(self.word(asks, false))
    }

    fn word(&mut self, asks: Vec<Ask>, is_last: bool) -> Told {
        self.number += 1;
        Told { boot: self.boot, number: self.number, answered: self.answered, is_last, asks }
    }

    fn beat(&mut self, now: Moment) {
        if self.company.is_together || self.company.is_settling {
            for (name, slice) in &mut self.held {
                if slice.waits_for.replace(Turn::Beat).is_none() {
                    self.waiting.push_back(Arc::clone(name));
                }
            }
        }
        let pause = match self.company {
            Company { is_together: false, is_settling: false, .. } => PROBE_MICROS,
            _ if self.held.is_empty() => PRESENCE_MICROS,
            _ => BEAT_MICROS,
        };
        self.beat_at = now.micros.saturating_add(pause);
    }

    /// Takes the answer to a word, or that there was none in time. `all` are the gateway's budgets.
    pub fn hear(
        &mut self,
        told: &Told,
        heard: Option<&Heard>,
        now: Moment,
        all: impl FnOnce() -> Vec<Arc<Budget>>,
    ) {
        let Some(heard) = heard.filter(|heard| !heard.is_stale) else { return self.hear_nothing(told, now) };
        self.answered = told.number;
        let was_away = !self.company.is_together && !self.company.is_settling;
        // While gateways tell again that they are there, not all of them have done so.
        let gateways =
            if heard.is_settling { self.company.gateways.max(heard.gateways) } else { heard.gateways };
        self.company = Company { is_together: !heard.is_settling, is_settling: heard.is_settling, gateways };
        if heard.is_settling {
            self.fleet.be_alone(Some(gateways));
        } else {
            self.fleet.be_together(gateways);
        }
        for (ask, answer) in told.asks.iter().zip(&heard.answers) {
            if let Some(slice) = self.held.get_mut(&ask.name) {
                slice.holding.hear(&slice.budget, ask, *answer, now);
            }
        }
        if heard.has_lost || was_away {
            for budget in if heard.has_lost { all() } else { Vec::new() } {
                self.slice(&budget, Holding::at_rest);
            }
            self.held.values_mut().for_each(|slice| slice.holding.tell_again());
            self.beat_at = 0;
        }
    }

    fn hear_nothing(&mut self, told: &Told, now: Moment) {
        (self.company.is_together, self.company.is_settling) = (false, false);
        self.fleet.be_alone(None);
        let asked = told.asks.iter().map(|ask| &ask.name);
        for name in asked.chain(&self.waiting) {
            if let Some(slice) = self.held.get_mut(name) {
                slice.waits_for = None;
                Holding::hear_nothing(&slice.budget, now);
            }
        }
        self.waiting.clear();
        self.beat_at = now.micros.saturating_add(PROBE_MICROS);
    }

    /// The last words, once nobody uses a budget any more: everything that was not used is given back.
    pub fn say_goodbye(&mut self, now: Moment) -> Vec<Told> {
        let mut asks: Vec<Ask> =
            self.held.values_mut().filter_map(|slice| slice.holding.end(&slice.budget, now)).collect();
        let mut words = Vec::new();
        while asks.len() > WORD_BUDGETS_MAX {
            let rest = asks.split_off(WORD_BUDGETS_MAX);
            words.push(self.word(std::mem::replace(&mut asks, rest), false));
        }
        words.push(self.word(asks, true));
        words
    }
}
