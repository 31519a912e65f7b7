//! Addresses that may be registered, and addresses that are not the registered one.

use super::*;

#[test]
fn what_may_be_registered() {
    use BadRedirect::*;
    type Verdict = Result<(), BadRedirect>;
    let table: &[(&str, Verdict, Verdict)] = &[
        ("https://client.test/callback", Ok(()), Ok(())),
        ("https://client.test", Ok(()), Ok(())),
        ("https://client.test:8443/cb?tenant=a%20b", Ok(()), Ok(())),
        ("https://[2001:db8::1]/cb", Ok(()), Ok(())),
        ("http://localhost:3000/cb", Ok(()), Ok(())),
        ("http://127.0.0.1/cb", Ok(()), Ok(())),
        ("http://[::1]:81/cb", Ok(()), Ok(())),
        ("com.example.app:/callback", Err(OwnScheme), Ok(())),
        ("com.example.app://callback", Err(OwnScheme), Err(OwnScheme)),
        ("com.example.app:callback", Err(OwnScheme), Err(OwnScheme)),
        (".com:/callback", Err(Scheme), Err(Scheme)),
        ("com..app:/callback", Err(OwnScheme), Err(OwnScheme)),
        ("myapp:/callback", Err(Unsafe), Err(Unsafe)),
        ("javascript:alert(1)", Err(Unsafe), Err(Unsafe)),
        ("JavaScript:alert(1)", Err(Scheme), Err(Scheme)),
        ("data:text/html,x", Err(Unsafe), Err(Unsafe)),
        ("file:///etc/passwd", Err(Unsafe), Err(Unsafe)),
        ("vbscript:x", Err(Unsafe), Err(Unsafe)),
        ("http://client.test/cb", Err(Unsafe), Err(Unsafe)),
        ("http://localhost.client.test/cb", Err(Unsafe), Err(Unsafe)),
        ("http://127.0.0.2/cb", Err(Unsafe), Err(Unsafe)),
        ("http://0.0.0.0/cb", Err(Unsafe), Err(Unsafe)),
        ("HTTPS://client.test/cb", Err(Scheme), Err(Scheme)),
        ("https://Client.test/cb", Err(Host), Err(Host)),
        ("https:/client.test", Err(Host), Err(Host)),
        ("https:///cb", Err(Host), Err(Host)),
        ("https://*.client.test/cb", Err(Host), Err(Host)),
        ("https://client..test/cb", Err(Host), Err(Host)),
        ("https://client.test:0/cb", Err(Host), Err(Host)),
        ("https://client.test:99999/cb", Err(Host), Err(Host)),
        ("https://client.test:+1/cb", Err(Host), Err(Host)),
        ("https://[::1/cb", Err(Host), Err(Host)),
        ("https://user@client.test/cb", Err(User), Err(User)),
        ("https://a@b@client.test/cb", Err(User), Err(User)),
        ("https://client.test/cb#x", Err(Fragment), Err(Fragment)),
        ("https://client.test/cb#", Err(Fragment), Err(Fragment)),
        ("https://client.test/a/../cb", Err(Path), Err(Path)),
        ("https://client.test/a/..;/cb", Err(Path), Err(Path)),
        ("https://client.test/a/%2e%2E/cb", Err(Path), Err(Path)),
        ("https://client.test/a%2f..%2fcb", Err(Path), Err(Path)),
        ("https://client.test/a/./cb", Err(Path), Err(Path)),
        ("https://client.test\\evil.test/cb", Err(Character), Err(Character)),
        ("https://client.test/ cb", Err(Character), Err(Character)),
        ("https://client.test/\ncb", Err(Character), Err(Character)),
        ("https://clïent.test/cb", Err(Character), Err(Character)),
        ("https://client.test/%zz", Err(Character), Err(Character)),
        ("https://client.test/%2", Err(Character), Err(Character)),
        ("//client.test/cb", Err(Scheme), Err(Scheme)),
        ("client.test/cb", Err(Scheme), Err(Scheme)),
        ("", Err(Length), Err(Length)),
    ];
    for (uri, web, device) in table {
        assert_eq!(is_registrable(uri, Place::Web), *web, "{uri} on the web");
        assert_eq!(is_registrable(uri, Place::Device), *device, "{uri} on a device");
    }
    let long = format!("https://client.test/{}", "a".repeat(REDIRECT_BYTES_MAX));
    assert_eq!(is_registrable(&long, Place::Web), Err(Length));
}

#[test]
fn only_the_port_of_a_native_clients_loopback_address_may_be_another() {
    let registered =
        ["http://127.0.0.1/cb", "http://[::1]:9/cb?a=b", "http://localhost:3000/cb", "https://a.test:1/cb"]
            .map(str::to_owned);
    for (asked, web, device) in [
        ("http://127.0.0.1/cb", true, true),
        ("http://127.0.0.1:5000/cb", false, true),
        ("http://127.0.0.1:0/cb", false, false),
        ("http://127.0.0.1:/cb", false, false),
        ("http://127.0.0.1:70000/cb", false, false),
        ("http://127.0.0.1:5000@evil.test/cb", false, false),
        ("http://127.0.0.1.evil.test/cb", false, false),
        ("http://127.0.0.1:80.evil.test/cb", false, false),
        ("http://127.0.0.1:5000/cb/", false, false),
        ("http://127.0.0.1:5000/cb?x=1", false, false),
        ("http://127.0.0.1:5000\\@evil.test/cb", false, false),
        ("https://127.0.0.1:5000/cb", false, false),
        ("http://[::1]:5000/cb?a=b", false, true),
        ("http://[::1]:5000/cb", false, false),
        ("http://localhost:3000/cb", true, true),
        ("http://localhost:3001/cb", false, false),
        ("http://localhost/cb", false, false),
        ("https://a.test:2/cb", false, false),
        ("https://a.test/cb", false, false),
        ("https://A.test:1/cb", false, false),
        ("https://a.test:1/cb ", false, false),
    ] {
        assert_eq!(is_registered(asked, &registered, Place::Web), web, "{asked} on the web");
        assert_eq!(is_registered(asked, &registered, Place::Device), device, "{asked} on a device");
    }
}

#[test]
fn what_is_added_is_encoded() {
    assert_eq!(
        with_query("https://a.test/cb", &[("code", "a b&c"), ("iss", "ü")]),
        "https://a.test/cb?code=a%20b%26c&iss=%C3%BC"
    );
    assert_eq!(with_query("https://a.test/cb?x=1", &[("state", "=")]), "https://a.test/cb?x=1&state=%3D");
}
