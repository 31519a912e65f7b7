//! One side's bytes: judged the same however they are cut.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidegate_wire::fuzzing::fuzz_cutting(data));
