//! Secrets: their shape, and what is kept of them.

use proptest::prelude::*;

use super::*;
use crate::testing::counting;

#[test]
fn a_secret_is_well_formed_only_as_a_whole_and_for_its_kind() {
    let mut random = counting();
    let secret = generate(Kind::PersonalToken, &mut random);
    assert!(is_well_formed(Kind::PersonalToken, &secret));
    assert!(!is_well_formed(Kind::ClientSecret, &secret));
    for bad in
        ["", "tgp_", "tgp_é00000", &secret[1..], &secret[..secret.len() - 1], &secret.replace("tgp", "tgP")]
    {
        assert!(!is_well_formed(Kind::PersonalToken, bad), "{bad}");
    }
    assert_ne!(generate(Kind::PersonalToken, &mut random), secret);
}

#[test]
fn only_the_secret_itself_matches_its_hash() {
    let secret = generate(Kind::ClientSecret, &mut counting());
    let stored = hash(&secret);
    assert!(matches(&secret, &stored) && !stored.contains(&secret));
    assert!(!matches(&secret[1..], &stored) && !matches("", &stored) && !matches(&secret, ""));
}

#[test]
fn every_kind_has_the_length_that_scanners_are_told() {
    let mut prefixes = std::collections::HashSet::new();
    for kind in Kind::ALL {
        let secret = generate(kind, &mut counting());
        assert_eq!((secret.len(), &secret[..4], &secret[..2]), (53, kind.prefix(), "tg"));
        assert!(prefixes.insert(kind.prefix()) && claims_to_be_ours(&secret), "{secret}");
    }
}

#[test]
fn a_valid_checksum_over_another_length_is_not_enough() {
    let short = format!("tgp_{}", URL_SAFE_NO_PAD.encode([1; 31]));
    assert!(!is_well_formed(Kind::PersonalToken, &format!("{short}{}", checksum(&short))));
    assert!(!is_well_formed(Kind::PersonalToken, &format!("tgp_{}", checksum("tgp_"))));
}

proptest! {
    #[test]
    fn one_changed_character_is_noticed(at in 4usize..53, letter in "[A-Za-z0-9_-]") {
        let secret = generate(Kind::PersonalToken, &mut counting());
        prop_assume!(secret[at..=at] != letter);
        let mut changed = secret.clone();
        changed.replace_range(at..=at, &letter);
        prop_assert!(!is_well_formed(Kind::PersonalToken, &changed));
    }

    #[test]
    fn noise_is_no_secret_and_never_panics(text: String) {
        prop_assert!(!is_well_formed(Kind::ClientSecret, &text));
        prop_assert!(!matches(&text, &text));
    }
}
