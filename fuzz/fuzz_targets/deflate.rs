//! Compressed messages: the way they are cut changes neither the plain frames nor the rule that they break.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidegate_wire::fuzzing::fuzz_deflate(data));
