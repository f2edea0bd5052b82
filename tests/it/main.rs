//! Tests.

mod engine;
