//! Three places, one credential, and everything else left as it was.

use proptest::prelude::*;

use super::*;

fn offers(list: &[&str]) -> Vec<String> {
    list.iter().map(|offer| (*offer).to_owned()).collect()
}

fn tried(
    header: Option<&str>,
    query: Option<&str>,
    list: &[&str],
) -> Result<(String, Place, Option<String>, Vec<String>), BadCredential> {
    find(header.map(str::as_bytes), query, &offers(list)).map(|f| (f.token, f.place, f.query, f.subprotocols))
}

#[test]
fn each_place_and_what_is_left() {
    let token = || "abc.d-e_f~+/==".to_owned();
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let value = format!("{scheme} {}", token());
        assert_eq!(
            tried(Some(&value), Some("a=1"), &["x"]),
            Ok((token(), Place::Header, Some("a=1".into()), offers(&["x"])))
        );
    }
    assert_eq!(
        tried(None, Some("b=%20&access_token=abc.d-e_f~%2B/%3D=&c&b=2"), &[]),
        Ok((token(), Place::Query, Some("b=%20&c&b=2".into()), vec![]))
    );
    assert_eq!(tried(None, Some("access%5Ftoken=t"), &[]), Ok(("t".into(), Place::Query, None, vec![])));
    assert_eq!(
        tried(None, None, &["chat", "bearer", "tok", "v2"]),
        Ok(("tok".into(), Place::Subprotocol, None, offers(&["chat", "v2"])))
    );
}

#[test]
fn what_is_refused() {
    for (header, query, list, expected) in [
        (None, None, &[][..], BadCredential::Missing),
        (None, Some("a=1"), &["chat"], BadCredential::Missing),
        (Some("Bearer a"), Some("access_token=b"), &[], BadCredential::Several),
        (Some("Bearer a"), None, &["bearer", "b"], BadCredential::Several),
        (None, Some("access_token=a&access_token=a"), &[], BadCredential::Several),
        (Some("Basic dTpw"), None, &[], BadCredential::NotBearer),
        (Some("Bearer"), None, &[], BadCredential::NotBearer),
        (Some("Bearer  "), None, &[], BadCredential::NotBearer),
        (Some("Bearer a b"), None, &[], BadCredential::Malformed),
        (None, Some("access_token="), &[], BadCredential::Malformed),
        (None, Some("access_token"), &[], BadCredential::Malformed),
        (None, Some("access_token=%zz"), &[], BadCredential::Malformed),
        (None, Some("access_token=%ff"), &[], BadCredential::Malformed),
        (None, Some("access_token=a%20b"), &[], BadCredential::Malformed),
        (None, None, &["bearer"], BadCredential::Malformed),
    ] {
        assert_eq!(tried(header, query, list), Err(expected), "{header:?} {query:?} {list:?}");
    }
}

#[test]
fn a_found_credential_is_not_printed() {
    let found = find([&b"Bearer hidden-token"[..]], None, &[]).unwrap();
    assert!(!format!("{found:?}").contains("hidden"));
}

proptest! {
    #[test]
    fn the_rest_of_the_query_is_kept_byte_for_byte(pairs in prop::collection::vec("[a-z%0-9=+]{0,9}", 0..6), at in 0usize..6) {
        prop_assume!(pairs.iter().all(|pair| !pair.contains("access")));
        let mut with = pairs.clone();
        with.insert(at.min(pairs.len()), "access_token=t".to_owned());
        let found = find([], Some(&with.join("&")), &[]).unwrap();
        prop_assert_eq!(found.query.unwrap_or_default(), pairs.join("&"));
    }

    #[test]
    fn never_panics(header: Option<Vec<u8>>, query: Option<String>, list: Vec<String>) {
        let _ = find(header.as_deref(), query.as_deref(), &list);
    }
}
