//! A behaviour that no macro names would never run.

#[test]
fn every_behaviour_is_run_by_the_macro() {
    let list = include_str!("list.rs");
    for suite in [
        include_str!("alerts.rs"),
        include_str!("apis.rs"),
        include_str!("authorizations.rs"),
        include_str!("custom_rules.rs"),
        include_str!("denials.rs"),
        include_str!("developers.rs"),
        include_str!("facts.rs"),
        include_str!("issuers.rs"),
        include_str!("people.rs"),
        include_str!("policies.rs"),
        include_str!("providers.rs"),
        include_str!("revocations.rs"),
        include_str!("roles.rs"),
        include_str!("tickets.rs"),
        include_str!("units.rs"),
        include_str!("usage.rs"),
    ] {
        let behaviours: Vec<_> =
            suite.lines().filter_map(|line| line.strip_prefix("pub async fn ")).collect();
        assert!(!behaviours.is_empty());
        for behaviour in behaviours {
            let name = behaviour.split(['(', '<']).next().unwrap();
            assert_eq!(list.lines().filter(|line| line.trim() == name).count(), 1, "{name}");
        }
    }
}
