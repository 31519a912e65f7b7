//! Certificates that were really made, and what is none.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

use super::*;

fn made(algorithm: &'static rcgen::SignatureAlgorithm) -> (rcgen::Certificate, KeyPair) {
    let mut params = CertificateParams::new(vec!["station.test".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "station 7");
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    let key = KeyPair::generate_for(algorithm).unwrap();
    (params.self_signed(&key).unwrap(), key)
}

#[test]
fn a_certificate_is_read_for_what_it_says() {
    for algorithm in [
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_ED25519,
        &rcgen::PKCS_RSA_SHA256,
    ] {
        let (certificate, _) = made(algorithm);
        let read = from_pem(&certificate.pem()).unwrap();
        assert_eq!(read.thumbprint, thumbprint(certificate.der()));
        assert!(is_thumbprint(&read.thumbprint) && read.subject.contains("CN=station 7"), "{read:?}");
        assert_eq!((read.begins_at, read.ends_at), (1_767_225_600, 1_798_761_600));
        let surrounded = format!("Subject: x\n{}\n", certificate.pem());
        assert_eq!(from_pem(&surrounded).unwrap(), read);
    }
}

#[test]
fn what_is_no_certificate_of_a_client_is_told_as_what_it_is() {
    let (one, key) = made(&rcgen::PKCS_ECDSA_P256_SHA256);
    let (other, _) = made(&rcgen::PKCS_ECDSA_P256_SHA256);
    let (one, key, other) = (one.pem(), key.serialize_pem(), other.pem());
    let half = &one[..one.len() / 2];
    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (text, expected) in [
        (String::new(), BadCertificate::NotPem),
        ("hello".to_owned(), BadCertificate::NotPem),
        (half.to_owned(), BadCertificate::NotPem),
        (key.clone(), BadCertificate::PrivateKey),
        (format!("{one}{key}"), BadCertificate::PrivateKey),
        (format!("{key}{one}"), BadCertificate::PrivateKey),
        (format!("{one}{other}"), BadCertificate::Several),
        (format!("{one}{half}"), BadCertificate::Several),
        (nonsense.to_owned(), BadCertificate::Malformed),
        (one.repeat(40), BadCertificate::TooLong),
        (one.replace("CERTIFICATE", "PUBLIC KEY"), BadCertificate::NotPem),
    ] {
        assert_eq!(from_pem(&text), Err(expected), "{text}");
    }
}

/// `openssl x509 -req` without extensions makes version 1, and a key of 1,024 bits is refused by every TLS library.
#[test]
fn what_tls_does_not_take_is_refused_before_anybody_wonders() {
    let told = |base64: &str| from_der(&STANDARD.decode(base64.replace('\n', "")).unwrap());
    assert_eq!(told(include_str!("version1.b64")), Err(BadCertificate::Version));
    assert_eq!(told(include_str!("rsa1024.b64")), Err(BadCertificate::Key));
}

#[test]
fn a_certificate_in_a_header_is_a_byte_sequence() {
    assert_eq!(from_header(b":AQID:").unwrap(), [1, 2, 3]);
    assert_eq!(from_header(b" :AQID: ").unwrap(), [1, 2, 3]);
    for bad in [
        "",
        ":",
        "::",
        "AQID",
        ":AQID",
        "AQID:",
        ":AQ ID:",
        ":AQID:, :AQID:",
        ":AQID:;a=1",
        ":AQI_:",
        ":AQI:",
    ] {
        assert_eq!(from_header(bad.as_bytes()), Err(BadCertificate::Malformed), "{bad}");
    }
    let long = format!(":{}:", STANDARD.encode(vec![0; CERTIFICATE_BYTES_MAX + 1]));
    assert_eq!(from_header(long.as_bytes()), Err(BadCertificate::TooLong));
}

proptest! {
    /// What is uploaded may be anything.
    #[test]
    fn any_bytes_are_read_without_harm(cut in 0_usize..700, at in 0_usize..700, byte: u8, text in ".{0,300}") {
        let (certificate, _) = made(&rcgen::PKCS_ECDSA_P256_SHA256);
        let mut der = certificate.der().to_vec();
        let place = at % der.len();
        der[place] = byte;
        der.truncate(cut.max(1));
        let _ = from_der(&der);
        let _ = from_pem(&text);
        let _ = from_pem(&format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----"));
        let _ = from_header(text.as_bytes());
    }
}
