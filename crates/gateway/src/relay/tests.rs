//! Placeholder.
use tidegate_wire::{Admission, MessageStart, Micros};
#[derive(Debug)]
pub(crate) struct Script;
impl Script {
    pub(crate) fn admit(&mut self, _: Micros, _: MessageStart) -> Admission {
        Admission::Pass
    }
}
pub(crate) struct Stage {
    pub(crate) limits: std::sync::Arc<tidegate_wire::Limits>,
}
impl Stage {
    pub(crate) fn report(&self, _: [tidegate_wire::relay::Counters; 2], _: tidegate_wire::relay::Ending) {}
}
