//! Of whom a header about certificates is believed.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tidegate_model::forwarded::TrustedProxies;
use tidegate_oauth::certificate::thumbprint;

use super::*;

#[test]
fn a_certificate_is_what_a_trusted_proxy_says_of_one_where_an_operator_says_that_it_does() {
    let good = format!(":{}:", STANDARD.encode(b"certificate"));
    let read = |client_cert: bool, last: u8, values: &[&str]| {
        let trusted = TrustedProxies::parse("192.0.2.1").unwrap();
        let settings = Settings { trusted, client_cert, ..Settings::default() };
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CLIENT_CERT, value.parse().unwrap());
        }
        let shown = shown(&settings, &headers, IpAddr::from([192, 0, 2, last]));
        shown.map(|shown| shown.0.to_string())
    };
    assert_eq!(read(true, 1, &[&good]), Some(thumbprint(b"certificate")));
    assert_eq!(read(true, 1, &[]), None);
    for unreadable in [&["nonsense"][..], &[&good, &good]] {
        assert_eq!(read(true, 1, unreadable).as_deref(), Some(""), "{unreadable:?}");
    }
    assert_eq!(read(true, 2, &[&good]), None, "anybody could say so");
    assert_eq!(read(false, 1, &[&good]), None, "the proxy lets it pass");
}
