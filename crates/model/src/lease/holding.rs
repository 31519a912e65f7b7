//! What one gateway does with its slice of one budget: how much it asks for, and when it gives back.

use super::{AWAIT_MICROS, Answer, Ask, Lease, Standing, Terms};
use crate::{
    limit::{Counting, Limit},
    throttle::{Budget, Gauge, Moment},
};

/// Between two looks at all budgets that are in use, in microseconds. What is asked between them is what runs low.
pub(super) const BEAT_MICROS: u64 = 100_000;
/// After so many beats without use, what is not used is given back.
const QUIET_BEATS: u32 = 10;
/// A slice is at least this part of an amount, as far as there is so much: enough for what comes at once.
const LEAST_PARTS: u64 = 32;
/// A slice lasts for so long at the rate of the last beats, in microseconds.
const HORIZON_MICROS: u64 = 1_000_000;
/// So long before a window begins a slice of it is asked for, in milliseconds; of short windows, a quarter before.
const AHEAD_MILLIS: i64 = 1_000;
/// How long a gateway looks whether others give back, before it says that nothing is left, in microseconds: who has not used
/// anything for a beat sees at the end of it that somebody else wants it, and gives back one beat later.
const HUNGRY_MICROS: u64 = 4 * BEAT_MICROS + AWAIT_MICROS;
/// How long a window is remembered after its end, in milliseconds: clocks of gateways are not the same.
const KEEP_MILLIS: i64 = 60_000;

/// One gateway's slice of one budget.
#[derive(Debug, Clone, Default)]
pub(super) struct Holding {
    window: u64,
    /// What was used at the last beat, and when that was.
    seen: u64,
    seen_at: u64,
    /// Units that are used in a second.
    rate: u64,
    /// Beats since something was used.
    quiet: u32,
    /// Units that the truth knows of.
    told: u64,
    /// The same of the next window.
    ahead: u64,
    /// The microsecond since which nothing is left; 0: there is.
    dry_since: u64,
    /// Less may be used since the last beat than was told: what is given back is told one beat later, when nobody is in
    /// the middle of using it any more.
    is_lowered: bool,
    /// The truth may not know how this gateway came to hold what it holds.
    is_fresh: bool,
}

/// What was used, as an ask has to say it.
#[derive(Clone, Copy)]
struct State {
    gauge: Gauge,
    window: u64,
    used: u64,
    granted: u64,
    before: u64,
}

impl State {
    /// `None`: no session was held to it yet.
    fn of(budget: &Budget, now: Moment) -> Option<(&Lease, Self)> {
        let lease = budget.lease()?;
        let gauge = lease.gauge()?;
        let (window, used) = lease.present(budget, &gauge, now);
        let limit = gauge.limit();
        let (granted, before) = (lease.granted(limit, window), lease.before(limit, window));
        Some((lease, Self { gauge, window, used, granted, before }))
    }

    const fn limit(&self) -> &Limit {
        self.gauge.limit()
    }

    /// What is held by this process.
    fn hold(&self) -> u64 {
        self.granted.max(self.used).saturating_sub(self.before)
    }

    const fn unused(&self) -> u64 {
        self.granted.saturating_sub(self.used)
    }
}

impl Holding {
    /// Of a budget that nobody uses: what is held is told once, and what is not used given back.
    pub(super) fn at_rest() -> Self {
        Self { quiet: QUIET_BEATS, ..Self::default() }
    }

    /// After a time alone, or when the truth was lost: what was told before is not known.
    pub(super) fn tell_again(&mut self) {
        (self.told, self.ahead, self.is_fresh) = (0, 0, true);
    }

    /// Adds what is to be asked now, at a beat or because the budget runs low. Answers whether the budget has to be looked at
    /// again; once it does not, everything that was not used is given back and known to be.
    pub(super) fn ask(&mut self, budget: &Budget, now: Moment, is_beat: bool, asks: &mut Vec<Ask>) -> bool {
        let Some((lease, state)) = State::of(budget, now) else { return false };
        if state.limit().amount == 0 {
            return false;
        }
        self.look(&state, now, is_beat);
        let (is_quiet, want) = (self.quiet >= QUIET_BEATS, self.want(state.limit()));
        let state = if !is_beat && self.is_lowered { self.take_back(lease, state) } else { state };
        if is_quiet && !self.is_lowered && state.hold() == self.told {
            if state.unused() == 0 {
                return false;
            }
            lease.set_granted(state.limit(), state.window, state.used);
            self.is_lowered = true;
            return true;
        }
        let is_enough = is_quiet || self.is_lowered || state.unused() > want / 2;
        let wish = if is_enough { 0 } else { state.used.saturating_sub(state.before).saturating_add(want) };
        asks.push(self.of_now(lease, &state, wish, budget, now));
        if is_beat && !is_quiet {
            asks.extend(of_next(lease, &state, want, now));
        }
        true
    }

    /// The last ask: everything that was not used is given back.
    pub(super) fn end(&self, budget: &Budget, now: Moment) -> Option<Ask> {
        let (lease, state) = State::of(budget, now)?;
        lease.set_granted(state.limit(), state.window, state.used);
        let state = State { granted: state.used, ..state };
        (state.limit().amount > 0).then(|| self.of_now(lease, &state, 0, budget, now))
    }

    /// What was about to be given back is needed after all.
    fn take_back(&mut self, lease: &Lease, state: State) -> State {
        let granted = state.granted.max(self.told.saturating_add(state.before));
        lease.set_granted(state.limit(), state.window, granted);
        self.is_lowered = false;
        State { granted, ..state }
    }

    /// What was used since the last look.
    fn look(&mut self, state: &State, now: Moment, is_beat: bool) {
        if state.window != self.window || self.seen_at == 0 {
            let is_next = state.window == self.window + 1;
            (self.window, self.seen, self.dry_since, self.is_lowered) =
                (state.window, state.before, 0, false);
            self.told = if is_next { self.ahead } else { 0 };
            self.ahead = 0;
            if self.seen_at == 0 {
                // Whatever was used before tells nothing of how fast it was.
                (self.seen, self.seen_at) = (state.used, now.micros.max(1));
            }
        }
        let used = state.used.saturating_sub(self.seen);
        let elapsed = now.micros.saturating_sub(self.seen_at).max(BEAT_MICROS);
        let rate = u64::try_from(u128::from(used) * 1_000_000 / u128::from(elapsed)).unwrap_or(u64::MAX);
        if is_beat {
            self.quiet = if used == 0 { self.quiet.saturating_add(1) } else { 0 };
            (self.rate, self.seen, self.seen_at) = (rate.max(self.rate / 2), state.used, now.micros.max(1));
        } else {
            // Somebody wants more.
            (self.rate, self.quiet) = (self.rate.max(rate), 0);
        }
    }

    /// What is used in so many microseconds.
    fn of_rate(&self, micros: u64) -> u64 {
        u64::try_from(u128::from(self.rate) * u128::from(micros) / 1_000_000).unwrap_or(u64::MAX)
    }

    /// How large a slice should be.
    fn want(&self, limit: &Limit) -> u64 {
        match limit.counting {
            Counting::Calendar => {
                let window = limit.per.millis().unsigned_abs() * 1_000;
                let least = (limit.amount / LEAST_PARTS).max(1);
                self.of_rate(HORIZON_MICROS.min(window / 10)).clamp(least, limit.amount.max(1))
            }
            // What is held unused of a burst can come later than it was due.
            Counting::Sliding { burst } => self.of_rate(BEAT_MICROS).clamp(1, (burst / 8).max(1)),
        }
    }

    fn of_now(&self, lease: &Lease, state: &State, wish: u64, budget: &Budget, now: Moment) -> Ask {
        let (limit, hold) = (state.limit(), state.hold());
        let terms = match limit.counting {
            Counting::Calendar => calendar(limit, state.window, now),
            Counting::Sliding { .. } => {
                let (one_nanos, owed_max_nanos) = state.gauge.nanos_of_one_and_owed();
                let owed = budget.reading(&state.gauge, now).used;
                Terms::Sliding { one_nanos, owed_max_nanos, owed, is_fresh: self.is_fresh }
            }
        };
        Ask {
            name: lease.name().clone(),
            window: state.window,
            hold,
            wish: wish.max(hold),
            used: state.used.saturating_sub(state.before),
            terms,
        }
    }

    /// Takes the answer to one of its asks.
    pub(super) fn hear(&mut self, budget: &Budget, ask: &Ask, answer: Answer, now: Moment) {
        let Some((lease, state)) = State::of(budget, now) else { return };
        let limit = state.limit();
        let granted = answer.granted.saturating_add(lease.before(limit, ask.window));
        lease.set_granted(limit, ask.window, granted);
        lease.set_left(limit, ask.window, answer.left);
        if ask.window == self.window + 1 {
            self.ahead = answer.granted;
        }
        if ask.window != self.window || ask.window != state.window {
            lease.answered(0);
            return;
        }
        (self.told, self.is_lowered, self.is_fresh) = (answer.granted, false, false);
        let unused = granted.saturating_sub(state.used);
        let is_dry = unused == 0 && answer.left == 0;
        self.dry_since = match (is_dry, self.dry_since) {
            (false, _) => 0,
            (true, 0) => now.micros.max(1),
            (true, since) => since,
        };
        let standing = match is_dry {
            false => Standing::Open,
            true if answer.unused > 0 && now.micros.saturating_sub(self.dry_since) < HUNGRY_MICROS => {
                Standing::Hungry
            }
            true => Standing::Used,
        };
        lease.set_standing(limit, ask.window, standing);
        lease.low.store(if answer.left == 0 { 0 } else { unused / 2 }, super::Relaxed);
        let again_at = now.micros.saturating_add(answer.wait_millis.saturating_mul(1_000));
        lease.again_at.store(again_at, super::Relaxed);
        let got_nothing = ask.wish > ask.hold && answer.granted == ask.hold;
        let pause = if !got_nothing {
            0
        } else if matches!(limit.counting, Counting::Sliding { .. }) {
            answer.wait_millis.saturating_mul(1_000).clamp(1_000, BEAT_MICROS)
        } else {
            BEAT_MICROS
        };
        lease.answered(now.micros.saturating_add(pause));
        let keep = if self.quiet > 0 { 0 } else { self.of_rate(BEAT_MICROS).max(1) };
        if answer.is_wanted && unused > keep {
            lease.set_granted(limit, ask.window, state.used.saturating_add(keep));
            self.is_lowered = true;
        }
    }

    /// There was no answer: nobody waits for it any more.
    pub(super) fn hear_nothing(budget: &Budget, now: Moment) {
        if let Some(lease) = budget.lease() {
            lease.answered(now.micros.saturating_add(AWAIT_MICROS));
        }
    }
}

/// A slice of the window that is about to begin.
fn of_next(lease: &Lease, state: &State, want: u64, now: Moment) -> Option<Ask> {
    let limit = state.limit();
    if matches!(limit.counting, Counting::Sliding { .. }) {
        return None;
    }
    let window = state.window + 1;
    let begins_in = limit.per.begin(window).millis() - now.wall.millis();
    let is_near = begins_in <= AHEAD_MILLIS.min(limit.per.millis() / 4);
    let hold = lease.granted(limit, window);
    let terms = calendar(limit, window, now);
    (is_near && hold < want.div_ceil(2)).then(|| Ask {
        name: lease.name().clone(),
        window,
        hold,
        wish: want.max(hold),
        used: 0,
        terms,
    })
}

fn calendar(limit: &Limit, window: u64, now: Moment) -> Terms {
    let end = limit.per.begin(window + 1).millis().saturating_add(KEEP_MILLIS);
    let keep_millis = end.saturating_sub(now.wall.millis()).max(KEEP_MILLIS).unsigned_abs();
    Terms::Calendar { amount: limit.amount, keep_millis }
}
