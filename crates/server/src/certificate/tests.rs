//! Made once, renewed when it must be, and never over the operator's own.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn folder() -> (tempfile::TempDir, DataFolder) {
    let place = tempfile::tempdir().expect("a folder");
    let folder = DataFolder::at(place.path());
    (place, folder)
}

fn content(folder: &DataFolder) -> String {
    fs::read_to_string(folder.certificate()).expect("written")
}

#[test]
fn a_pair_is_made_once_and_kept() {
    let (_place, folder) = folder();
    ready(&folder, "localhost", NOW).expect("made");
    let first = content(&folder);
    assert!(first.starts_with("Made by Tidegate for localhost, until 20"), "{first}");
    assert_eq!(fs::metadata(folder.key()).expect("there").permissions().mode() & 0o777, 0o600);
    ready(&folder, "localhost", NOW.plus_millis(100 * DAY_MILLIS)).expect("kept");
    assert_eq!(content(&folder), first);
}

#[test]
fn another_host_or_the_near_end_makes_a_new_pair() {
    let (_place, folder) = folder();
    ready(&folder, "localhost", NOW).expect("made");
    let first = content(&folder);
    ready(&folder, "gateway.example", NOW).expect("made");
    let second = content(&folder);
    assert_ne!(second, first);
    ready(&folder, "gateway.example", NOW.plus_millis((VALID_DAYS - RENEW_DAYS) * DAY_MILLIS)).expect("made");
    assert_ne!(content(&folder), second);
}

#[test]
fn a_pair_cut_by_a_crash_is_made_anew() {
    let (_place, folder) = folder();
    ready(&folder, "localhost", NOW).expect("made");
    let old = content(&folder);
    ready(&folder, "other", NOW).expect("made");
    fs::write(folder.certificate(), &old).expect("the key is new, the certificate is not");
    ready(&folder, "localhost", NOW).expect("made anew");
    assert_ne!(content(&folder), old);
    fs::remove_file(folder.certificate()).expect("only the key was written");
    ready(&folder, "localhost", NOW).expect("made anew");
}

#[test]
fn files_of_the_operator_are_used_or_refused_and_never_replaced() {
    let (_place, folder) = folder();
    ready(&folder, "localhost", NOW).expect("made");
    let unmarked = content(&folder).lines().skip(1).collect::<Vec<_>>().join("\n");
    fs::write(folder.certificate(), &unmarked).expect("written");
    ready(&folder, "elsewhere", NOW.plus_millis(1_000 * DAY_MILLIS)).expect("used as it is");
    assert_eq!(content(&folder), unmarked);
    fs::write(folder.key(), "nothing").expect("written");
    let text = ready(&folder, "localhost", NOW).expect_err("no key").to_string();
    assert!(text.contains("key.pem") && text.contains("delete both"), "{text}");
}

#[test]
fn one_file_of_the_operator_makes_both_his() {
    let (_place, folder) = folder();
    ready(&folder, "localhost", NOW).expect("made");
    let (certificate, key) = (content(&folder), fs::read_to_string(folder.key()).expect("written"));
    let unmarked = |pem: &str| pem.lines().skip(1).collect::<Vec<_>>().join("\n");
    // He has put his key there, and his certificate is still to come.
    let own = rcgen::KeyPair::generate().expect("a key").serialize_pem();
    fs::write(folder.key(), &own).expect("written");
    ready(&folder, "localhost", NOW).expect_err("they do not match");
    ready(&folder, "elsewhere", NOW.plus_millis(1_000 * DAY_MILLIS)).expect_err("nor is it made anew");
    assert_eq!(fs::read_to_string(folder.key()).expect("there"), own);
    fs::write(folder.key(), &key).expect("written");
    fs::write(folder.certificate(), unmarked(&certificate)).expect("written");
    ready(&folder, "elsewhere", NOW.plus_millis(1_000 * DAY_MILLIS)).expect("used as it is");
    assert_eq!(fs::read_to_string(folder.key()).expect("there"), key);
}

#[test]
fn reading_makes_nothing() {
    let (_place, folder) = folder();
    let source = Source::Folder { folder: folder.clone(), host: "localhost".to_owned() };
    let text = source.read().expect_err("there is none").to_string();
    assert!(text.contains("one of them is missing"), "{text}");
    assert!(!folder.key().exists());
    source.ready(NOW).expect("made");
    source.read().expect("read");
}

#[test]
fn everything_that_is_wrong_with_the_operators_files_is_told() {
    let (place, folder) = folder();
    ready(&folder, "localhost", NOW).expect("made");
    let file = |name: &str, content: &str| {
        let path = place.path().join(name);
        fs::write(&path, content).expect("written");
        path
    };
    let problems = |certificate: &Path, key: &Path| {
        let own = OwnCertificate { certificate: certificate.to_owned(), key: key.to_owned() };
        match Source::Own(own).ready(NOW) {
            Ok(_) => Vec::new(),
            Err(error) => error.to_string().lines().map(str::to_owned).collect::<Vec<_>>(),
        }
    };
    let (certificate, key, nowhere) = (folder.certificate(), folder.key(), place.path().join("nowhere.pem"));
    assert!(problems(&certificate, &key).is_empty());
    let both = problems(&nowhere, &nowhere);
    assert!(both.len() == 2, "{both:?}");
    assert!(
        both[0].starts_with("--tls-cert (TIDEGATE_TLS_CERT): ") && both[0].contains("nowhere.pem"),
        "{both:?}"
    );
    assert!(both[1].starts_with("--tls-key (TIDEGATE_TLS_KEY): "), "{both:?}");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let other = rcgen::KeyPair::generate().expect("a key").serialize_pem();
    for (certificate, key, flag, words) in [
        (&key, &key, "--tls-cert", "no certificate"),
        (&file("broken.pem", broken), &key, "--tls-cert", "cannot be read"),
        (&certificate, &certificate, "--tls-key", "no private key"),
        (&certificate, &file("encrypted.pem", encrypted), "--tls-key", "encrypted"),
        (&certificate, &file("other.pem", &other), "--tls-key", "another certificate"),
    ] {
        let told = problems(certificate, key);
        assert!(told.len() == 1 && told[0].starts_with(flag) && told[0].contains(words), "{words}: {told:?}");
    }
}
