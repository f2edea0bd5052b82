//! What users rely on, in one binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod support;

mod broken_manifests;
mod engine;
mod manifests;
mod schema;
mod policy;
