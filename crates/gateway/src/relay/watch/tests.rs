//! Stalls as the watch sees them, with times of the test's own.

use std::sync::Mutex;

use super::*;

/// One worker under watch, looked at every quarter of a second from second ten on.
struct Seen {
    watch: Watch,
    pulse: Arc<Pulse>,
    is_stalled: watch::Receiver<bool>,
    stuck: Arc<Mutex<Vec<u16>>>,
    now: Micros,
}

const QUARTER: Micros = Micros::from_millis(250);

impl Seen {
    fn new() -> Self {
        let (pulse, sender) = (Arc::<Pulse>::default(), watch::Sender::new(false));
        let (is_stalled, stuck) = (sender.subscribe(), Arc::<Mutex<Vec<u16>>>::default());
        let told = Arc::clone(&stuck);
        let stuck_at = move |worker| told.lock().unwrap().push(worker);
        let idle = (Arc::default(), watch::Sender::new(false));
        let now = Micros::from_secs(10);
        let workers = [idle, (Arc::clone(&pulse), sender)].into_iter();
        Self { watch: Watch::new(workers, now, Arc::new(stuck_at)), pulse, is_stalled, stuck, now }
    }

    /// Looks again after so long; says whether the worker stalls.
    fn after(&mut self, span: Micros) -> bool {
        self.now = self.now.plus(span);
        self.watch.look(self.now);
        *self.is_stalled.borrow()
    }

    fn begin(&self) {
        self.pulse.begin(self.now);
    }
}

#[test]
fn who_waits_for_events_never_stalls() {
    let mut seen = Seen::new();
    assert!((0..400).all(|_| !seen.after(QUARTER)));
    seen.begin();
    seen.pulse.rest();
    assert!((0..400).all(|_| !seen.after(QUARTER)));
}

#[test]
fn a_turn_of_a_second_is_a_stall_until_it_ends() {
    let mut seen = Seen::new();
    seen.begin();
    assert_eq!([0; 4].map(|_| seen.after(QUARTER)), [false, false, false, true]);
    assert!(seen.after(QUARTER));
    seen.begin();
    assert!(!seen.after(QUARTER), "another turn");
    assert_eq!([0; 4].map(|_| seen.after(QUARTER)), [false, false, true, true], "which lasts as well");
    seen.pulse.rest();
    assert!(!seen.after(QUARTER));
}

#[test]
fn turns_without_a_pause_are_no_stall() {
    let mut seen = Seen::new();
    for _ in 0..400 {
        seen.begin();
        assert!(!seen.after(QUARTER));
    }
}

#[test]
fn a_process_that_was_stopped_as_a_whole_has_not_stalled() {
    let mut seen = Seen::new();
    seen.begin();
    assert!(!seen.after(QUARTER));
    assert!(!seen.after(Micros::from_secs(3_600)), "the watch was stopped too");
    assert!(seen.after(QUARTER), "half a second at most counts for it");
    assert!(seen.stuck.lock().unwrap().is_empty());
}

#[test]
fn a_worker_that_is_stuck_is_told_once_by_its_number() {
    let mut seen = Seen::new();
    seen.begin();
    for _ in 0..119 {
        seen.after(QUARTER);
    }
    assert!(seen.stuck.lock().unwrap().is_empty(), "29.75 seconds");
    seen.after(QUARTER);
    assert_eq!(*seen.stuck.lock().unwrap(), [1]);
    seen.begin();
    for _ in 0..400 {
        seen.after(QUARTER);
    }
    assert_eq!(*seen.stuck.lock().unwrap(), [1], "nobody needs to hear it twice");
}
