//! What holds for any bytes: the bodies of the fuzz targets, over the committed corpus and over random input that
//! looks like frames often enough to get somewhere.

use proptest::prelude::*;
use tidegate_wire::Side;
use tidegate_wire::fuzzing::{fuzz_cutting, fuzz_deflate, fuzz_frame, fuzz_handshake, fuzz_session};
use tidegate_wire::scenarios::{close_frame, frame};

/// Runs `body` over every committed input of a target.
fn over_corpus(target: &str, body: fn(&[u8])) {
    let folder = format!("{}/../../fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let inputs = std::fs::read_dir(&folder).expect("every target has a corpus");
    let mut count = 0;
    for input in inputs {
        let path = input.unwrap().path();
        eprintln!("{}", path.display());
        body(&std::fs::read(path).unwrap());
        count += 1;
    }
    assert!(count > 0, "the corpus of {target} is not empty");
}

#[test]
fn the_committed_corpus_holds() {
    over_corpus("frame", fuzz_frame);
    over_corpus("handshake", fuzz_handshake);
    over_corpus("cutting", fuzz_cutting);
    over_corpus("session", fuzz_session);
    over_corpus("deflate", fuzz_deflate);
}

/// Bytes as a side may send them: lawful frames mostly, and anything.
fn stream(side: Side) -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        12 => prop_oneof![Just(0x81), Just(0x82), Just(0x01), Just(0x02), Just(0x00), Just(0x80), Just(0x89)],
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        3 => "[a-zé☃𝄞]{0,60}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..210),
    ];
    let piece = prop_oneof![
        20 => (first, payload).prop_map(move |(first, payload)| frame(side, first, &payload)),
        1 => any::<u16>().prop_map(move |code| close_frame(side, code, "so long")),
        1 => proptest::collection::vec(any::<u8>(), 0..9),
    ];
    proptest::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
}

fn streams() -> impl Strategy<Value = (Side, Vec<u8>)> {
    prop_oneof![Just(Side::Client), Just(Side::Backend)].prop_flat_map(|side| (Just(side), stream(side)))
}

/// Events of a session: pieces of both sides' streams, writes, ends, time.
fn session() -> impl Strategy<Value = Vec<u8>> {
    let piece = streams().prop_map(|(side, stream)| {
        let chunks = stream.chunks(200).map(|chunk| {
            let mut op = vec![side as u8, u8::try_from(chunk.len()).unwrap()];
            op.extend_from_slice(chunk);
            op
        });
        chunks.collect::<Vec<_>>().concat()
    });
    let event = (0_u8..16, any::<u8>()).prop_map(|(op, argument)| vec![op, argument]);
    let written = (6_u8..8).prop_map(|op| vec![op, 255]);
    proptest::collection::vec(prop_oneof![3 => piece, 1 => event, 3 => written], 0..12)
        .prop_map(|ops| ops.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_bytes_are_judged_the_same_in_any_cut((side, stream) in streams(), size: u8) {
        let mut data = vec![side as u8, size];
        data.extend(stream);
        fuzz_cutting(&data);
    }

    #[test]
    fn any_events_leave_a_session_consistent(data in session()) {
        fuzz_session(&data);
    }

    #[test]
    fn no_bytes_at_all_make_anything_panic(data in proptest::collection::vec(any::<u8>(), 0..200)) {
        fuzz_frame(&data);
        fuzz_handshake(&data);
        fuzz_cutting(&data);
        fuzz_session(&data);
    }

    #[test]
    fn compressed_messages_are_borne_whole_and_in_pieces(
        data in proptest::collection::vec(any::<u8>(), 0..1_500),
        first in prop_oneof![Just(0xC1_u8), Just(0xC2), Just(0x41), Just(0x81)],
    ) {
        let mut data = data;
        if let Some(byte) = data.first_mut() {
            *byte = first;
        }
        fuzz_deflate(&data);
    }
}
