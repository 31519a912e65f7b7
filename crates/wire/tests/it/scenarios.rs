//! Every scenario on the simulated driver, with its bytes read whole, one by one, and cut at random.

use tidegate_wire::scenarios::{Budget, Scenario, all, run};

use crate::sim::{Cut, Dice, Sim};

fn play(cut: impl Fn(u64) -> Cut, wanted: impl Fn(&Scenario) -> bool) {
    let mut problems = Vec::new();
    for (number, scenario) in all().iter().enumerate().filter(|(_, scenario)| wanted(scenario)) {
        let budget = Budget { left: scenario.budget };
        let mut sim = Sim::new(scenario.limits.clone(), budget, cut(number as u64));
        problems.extend(run(scenario, &mut sim).err());
    }
    assert!(problems.is_empty(), "{} scenarios failed:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn every_scenario_holds_when_bytes_are_read_at_once() {
    play(|_| Cut::Whole, |_| true);
}

#[test]
fn every_scenario_holds_when_bytes_are_read_one_by_one() {
    let is_small = |scenario: &Scenario| scenario.report.bytes.iter().all(|bytes| *bytes < 70_000);
    play(|_| Cut::Single, |scenario| !scenario.whole_writes && is_small(scenario));
}

#[test]
fn every_scenario_holds_when_bytes_are_cut_at_random() {
    for seed in 0..5 {
        play(|number| Cut::Random(Dice(seed << 32 | number)), |scenario| !scenario.whole_writes);
    }
}

#[test]
fn scenarios_have_names_of_their_own() {
    let mut names: Vec<String> = all().into_iter().map(|scenario| scenario.name).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}
