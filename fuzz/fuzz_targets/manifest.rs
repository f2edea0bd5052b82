//! A manifest out of bytes: it is read, or its faults are told.

#![no_main]

use keywright_fuzz::manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| manifest(bytes));
