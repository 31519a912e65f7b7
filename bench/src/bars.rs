//! What has to be reached: each bar, the figure it is held against, and the verdict.
//!
//! A figure is a ratio of medians, or a median. Its spread is that of the repetitions: for a ratio, of the ratios within
//! each one.

use std::collections::BTreeMap;

use crate::peers::Gateway;

/// Figures by scenario and gateway: for each repetition the scenario's figure and what stands beside it.
pub(crate) type Samples = BTreeMap<(&'static str, Gateway), Vec<[f64; 2]>>;

/// What ours is held against.
#[derive(Debug, Clone, Copy)]
enum Against {
    /// The better of these in that scenario.
    Best(&'static str, &'static [Gateway]),
    /// nginx, after what an echo takes without any gateway was taken off both.
    AddedByNginx,
    /// Nothing: the figure itself, or what stands beside it, counts in this unit.
    Itself(usize, &'static str),
}

struct Bar {
    what: &'static str,
    scenario: &'static str,
    against: Against,
    /// `None`: it is only to be said.
    at_most: Option<f64>,
}

/// A bar with its figure.
pub(crate) struct Verdict {
    pub(crate) what: String,
    pub(crate) bar: String,
    pub(crate) figure: String,
    /// `None`: nothing was promised, or nothing measured.
    pub(crate) is_reached: Option<bool>,
}

/// The peers that only tunnel; nginx with the larger buffers is the better nginx.
const TUNNELS: &[Gateway] = &[Gateway::Nginx32k, Gateway::Haproxy];
const NGINXES: &[Gateway] = &[Gateway::Nginx, Gateway::Nginx32k];
/// Which of the two figures of a scenario a ratio is made of.
const FIGURE: usize = 0;

const fn best(what: &'static str, scenario: &'static str, of: &'static [Gateway], at_most: f64) -> Bar {
    Bar { what, scenario, against: Against::Best(scenario, of), at_most: Some(at_most) }
}

const fn itself(
    what: &'static str,
    scenario: &'static str,
    place: usize,
    unit: &'static str,
    at_most: f64,
) -> Bar {
    Bar { what, scenario, against: Against::Itself(place, unit), at_most: Some(at_most) }
}

const fn cost(what: &'static str, scenario: &'static str, of: &'static str) -> Bar {
    Bar { what, scenario, against: Against::Best(of, &[Gateway::Tidegate]), at_most: None }
}

const BARS: [Bar; 37] = [
    best(
        "CPU, 128 B text, 64 sessions, of the better of nginx (32 KiB) and HAProxy",
        "text-128",
        TUNNELS,
        1.05,
    ),
    best(
        "CPU, 1 KiB text, 64 sessions, of the better of nginx (32 KiB) and HAProxy",
        "text-1k",
        TUNNELS,
        1.05,
    ),
    best("CPU, 128 B text, 64 sessions, of Envoy", "text-128", &[Gateway::Envoy], 0.58),
    best("CPU, 1 KiB text, 64 sessions, of Envoy", "text-1k", &[Gateway::Envoy], 0.58),
    best(
        "CPU, 128 B text, 1,000 sessions, of the better of nginx (32 KiB) and HAProxy",
        "text-128-1000",
        TUNNELS,
        0.80,
    ),
    best(
        "CPU, 1 KiB text, 1,000 sessions, of the better of nginx (32 KiB) and HAProxy",
        "text-1k-1000",
        TUNNELS,
        0.80,
    ),
    best("CPU, 128 B text, 1,000 sessions, of Envoy", "text-128-1000", &[Gateway::Envoy], 0.42),
    best("CPU, 1 KiB text, 1,000 sessions, of Envoy", "text-1k-1000", &[Gateway::Envoy], 0.42),
    best("CPU, 16 KiB binary, of nginx", "binary-16k", &[Gateway::Nginx], 0.35),
    best("CPU, 16 KiB binary, of nginx (32 KiB)", "binary-16k", &[Gateway::Nginx32k], 0.95),
    best("CPU, 16 KiB binary, of HAProxy", "binary-16k", &[Gateway::Haproxy], 0.55),
    best("CPU, 256 KiB binary, of nginx", "binary-256k", &[Gateway::Nginx], 0.35),
    best("CPU, 256 KiB binary, of nginx (32 KiB)", "binary-256k", &[Gateway::Nginx32k], 0.95),
    best("CPU, 256 KiB binary, of HAProxy", "binary-256k", &[Gateway::Haproxy], 0.55),
    cost("UTF-8 check: CPU, 16 KiB text, of binary", "text-16k", "binary-16k"),
    cost(
        "UTF-8 check: CPU, 16 KiB text of one to four bytes a character, of binary",
        "words-16k",
        "binary-16k",
    ),
    cost("UTF-8 check: CPU, 256 KiB text, of binary", "text-256k", "binary-256k"),
    best("CPU, 128 B, 64 sessions, 16 in flight, of nginx", "deep-128", NGINXES, 1.0),
    best("CPU, 128 B, 64 sessions, 16 in flight, of HAProxy", "deep-128", &[Gateway::Haproxy], 1.0),
    best("CPU, 128 B, 64 sessions, 16 in flight, of a relay by ws", "deep-128", &[Gateway::Ws], 0.1),
    best(
        "CPU, 128 B, 64 sessions, 16 in flight, of a relay by tungstenite",
        "deep-128",
        &[Gateway::Tungstenite],
        0.1,
    ),
    best(
        "CPU, 128 B, 64 sessions, 16 in flight, of a relay by tungstenite that gathers its writes",
        "deep-128",
        &[Gateway::TungsteniteGathering],
        0.1,
    ),
    best("CPU, stream of 128 B down, of nginx (32 KiB)", "stream-down", &[Gateway::Nginx32k], 1.0),
    best("CPU, stream of 128 B down, of HAProxy", "stream-down", &[Gateway::Haproxy], 0.6),
    best("CPU, stream of 128 B up, of nginx (32 KiB)", "stream-up", &[Gateway::Nginx32k], 1.0),
    best("CPU, stream of 128 B up, of HAProxy", "stream-up", &[Gateway::Haproxy], 0.6),
    Bar {
        what: "p99 added to an echo at a fixed rate, of nginx's",
        scenario: "rate-128",
        against: Against::AddedByNginx,
        at_most: Some(1.0),
    },
    itself("memory of an idle session", "idle", FIGURE, "KiB", 1.0),
    itself("memory of an idle session, client with TLS", "idle-tls", FIGURE, "KiB", 12.0),
    best(
        "CPU of a session that comes and goes, token seen before, of nginx without authentication",
        "handshakes",
        NGINXES,
        1.4,
    ),
    Bar {
        what: "CPU of a session that comes and goes, ES256 token never seen, of nginx without authentication",
        scenario: "strangers",
        against: Against::Best("handshakes", NGINXES),
        at_most: Some(2.0),
    },
    itself("memory of a session whose client never reads, kernel included", "stuck", FIGURE, "KiB", 1_024.0),
    itself("memory of a session whose client never reads, ours", "stuck", 1, "KiB", 64.0),
    itself("tokens revoked to Close, 5,000 sessions that listen, p99", "revoked", FIGURE, "ms", 1_000.0),
    itself("token expired to Close, 5,000 sessions that listen, p99", "expired", FIGURE, "ms", 1_000.0),
    itself(
        "subscription gone to Close, 5,000 sessions that listen, p99",
        "unsubscribed",
        FIGURE,
        "ms",
        1_000.0,
    ),
    itself("API blocked to Close, 5,000 sessions that listen, p99", "blocked", FIGURE, "ms", 1_000.0),
];

/// The bars with their figures. One that nothing was measured for is told where all were to be, and left out of a part.
pub(crate) fn verdicts(samples: &Samples, reps: usize, is_whole: bool) -> Vec<Verdict> {
    let verdict = |bar: &Bar| bar.verdict(samples, reps).or_else(|| is_whole.then(|| bar.unmeasured()));
    BARS.iter().filter_map(verdict).collect()
}

impl Bar {
    /// What is to be reached, in words.
    fn words(&self) -> String {
        let unit =
            if let Against::Itself(_, unit) = self.against { format!(" {unit}") } else { String::new() };
        self.at_most.map_or("to be said".to_owned(), |most| format!("≤ {}{unit}", shown(most)))
    }

    fn unmeasured(&self) -> Verdict {
        let figure = "not measured".to_owned();
        Verdict { what: self.what.to_owned(), bar: self.words(), figure, is_reached: None }
    }

    fn verdict(&self, samples: &Samples, reps: usize) -> Option<Verdict> {
        let ours = samples.get(&(self.scenario, Gateway::Tidegate))?;
        let (each, figure, unit) = match self.against {
            Against::Itself(place, unit) => (column(ours, place), median(&column(ours, place))?, unit),
            Against::Best(scenario, of) => {
                let theirs = of.iter().filter_map(|gateway| samples.get(&(scenario, *gateway)));
                let theirs = theirs.filter_map(|theirs| Some((median(&column(theirs, FIGURE))?, theirs)));
                let (best, theirs) = theirs.min_by(|(one, _), (other, _)| one.total_cmp(other))?;
                (ratios(ours, theirs), median(&column(ours, FIGURE))? / best, "")
            }
            Against::AddedByNginx => {
                let of = |gateway| samples.get(&(self.scenario, gateway));
                let (nginx, direct) = (of(Gateway::Nginx)?, of(Gateway::Direct)?);
                let base = median(&column(direct, FIGURE))?;
                let figure =
                    (median(&column(ours, FIGURE))? - base) / (median(&column(nginx, FIGURE))? - base);
                let each = ours.iter().zip(nginx).zip(direct).map(|((ours, nginx), direct)| {
                    (ours[FIGURE] - direct[FIGURE]) / (nginx[FIGURE] - direct[FIGURE])
                });
                (each.collect(), figure, "")
            }
        };
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        let lost = if each.len() < reps { format!(", {} of {reps} runs", each.len()) } else { String::new() };
        Some(Verdict {
            what: self.what.to_owned(),
            bar: self.words(),
            figure: format!("{}{unit} ({}{lost})", shown(figure), spread(&each)),
            is_reached: self.at_most.map(|most| figure <= most),
        })
    }
}

fn ratios(ours: &[[f64; 2]], theirs: &[[f64; 2]]) -> Vec<f64> {
    ours.iter().zip(theirs).map(|(ours, theirs)| ours[FIGURE] / theirs[FIGURE]).collect()
}

/// One of the two figures in all repetitions.
pub(crate) fn column(samples: &[[f64; 2]], place: usize) -> Vec<f64> {
    samples.iter().map(|sample| sample[place]).collect()
}

/// The middle one; of an even number the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.get(values.len().checked_sub(1)? / 2)?, values.get(values.len() / 2)?);
    Some(f64::midpoint(*low, *high))
}

/// The least and the most.
pub(crate) fn spread(values: &[f64]) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{}–{}", shown(least), shown(most))
}

/// With as many digits as can be told apart.
pub(crate) fn shown(value: f64) -> String {
    match value.abs() {
        0.0..1.0 => format!("{value:.3}"),
        1.0..10.0 => format!("{value:.2}"),
        10.0..1_000.0 => format!("{value:.1}"),
        _ => grouped(&format!("{value:.0}")),
    }
}

fn grouped(digits: &str) -> String {
    let places = digits.len();
    digits.chars().enumerate().fold(String::new(), |mut text, (place, digit)| {
        if place > 0 && (places - place).is_multiple_of(3) && text != "-" {
            text.push(',');
        }
        text.push(digit);
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_held_against_the_better_peer_and_spread_over_the_repetitions() {
        let mut samples = Samples::new();
        samples.insert(("text-128", Gateway::Tidegate), vec![[10.0, 0.0], [12.0, 0.0], [11.0, 0.0]]);
        samples.insert(("text-128", Gateway::Nginx32k), vec![[20.0, 0.0], [20.0, 0.0], [22.0, 0.0]]);
        samples.insert(("text-128", Gateway::Haproxy), vec![[30.0, 0.0]; 3]);
        let verdicts = verdicts(&samples, 3, false);
        let [verdict] = &verdicts[..] else { panic!("one bar can be told") };
        assert_eq!(verdict.figure, "0.550 (0.500–0.600)");
        assert_eq!(verdict.is_reached, Some(true));
    }

    #[test]
    fn medians_and_words_for_them() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0]), Some(2.5));
        assert_eq!([0.123, 45.67, 1_234_567.0].map(shown), ["0.123", "45.7", "1,234,567"]);
    }
}
