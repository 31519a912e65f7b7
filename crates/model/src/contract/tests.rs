//! A behaviour that no macro names would never run.

#[test]
fn every_behaviour_is_run_by_the_macro() {
    let list = include_str!("../contract.rs");
    for suite in [
        include_str!("apis.rs"),
        include_str!("developers.rs"),
        include_str!("facts.rs"),
        include_str!("people.rs"),
        include_str!("units.rs"),
    ] {
        let behaviours: Vec<_> =
            suite.lines().filter_map(|line| line.strip_prefix("pub async fn ")).collect();
        assert!(behaviours.len() > 5);
        for behaviour in behaviours {
            let name = behaviour.split(['(', '<']).next().unwrap();
            assert_eq!(list.lines().filter(|line| line.trim() == name).count(), 1, "{name}");
        }
    }
}
