#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| guildhall_cache::fuzzing::codec(bytes));
