//! What may be said of a client, field by field.

use super::*;

const KNOWN: [&str; 5] = [CLIENT_CREDENTIALS, AUTHORIZATION_CODE, REFRESH_TOKEN, DEVICE_CODE, TOKEN_EXCHANGE];

fn found(grants: &[&str], settings: &ClientSettings) -> Vec<String> {
    let grants: Vec<_> = grants.iter().map(|&grant| grant.to_owned()).collect();
    let no_odd = |uri: &str, _| if uri.contains("odd") { Err("odd".to_owned()) } else { Ok(()) };
    let no_odd_keys = |keys: &str| no_odd(keys, ClientKind::Native);
    let problems = problems(&grants, settings, &KNOWN, no_odd, no_odd_keys);
    problems.iter().map(|problem| format!("{} {}", problem.pointer, problem.code)).collect()
}

#[test]
fn every_rule_names_its_field() {
    let uri = || vec!["https://a.test/cb".to_owned()];
    let plain = ClientSettings::default;
    let signing = || ClientSettings { authentication: ClientAuthentication::PrivateKeyJwt, ..plain() };
    let table: [(&[&str], ClientSettings, &[&str]); 24] = [
        (&[CLIENT_CREDENTIALS], ClientSettings { jwks: "{}".to_owned(), ..signing() }, &[]),
        (&[], signing(), &["/jwks required"]),
        (&[], ClientSettings { jwks: "odd".to_owned(), ..signing() }, &["/jwks key_set"]),
        (&[], ClientSettings { kind: ClientKind::Native, ..signing() }, &["/authentication public_client"]),
        (&[CLIENT_CREDENTIALS], plain(), &[]),
        (&[], plain(), &[]),
        (&["password"], plain(), &["/grants/0 unknown_grant"]),
        (&["implicit", CLIENT_CREDENTIALS], plain(), &["/grants/0 unknown_grant"]),
        (&[CLIENT_CREDENTIALS, CLIENT_CREDENTIALS], plain(), &["/grants/1 repeated"]),
        (
            &[CLIENT_CREDENTIALS],
            ClientSettings { kind: ClientKind::Native, ..plain() },
            &["/grants/0 needs_secret"],
        ),
        (&[], ClientSettings { certificate_bound_tokens: true, ..plain() }, &[]),
        (
            &[],
            ClientSettings { certificate_bound_tokens: true, token_format: TokenFormat::Opaque, ..plain() },
            &["/certificate_bound_tokens opaque"],
        ),
        (&[TOKEN_EXCHANGE], plain(), &[]),
        (&[TOKEN_EXCHANGE, REFRESH_TOKEN], plain(), &["/grants refresh_alone"]),
        (
            &[TOKEN_EXCHANGE],
            ClientSettings { kind: ClientKind::Browser, ..plain() },
            &["/grants/0 needs_secret"],
        ),
        (&[AUTHORIZATION_CODE], plain(), &["/redirect_uris required"]),
        (&[AUTHORIZATION_CODE, REFRESH_TOKEN], ClientSettings { redirect_uris: uri(), ..plain() }, &[]),
        (&[CLIENT_CREDENTIALS, REFRESH_TOKEN], plain(), &["/grants refresh_alone"]),
        (&[DEVICE_CODE, REFRESH_TOKEN], plain(), &[]),
        (&[DEVICE_CODE], ClientSettings { kind: ClientKind::Native, ..plain() }, &[]),
        (
            &[],
            ClientSettings { redirect_uris: vec!["odd".to_owned()], ..plain() },
            &["/redirect_uris/0 redirect_uri"],
        ),
        (
            &[],
            ClientSettings { post_logout_redirect_uris: [uri(), uri()].concat(), ..plain() },
            &["/post_logout_redirect_uris/1 repeated"],
        ),
        (
            &[],
            ClientSettings { redirect_uris: vec![String::new(); REDIRECT_URIS_MAX + 1], ..plain() },
            &["/redirect_uris too_many"],
        ),
        (
            &[],
            ClientSettings { access_token_seconds: 59, refresh_token_seconds: 7_776_001, ..plain() },
            &["/access_token_seconds out_of_range", "/refresh_token_seconds out_of_range"],
        ),
    ];
    for (grants, settings, expected) in table {
        assert_eq!(found(grants, &settings), expected, "{grants:?} {settings:?}");
    }
}

#[test]
fn what_was_stored_before_a_field_has_its_default() {
    assert_eq!(serde_json::from_str::<ClientSettings>("{}").unwrap(), ClientSettings::default());
    for kind in ClientKind::ALL {
        assert_eq!(ClientKind::parse(kind.as_str()), Some(kind));
    }
    for format in TokenFormat::ALL {
        assert_eq!(TokenFormat::parse(format.as_str()), Some(format));
    }
}
