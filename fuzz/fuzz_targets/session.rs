//! A whole session: any events leave it consistent, and it ends in time.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidegate_wire::fuzzing::fuzz_session(data));
