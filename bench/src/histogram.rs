//! Durations by the million in little memory: 128 steps for each power of two, so a quantile is at most 0.8 % off.

use std::time::Duration;

/// Bits of a value that tell one step from the next.
const STEP_BITS: u32 = 7;
/// Steps of each power of two.
const STEPS: usize = 1 << STEP_BITS;
/// Powers of two of a nanosecond count, those below the first step counted as one.
const POWERS: usize = 64 - STEP_BITS as usize + 1;

/// See the module.
pub(crate) struct Histogram {
    counts: Vec<u64>,
    all: u64,
    longest: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; POWERS * STEPS], all: 0, longest: 0 }
    }
}

impl Histogram {
    /// Counts one.
    pub(crate) fn add(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.counts[step(nanos)] += 1;
        self.all += 1;
        self.longest = self.longest.max(nanos);
    }

    /// The duration that this share (in thousandths) of them does not exceed; zero where there is none.
    pub(crate) fn quantile(&self, thousandths: u64) -> Duration {
        let wanted = (self.all * thousandths).div_ceil(1_000).max(1);
        let mut sum = 0;
        let found = self.counts.iter().position(|count| {
            sum += count;
            sum >= wanted
        });
        Duration::from_nanos(found.map_or(0, |place| upper(place).min(self.longest)))
    }
}

/// The step that a value falls into.
fn step(nanos: u64) -> usize {
    let power = (u64::BITS - nanos.leading_zeros()).saturating_sub(STEP_BITS + 1);
    let within = usize::try_from(nanos >> power).unwrap_or_default();
    power as usize * STEPS + within
}

/// The largest value of a step.
fn upper(place: usize) -> u64 {
    let power = (place / STEPS).saturating_sub(1);
    let within = (place - power * STEPS) as u64;
    ((within + 1) << power).wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_hundredth() {
        let mut histogram = Histogram::default();
        (1..=100_000).for_each(|tens| histogram.add(Duration::from_nanos(tens * 10)));
        for (thousandths, nanos) in [(1, 1_000_u64), (500, 500_000), (990, 990_000), (1_000, 1_000_000)] {
            let found = u64::try_from(histogram.quantile(thousandths).as_nanos()).unwrap();
            assert!(found.abs_diff(nanos) * 100 <= nanos, "{thousandths}: {found}");
        }
    }
}
