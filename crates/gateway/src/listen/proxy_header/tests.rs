//! What proxies write, in any pieces, and what they do not.

use proptest::prelude::*;

use super::*;

/// A header of version 2 with this command, family and block.
fn v2_of(version_and_command: u8, family_and_transport: u8, block: &[u8]) -> Vec<u8> {
    let len = u16::try_from(block.len()).expect("a block of a test is short").to_be_bytes();
    [V2_MARK, &[version_and_command, family_and_transport][..], &len, block].concat()
}

const IPV4: [u8; 12] = [192, 0, 2, 7, 198, 51, 100, 1, 0x1f, 0x90, 0x23, 0x8b];
/// `2001:db8::7` to `2001:db8::1`, ports 8080 and 9099.
const IPV6: [u8; 36] = [
    0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, //
    0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, //
    0x1f, 0x90, 0x23, 0x8b,
];

/// An extension.
fn extension(kind: u8, value: &[u8]) -> Vec<u8> {
    let len = u16::try_from(value.len()).expect("short").to_be_bytes();
    [&[kind][..], &len, value].concat()
}

fn client(address: &str, is_tls: bool) -> Origin {
    Origin::Client { address: address.parse().expect(address), is_tls }
}

/// Headers, and what they say.
fn whole() -> Vec<(Vec<u8>, Origin)> {
    let text = |text: &str| text.as_bytes().to_vec();
    let longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    let ssl = |flags: u8| {
        extension(V2_SSL, &[flags, 0, 0, 0, 0, 0x21, 0, 7, b'T', b'L', b'S', b'v', b'1', b'.', b'3'])
    };
    let with = |block: &[u8], extensions: &[Vec<u8>]| [block, &extensions.concat()].concat();
    vec![
        (text("PROXY TCP4 192.0.2.7 198.51.100.1 8080 9099\r\n"), client("192.0.2.7:8080", false)),
        (text("PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n"), client("255.255.255.255:65535", false)),
        (text("PROXY TCP6 2001:db8::7 ::1 8080 9099\r\n"), client("[2001:db8::7]:8080", false)),
        (text("PROXY TCP6 ::ffff:192.0.2.7 ::1 8080 9099\r\n"), client("192.0.2.7:8080", false)),
        (text("PROXY UNKNOWN\r\n"), Origin::Itself),
        (text(&format!("PROXY UNKNOWN {longest} {longest} 65535 65535\r\n")), Origin::Itself),
        (v2_of(0x21, 0x11, &IPV4), client("192.0.2.7:8080", false)),
        (v2_of(0x21, 0x21, &IPV6), client("[2001:db8::7]:8080", false)),
        (
            v2_of(0x21, 0x11, &with(&IPV4, &[extension(4, b"padding"), ssl(1)])),
            client("192.0.2.7:8080", true),
        ),
        (v2_of(0x21, 0x21, &with(&IPV6, &[ssl(0), extension(5, b"")])), client("[2001:db8::7]:8080", false)),
        (v2_of(0x20, 0x00, &[]), Origin::Itself),
        (v2_of(0x20, 0x11, &IPV4), Origin::Itself),
        (v2_of(0x20, 0xff, b"anything"), Origin::Itself),
        (v2_of(0x21, 0x00, b"anything"), Origin::Itself),
        (v2_of(0x21, 0x12, &IPV4), Origin::Itself),
        (v2_of(0x21, 0x31, &[0; 216]), Origin::Itself),
        (v2_of(0x20, 0x00, &[7; V2_BYTES_MAX - V2_FIXED_BYTES]), Origin::Itself),
    ]
}

#[test]
fn a_header_is_whole_at_its_last_byte_and_never_before() {
    for (header, origin) in whole() {
        for some in 0..header.len() {
            assert_eq!(parse(&header[..some]), Ok(None), "{some} bytes of {header:?}");
        }
        let len = header.len();
        assert_eq!(parse(&header), Ok(Some(ProxyHeader { origin, len })), "{header:?}");
        for behind in [&b"GET / HTTP/1.1\r\n"[..], b"\x16\x03\x01", b"\r\n", b"PROXY "] {
            let stream = [&header, behind].concat();
            assert_eq!(parse(&stream), Ok(Some(ProxyHeader { origin, len })), "{header:?} and {behind:?}");
        }
    }
}

#[test]
fn what_is_no_header_is_refused() {
    use BadHeader::{Malformed, Missing, TooLong};
    let long = "x".repeat(V1_BYTES_MAX);
    for (text, error) in [
        ("GET / HTTP/1.1\r\n", Missing),
        ("\x16\x03\x01\x02", Missing),
        ("P\r\n", Missing),
        ("PROXY\r\n", Missing),
        ("proxy TCP4 192.0.2.7 198.51.100.1 1 2\r\n", Missing),
        ("\r\n\r\n\0\r\nQUIT\r", Missing),
        ("PROXY \r\n", Malformed),
        ("PROXY TCP4\r\n", Malformed),
        ("PROXY TCP5 192.0.2.7 198.51.100.1 1 2\r\n", Malformed),
        ("PROXY UNKNOWNS\r\n", Malformed),
        ("PROXY  TCP4 192.0.2.7 198.51.100.1 1 2\r\n", Malformed),
        ("PROXY TCP4 192.0.2.7  198.51.100.1 1 2\r\n", Malformed),
        ("PROXY TCP4 192.0.2.7 198.51.100.1 1\r\n", Malformed),
        ("PROXY TCP4 192.0.2.7 198.51.100.1 1 2 3\r\n", Malformed),
        ("PROXY TCP4 192.0.2.7 198.51.100.1 1 2 \r\n", Malformed),
        ("PROXY TCP4 192.0.2.7 198.51.100.1 65536 2\r\n", Malformed),
        ("PROXY TCP4 192.0.2.7 198.51.100.1 +1 2\r\n", Malformed),
        ("PROXY TCP4 192.0.2.7 198.51.100.1 01 2\r\n", Malformed),
        ("PROXY TCP4 192.0.2.7 198.51.100.1 1 \r\n", Malformed),
        ("PROXY TCP4 192.0.2.256 198.51.100.1 1 2\r\n", Malformed),
        ("PROXY TCP4 192.0.2.07 198.51.100.1 1 2\r\n", Malformed),
        ("PROXY TCP4 ::1 ::1 1 2\r\n", Malformed),
        ("PROXY TCP6 192.0.2.7 198.51.100.1 1 2\r\n", Malformed),
        ("PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", Malformed),
        ("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\n", Malformed),
        ("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\rx", Malformed),
        (&format!("PROXY UNKNOWN {long}\r\n"), TooLong),
        (&format!("PROXY {long}")[..V1_BYTES_MAX - 1], TooLong),
    ] {
        assert_eq!(parse(text.as_bytes()), Err(error), "{text:?}");
    }
    let cut = |block: &[u8]| block[..block.len() - 1].to_vec();
    let with = |extensions: &[u8]| [&IPV4, extensions].concat();
    for (header, error, why) in [
        (v2_of(0x11, 0x11, &IPV4), Malformed, "version 1 in the clothes of version 2"),
        (v2_of(0x31, 0x11, &IPV4), Malformed, "version 3"),
        (v2_of(0x22, 0x11, &IPV4), Malformed, "an unknown command"),
        (v2_of(0x21, 0x13, &IPV4), Malformed, "an unknown transport"),
        (v2_of(0x21, 0x41, &IPV4), Malformed, "an unknown family"),
        (v2_of(0x21, 0x11, &cut(&IPV4)), Malformed, "no room for IPv4"),
        (v2_of(0x21, 0x21, &cut(&IPV6)), Malformed, "no room for IPv6"),
        (v2_of(0x21, 0x21, &IPV4), Malformed, "IPv4 called IPv6"),
        (v2_of(0x21, 0x11, &with(&[4])), Malformed, "half an extension"),
        (v2_of(0x21, 0x11, &with(&[4, 0xff, 0xff, 0])), Malformed, "an extension beyond the end"),
        (v2_of(0x21, 0x11, &with(&extension(V2_SSL, b""))), Malformed, "TLS without a word"),
        (v2_of(0x20, 0, &[0; V2_BYTES_MAX - V2_FIXED_BYTES + 1]), TooLong, "one more than is read"),
        ([&V2_MARK[..], &[0x21, 0x11, 0xff, 0xff]].concat(), TooLong, "a length that nobody has sent"),
    ] {
        assert_eq!(parse(&header), Err(error), "{why}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_judged_alike_however_they_come(
        mark in prop::sample::select(vec![&b""[..], V1_MARK, b"PROXY TCP4 ", b"PROXY TCP6 ", V2_MARK, b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0"]),
        tail in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let bytes = [mark, &tail].concat();
        let verdict = parse(&bytes);
        if let Ok(Some(header)) = verdict {
            prop_assert!(header.len <= bytes.len());
        }
        // Once decided, more bytes change nothing; until then nothing was decided.
        let first = (0..=bytes.len()).map(|some| parse(&bytes[..some])).find(|early| *early != Ok(None));
        prop_assert_eq!(first.unwrap_or(Ok(None)), verdict);
    }
}
