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
        (None, None, &["chat", "Bearer"], BadCredential::Malformed),
        (None, None, &["bearer", ""], BadCredential::Malformed),
        (None, None, &["bearer", "tok en"], BadCredential::Malformed),
        (None, None, &["bearer", "a", "bearer", "b"], BadCredential::Several),
        (None, None, &["bearer", "a", "BEARER", "a"], BadCredential::Several),
        (None, Some("access_token=a"), &["bearer", "b"], BadCredential::Several),
        (None, Some("access_token=a&access%5ftoken=b"), &[], BadCredential::Several),
        (Some("Bearer a"), Some("access_token="), &[], BadCredential::Several),
        (None, Some("ACCESS_TOKEN=a&access_token2=b&xaccess_token=c"), &[], BadCredential::Missing),
        (None, Some("access_token%00=a"), &[], BadCredential::Missing),
        (Some(""), None, &[], BadCredential::NotBearer),
        (Some("Bearertoken"), None, &[], BadCredential::NotBearer),
        (Some("Bearer a,b"), None, &[], BadCredential::Malformed),
        (Some("Bearer ="), None, &[], BadCredential::Malformed),
        (Some("Bearer é"), None, &[], BadCredential::Malformed),
    ] {
        assert_eq!(tried(header, query, list), Err(expected), "{header:?} {query:?} {list:?}");
    }
}

#[test]
fn a_found_credential_is_not_printed() {
    let found = find([&b"Bearer hidden-token"[..]], None, &[]).unwrap();
    assert!(!format!("{found:?}").contains("hidden"));
}

#[test]
fn two_authorization_fields_are_several_credentials() {
    assert_eq!(find([&b"Bearer a"[..], b"Bearer a"], None, &[]), Err(BadCredential::Several));
    assert_eq!(find([&b"Bearer a"[..], b"Basic dTpw"], None, &[]), Err(BadCredential::NotBearer));
    assert_eq!(find([&b"Bearer \xff"[..]], None, &[]), Err(BadCredential::Malformed));
}

#[test]
fn challenges_say_what_the_rfc_asks() {
    for (refused, expected) in [
        (BadCredential::Missing, r#"Bearer realm="r""#),
        (BadCredential::NotBearer, r#"Bearer realm="r""#),
        (
            BadCredential::Several,
            r#"Bearer realm="r", error="invalid_request", error_description="more than one credential was presented""#,
        ),
        (
            BadCredential::Malformed,
            r#"Bearer realm="r", error="invalid_token", error_description="the credential is malformed""#,
        ),
    ] {
        assert_eq!(refused.challenge("r"), expected);
    }
    assert_eq!(challenge("a\"b\\c\r\né", None), r#"Bearer realm="abc""#, "nothing breaks out of the quotes");
}

const PIECE: &str = "[a-zA-Z0-9%+._~!$'()*,;:@/?=é-]{0,12}";

proptest! {
    #[test]
    fn the_rest_of_the_query_is_kept_byte_for_byte(
        pairs in prop::collection::vec(PIECE, 0..6),
        at: prop::sample::Index,
        name in "access_token|access%5[fF]token|%61ccess_token",
        token in "[A-Za-z0-9._~+/-]{1,20}={0,2}",
    ) {
        let mut with = pairs.clone();
        with.insert(at.index(pairs.len() + 1), format!("{name}={token}"));
        let found = find([], Some(&with.join("&")), &[]).unwrap();
        prop_assert_eq!(found.token, token);
        prop_assert_eq!(found.query.unwrap_or_default(), pairs.join("&"));
    }

    #[test]
    fn the_rest_of_the_offers_is_kept_in_order(
        offers in prop::collection::vec("[a-z0-9.]{1,8}", 0..6),
        at: prop::sample::Index,
        token in "[A-Za-z0-9._~+/-]{1,20}",
    ) {
        prop_assume!(offers.iter().all(|offer| offer != "bearer"));
        let (mut with, at) = (offers.clone(), at.index(offers.len() + 1));
        with.splice(at..at, ["bearer".to_owned(), token.clone()]);
        prop_assume!(!token.eq_ignore_ascii_case("bearer"));
        let found = find([], None, &with).unwrap();
        prop_assert_eq!((found.token, found.subprotocols), (token, offers));
    }

    #[test]
    fn a_bearer_field_is_read_whatever_the_case(scheme in "[bB][eE][aA][rR][eE][rR]", gap in " {1,3}", token in "[!-~]{1,20}") {
        let found = find([format!("{scheme}{gap}{token}").as_bytes()], None, &[]);
        prop_assert_eq!(found.is_ok(), is_b64token(&token));
    }

    #[test]
    fn never_panics(header: Option<Vec<u8>>, query: Option<String>, list in prop::collection::vec("bearer|[a-z]{0,3}", 0..5)) {
        let _ = find(header.as_deref(), query.as_deref(), &list);
    }
}
