//! What a gateway tells of the budgets that it shares, and what it is answered: absolute, and numbered.
//!
//! It knows neither who keeps the truth nor how words travel.

use std::sync::Arc;

use crate::id::BootId;

/// What one gateway tells the truth about itself.
#[derive(Debug, Clone)]
pub struct Told {
    /// Who tells.
    pub boot: BootId,
    /// The number of this word, higher than all before. One that arrives after a later one changes nothing.
    pub number: u64,
    /// The last number that was answered; 0 for none. A truth that does not know it has lost something.
    pub answered: u64,
    /// This gateway ends.
    pub is_last: bool,
    /// What it holds and wishes.
    pub asks: Vec<Ask>,
}

/// What a gateway holds of a budget, and would like to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The budget, the same at every gateway.
    pub name: Arc<str>,
    /// The number of its calendar window; 0 where it slides.
    pub window: u64,
    /// Units that this gateway was granted and still holds, used or not: in this window, or since it has started.
    pub hold: u64,
    /// Units that it would like to hold, at least `hold`.
    pub wish: u64,
    /// Units of these that are used.
    pub used: u64,
    /// The limit.
    pub terms: Terms,
}

/// A limit as the truth has to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terms {
    /// So much in this calendar window.
    Calendar {
        /// Units.
        amount: u64,
        /// How long this has to be remembered, in milliseconds from now.
        keep_millis: u64,
    },
    /// GCRA over all gateways.
    Sliding {
        /// What a unit costs.
        one_nanos: u64,
        /// What may be owed.
        owed_max_nanos: u64,
        /// Units that this gateway has used and still owes by its own word.
        owed: u64,
        /// The truth does not know how this gateway came to hold so much: what it was charged before does not count.
        is_fresh: bool,
    },
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Gateways that there are, this one included unless it ends.
    pub gateways: u32,
    /// A later word came first: this one changed nothing, and there are no answers.
    pub is_stale: bool,
    /// Something was lost of what this gateway told before: it has to tell everything again.
    pub has_lost: bool,
    /// Gateways are telling what they hold; nothing was granted.
    pub is_settling: bool,
    /// One for each ask, in their order.
    pub answers: Vec<Answer>,
}

/// The answer to an [`Ask`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Units that the gateway holds from now on, at least what it held.
    pub granted: u64,
    /// Units that nobody holds.
    pub left: u64,
    /// Units that others hold and had not used when they last told.
    pub unused: u64,
    /// Another gateway wished for more and got nothing.
    pub is_wanted: bool,
    /// Where the budget slides and nothing is left: milliseconds until something is.
    pub wait_millis: u64,
}
