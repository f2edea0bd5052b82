//! Two policies out of structured bytes: every question about them ends, and the answers agree.

#![no_main]

use keywright_fuzz::{Pair, compare};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|pair: Pair| compare(&pair));
