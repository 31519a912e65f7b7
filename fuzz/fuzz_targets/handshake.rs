//! Heads: judged the same however they are cut, by both sides' rules.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidegate_wire::fuzzing::fuzz_handshake(data));
