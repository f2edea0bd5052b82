//! A policy out of bytes: what is read is written and read again as the same.

#![no_main]

use keywright_fuzz::policy_json;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| policy_json(bytes));
