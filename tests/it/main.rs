//! What users rely on, in one binary.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

mod support;

mod broken_manifests;
mod calls;
mod convergence;
mod engine;
mod manifests;
mod schema;
mod policy;
mod recovery;
