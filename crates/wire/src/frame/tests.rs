//! Headers read, refused and written.

use proptest::prelude::*;

use super::{FrameError, HEADER_BYTES_MAX, Header, Opcode, scan, scan_any};

#[test]
fn headers_are_refused_at_the_byte_that_shows_it() {
    // The first byte that is too much is the last of each row.
    for (bytes, masked, expected) in [
        (&[0xC1][..], false, FrameError::ReservedBit),
        (&[0xA1], true, FrameError::ReservedBit),
        (&[0x91], true, FrameError::ReservedBit),
        (&[0x83], false, FrameError::ReservedOpcode { opcode: 3 }),
        (&[0x8F], false, FrameError::ReservedOpcode { opcode: 15 }),
        (&[0x09], false, FrameError::FragmentedControl),
        (&[0x08], true, FrameError::FragmentedControl),
        (&[0x81, 0x00], true, FrameError::Unmasked),
        (&[0x81, 0x80], false, FrameError::Masked),
        (&[0x89, 126], false, FrameError::LongControl),
        (&[0x88, 127], false, FrameError::LongControl),
        (&[0x82, 126, 0, 125], false, FrameError::LengthNotMinimal),
        (&[0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], false, FrameError::LengthNotMinimal),
        (&[0x82, 127, 0x80], false, FrameError::LengthHighBit),
    ] {
        assert_eq!(scan(bytes, masked), Err(expected), "{bytes:02x?}");
        assert_eq!(scan(&bytes[..bytes.len() - 1], masked), Ok(None), "{bytes:02x?} less one byte");
    }
}

fn headers() -> impl Strategy<Value = Header> {
    let opcodes = prop_oneof![
        Just(Opcode::Continuation),
        Just(Opcode::Text),
        Just(Opcode::Binary),
        Just(Opcode::Close),
        Just(Opcode::Ping),
        Just(Opcode::Pong),
    ];
    let lengths = prop_oneof![0..130_u64, 65_530..65_540_u64, 0..=u64::MAX >> 1];
    (opcodes, lengths, any::<bool>(), any::<Option<[u8; 4]>>()).prop_map(|(opcode, bytes, fin, key)| {
        let (fin, bytes) = if opcode.is_control() { (true, bytes % 126) } else { (fin, bytes) };
        Header { fin, compressed: false, opcode, key, payload_bytes: bytes }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again_and_not_before_it_is_whole(header in headers()) {
        let mut bytes = [0; HEADER_BYTES_MAX];
        let len = header.encode_into(&mut bytes);
        let masked = header.key.is_some();
        for less in 0..len {
            prop_assert_eq!(scan(&bytes[..less], masked), Ok(None));
        }
        prop_assert_eq!(scan(&bytes[..len], masked), Ok(Some((header, len))));
        prop_assert_eq!(scan(&bytes, masked), Ok(Some((header, len))), "what follows does not matter");
    }

    #[test]
    fn what_is_read_is_written_the_same(bytes: [u8; HEADER_BYTES_MAX], masked: bool) {
        if let Ok(Some((header, len))) = scan(&bytes, masked) {
            let mut again = [0; HEADER_BYTES_MAX];
            prop_assert_eq!(header.encode_into(&mut again), len);
            prop_assert_eq!(&again[..len], &bytes[..len]);
        }
    }
}

/// What [`scan`] refuses and [`scan_any`] takes, with how it is counted.
#[test]
fn unchecked_frames_end_where_they_say() {
    for (bytes, opcode, payload_bytes, header_bytes) in [
        (&[0xF2, 0x03][..], Opcode::Binary, 3, 2),
        (&[0x83, 0x03], Opcode::Binary, 3, 2),
        (&[0x8B, 0x03], Opcode::Ping, 3, 2),
        (&[0x09, 0x03], Opcode::Ping, 3, 2),
        (&[0x89, 126, 0, 200], Opcode::Ping, 200, 4),
        (&[0x81, 126, 0, 3], Opcode::Text, 3, 4),
        (&[0x81, 127, 0, 0, 0, 0, 0, 0, 0, 3], Opcode::Text, 3, 10),
    ] {
        assert!(scan(bytes, false).is_err(), "{bytes:02x?}");
        let (header, len) = scan_any(bytes, false).unwrap().expect("whole");
        assert_eq!((header.opcode, header.payload_bytes, len), (opcode, payload_bytes, header_bytes));
    }
}

#[test]
fn what_cannot_be_counted_is_refused_even_where_frames_are_not_checked() {
    for (bytes, masked, expected) in [
        (&[0x81, 0x03][..], true, FrameError::Unmasked),
        (&[0x81, 0x83], false, FrameError::Masked),
        (&[0x81, 127, 0x80], false, FrameError::LengthHighBit),
        (&[0x08, 0x02], false, FrameError::FragmentedControl),
        (&[0x88, 126], false, FrameError::LongControl),
    ] {
        assert_eq!(scan_any(bytes, masked), Err(expected), "{bytes:02x?}");
    }
}

proptest! {
    /// Unchecked scanning agrees with checked scanning on everything lawful.
    #[test]
    fn lawful_headers_are_the_same_unchecked(bytes in proptest::collection::vec(any::<u8>(), 0..16), masked: bool) {
        if let Ok(scanned) = scan(&bytes, masked) {
            prop_assert_eq!(scan_any(&bytes, masked), Ok(scanned));
        }
    }
}
