//! Keys in and out, against the RFCs' own samples.

use aws_lc_rs::{
    rsa::{KeyPair, KeySize},
    signature::ECDSA_P384_SHA384_FIXED_SIGNING,
};
use proptest::prelude::*;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::*;

fn generated() -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap()
}

fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// The key of RFC 7515, appendix A.3.1.
fn rfc_point() -> Value {
    json!({"kty": "EC", "crv": "P-256", "kid": "a3",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})
}

/// The key of RFC 7515, appendix A.2.1.
fn rfc_rsa() -> Value {
    let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL\
        -yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXB\
        dQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj\
        8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    json!({"kty": "RSA", "kid": "a2", "e": "AQAB", "n": n})
}

fn set(keys: &[Value]) -> String {
    json!({"keys": keys}).to_string()
}

fn with(mut value: Value, name: &str, new: Value) -> Value {
    value[name] = new;
    value
}

#[test]
fn signatures_of_the_rfcs_verify_and_no_other_message_does() {
    let payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    // RFC 8037, appendix A.2.
    let ed = json!({"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    for (key, algorithm, message, signature) in [
        (
            rfc_point(),
            "ES256",
            format!("eyJhbGciOiJFUzI1NiJ9.{payload}"),
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        ),
        (
            rfc_rsa(),
            "RS256",
            format!("eyJhbGciOiJSUzI1NiJ9.{payload}"),
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJ\
             dbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eS\
             N9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5\
             AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
        ),
        (
            ed,
            "EdDSA",
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".to_owned(),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        ),
    ] {
        let keys = verification_keys(&set(&[key])).unwrap();
        assert_eq!(keys[0].algorithm.name(), algorithm);
        assert!(keys[0].verifies(message.as_bytes(), &decoded(signature)), "{algorithm}");
        assert!(!keys[0].verifies(format!("{message}x").as_bytes(), &decoded(signature)), "{algorithm}");
        assert!(!keys[0].verifies(message.as_bytes(), &decoded(signature)[1..]), "{algorithm}");
    }
}

#[test]
fn thumbprints_are_those_of_the_rfcs() {
    // RFC 7638, section 3.1, and RFC 8037, appendix A.3.
    let rsa = json!({"kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZC\
              iFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJ\
              ZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xB\
              niIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"});
    let ed = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    for (key, thumbprint) in [
        (rsa, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (ed, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
    ] {
        let jwk: Jwk = serde_json::from_value(key).unwrap();
        assert_eq!(jwk.thumbprint(ThumbprintHash::SHA256).unwrap(), thumbprint);
    }
}

#[test]
fn a_published_key_is_public_and_named_by_its_thumbprint() {
    let (one, other) = (generated(), generated());
    let document: Value = serde_json::from_str(&key_set([&one, &other])).unwrap();
    for (key, published) in [(&one, &document["keys"][0]), (&other, &document["keys"][1])] {
        let (x, y) = (published["x"].as_str().unwrap(), published["y"].as_str().unwrap());
        let thumbprint = Sha256::digest(format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#));
        assert_eq!(key.kid(), URL_SAFE_NO_PAD.encode(thumbprint));
        let expected = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": key.kid(), "alg": "ES256", "use": "sig"});
        assert_eq!(*published, expected);
    }
    assert_ne!(one.kid(), other.kid());
    assert_eq!(key_set([]), r#"{"keys":[]}"#);
}

#[test]
fn what_is_published_of_each_algorithm_is_what_the_rfcs_name() {
    for (algorithm, members) in [
        (Algorithm::Es256, &["alg", "crv", "kid", "kty", "use", "x", "y"][..]),
        (Algorithm::EdDsa, &["alg", "crv", "kid", "kty", "use", "x"]),
        (Algorithm::Rs256, &["alg", "e", "kid", "kty", "n", "use"]),
    ] {
        let key = SigningKey::generate(algorithm, &SystemRandom::new()).unwrap();
        let set: Value = serde_json::from_str(&key_set([&key])).unwrap();
        let published = set["keys"][0].as_object().unwrap();
        let mut names: Vec<_> = published.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, members);
        assert_eq!((&published["alg"], &published["use"]), (&json!(algorithm.name()), &json!("sig")));
        let read = verification_keys(&set.to_string()).unwrap();
        assert_eq!((&*read[0].kid, read[0].algorithm), (key.kid(), algorithm));
        assert!(Algorithm::named(algorithm.name()) == Some(algorithm));
    }
    for unknown in ["", "es256", "HS256", "none", "PS256", "ES256 ", "Ed448", "ed25519"] {
        assert_eq!(Algorithm::named(unknown), None, "{unknown}");
    }
    // RFC 9864.
    assert_eq!(Algorithm::named("Ed25519"), Some(Algorithm::EdDsa));
    assert!(Algorithm::NAMES.into_iter().all(|name| Algorithm::named(name).is_some()));
}

#[test]
fn a_stored_key_comes_back_and_is_not_printed() {
    let key = generated();
    let text = key.to_text();
    assert_eq!(SigningKey::from_text(text.expose()).unwrap().kid(), key.kid());
    let private = &text.expose()[48..90];
    assert!(!format!("{key:?} {text:?} {:?}", key.clone()).contains(private));
}

#[test]
fn a_key_stored_in_the_published_format_stays_readable() {
    // PKCS#8 around the private key of RFC 7515, appendix A.3.1.
    let head = decoded("MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg");
    let private = decoded("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
    let (x, y) = (decoded(rfc_point()["x"].as_str().unwrap()), decoded(rfc_point()["y"].as_str().unwrap()));
    let document = |private: &[u8], y: &[u8]| {
        STANDARD.encode([&head, private, &[0xa1, 0x44, 0x03, 0x42, 0x00, 0x04], &x, y].concat())
    };
    let key = SigningKey::from_text(&document(&private, &y)).unwrap();
    assert_eq!(key.public.algorithm, serde_json::from_value::<Jwk>(rfc_point()).unwrap().algorithm);
    let mut stranger = private.clone();
    stranger[31] ^= 1;
    for (what, text) in [
        ("halves that do not belong together", document(&stranger, &y)),
        ("a private key of zero", document(&[0; 32], &y)),
        ("a point off the curve", document(&private, &x)),
        ("less than there was", document(&private, &y[..31])),
    ] {
        assert_eq!(SigningKey::from_text(&text).unwrap_err(), BadKey::Stored, "{what}");
    }
}

#[test]
fn what_is_no_key_of_ours_is_not_read_back() {
    let random = SystemRandom::new();
    let p384 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random).unwrap();
    let large = KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
    let large: &aws_lc_rs::encoding::Pkcs8V1Der<'_> = &large;
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        generated().to_text().expose()
    );
    for text in
        ["", "AA==", "!", &STANDARD.encode(p384.as_ref()), &STANDARD.encode(&large.as_ref()[1..]), &pem]
    {
        assert_eq!(SigningKey::from_text(text).unwrap_err(), BadKey::Stored, "{text:.30}");
    }
}

#[test]
fn keys_that_cannot_be_used_are_passed_over() {
    let small = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let modulus = small.public_key().modulus().big_endian_without_leading_zero().to_vec();
    let rsa_1024 = with(rfc_rsa(), "n", json!(URL_SAFE_NO_PAD.encode(&modulus[..128])));
    let rsa_2047 = with(rfc_rsa(), "n", json!(URL_SAFE_NO_PAD.encode([&[0x7f], &modulus[1..]].concat())));
    let padded = with(rfc_rsa(), "n", json!(URL_SAFE_NO_PAD.encode([&[0], &modulus[..]].concat())));
    let swapped = with(with(rfc_point(), "x", rfc_point()["y"].clone()), "y", rfc_point()["x"].clone());
    // The right 64 bytes, split at the wrong place.
    let bytes = ["x", "y"].map(|name| decoded(rfc_point()[name].as_str().unwrap())).concat();
    let part = |bytes: &[u8]| json!(URL_SAFE_NO_PAD.encode(bytes));
    let uneven = with(with(rfc_point(), "x", part(&bytes[..31])), "y", part(&bytes[31..]));
    let mut nameless = rfc_point();
    nameless.as_object_mut().unwrap().remove("kid");
    for key in [
        json!({"kty": "oct", "k": "AAAA", "kid": "1", "alg": "HS256"}),
        json!({"kty": "EC", "crv": "P-256", "kid": "1"}),
        json!({"kty": "EC", "crv": "P-256", "kid": "1", "x": "AA", "y": "AA"}),
        json!({"kty": "new", "kid": "1"}),
        json!({}),
        json!(1),
        json!([]),
        rsa_1024,
        rsa_2047,
        padded,
        swapped,
        uneven,
        nameless,
        with(rfc_point(), "crv", json!("P-384")),
        with(rfc_point(), "crv", json!("secp256k1")),
        with(rfc_point(), "use", json!("enc")),
        with(rfc_point(), "alg", json!("HS256")),
        with(rfc_point(), "alg", json!("ES384")),
        with(rfc_point(), "alg", json!("none")),
        with(rfc_point(), "alg", json!(null)),
        with(rfc_rsa(), "alg", json!("PS256")),
        with(rfc_rsa(), "alg", json!("RSA-OAEP-256")),
        with(rfc_rsa(), "n", json!("")),
        with(rfc_point(), "d", json!("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")),
        with(rfc_point(), "kid", json!("")),
        with(rfc_point(), "kid", json!(7)),
        with(rfc_point(), "kid", json!("k".repeat(KID_BYTES_MAX + 1))),
    ] {
        let keys = verification_keys(&set(&[key.clone(), rfc_rsa()])).unwrap();
        assert_eq!(keys.iter().map(|key| &*key.kid).collect::<Vec<_>>(), ["a2"], "{key}");
    }
    let many = vec![json!({"kty": "new"}); KEYS_MAX];
    assert!(verification_keys(&set(&many)).unwrap().is_empty());
}

#[test]
fn sets_with_two_readings_or_without_bound_are_refused() {
    let point = rfc_point().to_string();
    for text in [
        String::new(),
        "[]".to_owned(),
        "{}".to_owned(),
        r#"{"keys":{}}"#.to_owned(),
        r#"{"keys":[],"keys":[]}"#.to_owned(),
        format!(r#"{{"keys":[{}]}}"#, point.replacen('{', r#"{"kid":"a4","#, 1)),
        set(&[rfc_point(), rfc_point()]),
        set(&[rfc_point(), with(rfc_rsa(), "kid", json!("a3"))]),
        set(&vec![json!({}); KEYS_MAX + 1]),
        format!(r#"{{"keys":[{}]}}"#, " ".repeat(KEY_SET_BYTES_MAX)),
    ] {
        assert_eq!(verification_keys(&text).unwrap_err(), BadKey::Set, "{text:.60}");
    }
}

proptest! {
    #[test]
    fn noise_never_panics(text: String, x in "[A-Za-z0-9_-]{0,44}", crv in "P-256|Ed25519|P-521", kty in "EC|OKP|RSA") {
        let _ = verification_keys(&text);
        let _ = SigningKey::from_text(&text);
        let key = json!({"kty": kty, "crv": crv, "kid": "1", "x": x, "y": x, "n": x, "e": x});
        let _ = verification_keys(&set(&[key]));
    }
}
