//! Frame headers and Close payloads: what is read is written the same.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidegate_wire::fuzzing::fuzz_frame(data));
