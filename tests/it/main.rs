//! What users rely on, in one binary.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test that cannot go on should stop"
)]

mod support;

mod access;
mod access_verb;
mod apply;
mod architecture;
mod bad_input;
mod broken_manifests;
mod calls;
mod check;
mod cli;
mod convergence;
mod dependencies;
mod diff;
mod drift;
mod engine;
mod expectations;
mod engine_state;
mod explain;
mod explain_batch;
mod gallery;
mod guardrails;
mod hazards;
mod identities;
mod interrupt;
mod manifests;
mod schema;
mod plan;
mod policy;
mod readme;
mod recovery;
mod serve;
mod servers;
