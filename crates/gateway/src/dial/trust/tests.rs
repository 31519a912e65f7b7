//! What becomes of an endpoint's TLS settings: used once made, or the one that is wrong.

use tidegate_model::user::Secret;

use super::*;

fn pair() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["backend.test".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

fn with_client(certificate: &str, key: &str) -> BackendTls {
    BackendTls {
        client_certificate: certificate.to_owned(),
        client_key: Secret(key.to_owned()),
        ..BackendTls::default()
    }
}

#[test]
fn the_same_settings_are_made_once_and_the_name_is_not_one_of_them() {
    let trust = Trust::new().unwrap();
    let (usual, name) = trust.of(&BackendTls::default()).unwrap();
    assert!(Arc::ptr_eq(&usual, &trust.usual()) && name.is_none());
    let own = BackendTls { authorities: pair().0, ..BackendTls::default() };
    let named = BackendTls { server_name: "other.test".to_owned(), ..own.clone() };
    let ((first, _), (second, name)) = (trust.of(&own).unwrap(), trust.of(&named).unwrap());
    assert!(Arc::ptr_eq(&first, &second) && !Arc::ptr_eq(&first, &usual));
    assert_eq!(name, Some(ServerName::try_from("other.test").unwrap()));
}

#[test]
fn what_is_kept_is_bounded() {
    let trust = Trust::new().unwrap();
    for number in 0..=KEPT_MAX {
        let tls = BackendTls { authorities: format!("broken {number}"), ..BackendTls::default() };
        assert_eq!(trust.of(&tls).unwrap_err(), BadTrust::Authorities);
    }
    assert!(trust.kept.lock().unwrap().len() <= KEPT_MAX);
}

#[test]
fn what_is_wrong_is_said_of_the_setting_that_is_wrong() {
    let trust = Trust::new().unwrap();
    let ((certificate, key), (_, others_key)) = (pair(), pair());
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (tls, expected) in [
        (BackendTls { authorities: garbage.to_owned(), ..BackendTls::default() }, BadTrust::Authorities),
        (BackendTls { authorities: "nothing".to_owned(), ..BackendTls::default() }, BadTrust::Authorities),
        (BackendTls { server_name: "no name".to_owned(), ..BackendTls::default() }, BadTrust::ServerName),
        (with_client("nothing", &key), BadTrust::ClientCertificate),
        (with_client(garbage, &key), BadTrust::ClientCertificate),
        (with_client(&certificate, ""), BadTrust::ClientKey),
        (with_client(&certificate, &certificate), BadTrust::ClientKey),
        (with_client(&certificate, &others_key), BadTrust::Pair),
    ] {
        assert_eq!(trust.of(&tls).unwrap_err(), expected);
        assert!(expected.advice().ends_with('.'));
    }
    assert!(trust.of(&with_client(&certificate, &key)).is_ok());
}
