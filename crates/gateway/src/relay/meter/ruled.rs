//! Custom rules by which each message has a key of its own, since they look at its size.
//!
//! Before a message is decided on, its shares of the rules' budgets are put behind those that its session has anyway. What a
//! rule yields is nearly always what it yielded for a message before, whose shares are remembered: so the budgets of
//! everybody are asked, under their lock, only for a key that is new to the session.

use std::sync::Arc;

use tidegate_model::{
    custom_rule::{Circumstances, HeldRule, Judged, Rule},
    expression::Found,
    limit::Unit,
    meter::{Share, Shares},
    topic::Direction,
    usage::Tally,
};
use tidegate_wire::{MessageStart, Micros, Side};

use super::super::budgets::Budgets;

/// Keys whose shares a session remembers: small and large, of each side, of a few rules.
const REMEMBERED_MAX: usize = 8;
/// How long a session does not tell again that rules fail for its messages.
const SILENCE: Micros = Micros::from_secs(60);

/// See the module.
#[derive(Debug)]
pub(in crate::relay) struct Ruled {
    rules: Box<[(Arc<Rule>, Arc<Circumstances>)]>,
    budgets: Arc<Budgets>,
    remembered: Vec<Remembered>,
    /// The place in `remembered` that the next new key takes.
    next: usize,
    /// What is put behind the session's own shares now, by side: of each rule what it yields.
    chosen: [Box<[Option<Found>]>; 2],
    /// How many shares the session has of its own.
    fixed: Option<usize>,
    silent_until: Micros,
}

/// The shares of a key.
#[derive(Debug)]
struct Remembered {
    rule: usize,
    from: Side,
    found: Found,
    shares: Vec<Share>,
}

impl Ruled {
    /// Of a session that is held to these; `None` where each of them has one key for all messages.
    pub(in crate::relay) fn of(rules: &[HeldRule], budgets: &Arc<Budgets>) -> Option<Box<Self>> {
        let rules: Box<[_]> = rules
            .iter()
            .filter_map(|held| match &held.judged {
                Judged::EachMessage(circumstances) => {
                    Some((Arc::clone(&held.rule), Arc::clone(circumstances)))
                }
                Judged::Applies(..) | Judged::Failed(_) => None,
            })
            .collect();
        if rules.is_empty() {
            return None;
        }
        let chosen = [(), ()].map(|()| vec![None; rules.len()].into_boxed_slice());
        Some(Box::new(Self {
            rules,
            budgets: Arc::clone(budgets),
            remembered: Vec::new(),
            next: 0,
            chosen,
            fixed: None,
            silent_until: Micros::ZERO,
        }))
    }

    /// Whether one of them limits bytes.
    pub(super) fn count_bytes(&self) -> bool {
        let limits = |rule: &Rule| rule.policy.limits.iter().any(|limit| limit.unit == Unit::Bytes);
        self.rules.iter().any(|(rule, _)| limits(rule))
    }

    /// The budgets of which something may have been used.
    pub(super) fn tallies(&self) -> impl Iterator<Item = &Arc<Tally>> {
        self.remembered.iter().flat_map(|known| known.shares.iter().map(Share::tally))
    }

    /// Puts the shares of this message behind the session's own.
    pub(super) fn choose(&mut self, shares: &mut Shares, message: MessageStart, now: Micros) {
        let fixed = *self.fixed.get_or_insert(shares.len());
        let MessageStart { from, payload_bytes, .. } = message;
        let only = if from == Side::Client { Direction::Publish } else { Direction::Subscribe };
        let mut is_other = false;
        for place in 0..self.rules.len() {
            let (rule, circumstances) = &self.rules[place];
            let found =
                rule.judge(&circumstances.facts(Some(payload_bytes), Some(only))).unwrap_or_else(|failed| {
                    if now >= self.silent_until {
                        self.silent_until = now.plus(SILENCE);
                        self.budgets.rule_failed(rule, &failed);
                    }
                    None
                });
            let chosen = &mut self.chosen[from as usize][place];
            is_other |= *chosen != found;
            *chosen = found;
        }
        if is_other {
            let mut all = Vec::new();
            for place in 0..self.rules.len() {
                let found = self.chosen[from as usize][place].clone();
                all.extend(found.iter().flat_map(|found| self.shares_of(place, from, only, found)));
            }
            shares.put(fixed, only, all);
        }
    }

    fn shares_of(&mut self, rule: usize, from: Side, only: Direction, found: &Found) -> Vec<Share> {
        let is_it = |known: &Remembered| known.rule == rule && known.from == from && known.found == *found;
        if let Some(known) = self.remembered.iter().find(|known| is_it(known)) {
            return known.shares.clone();
        }
        let shares = self.budgets.shares_of_rule(&self.rules[rule].0, found, only);
        let new = Remembered { rule, from, found: found.clone(), shares: shares.clone() };
        if self.remembered.len() < REMEMBERED_MAX {
            self.remembered.push(new);
            return shares;
        }
        let forgotten = std::mem::replace(&mut self.remembered[self.next], new);
        self.next = (self.next + 1) % REMEMBERED_MAX;
        // What was used of it is told, though nobody will put it on a list any more.
        let mut used = Vec::new();
        forgotten.shares.iter().for_each(|share| share.tally().list(&mut used));
        self.budgets.used(&mut used);
        shares
    }
}
