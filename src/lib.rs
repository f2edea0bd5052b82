//! keywright keeps AWS KMS the way the manifests say.
//!
//! The modules stand in reading order, which is the order of the data: manifests become [`state::Desired`], the
//! account becomes [`state::Observed`], and the two become a plan that is applied, observed again and reported.

pub mod diagnostic;
pub mod model;
pub mod policy;
pub mod state;
pub mod manifest;
pub mod kms;
pub mod observe;
pub mod access;
pub mod expectation;
pub mod plan;
pub mod apply;
pub mod report;
pub mod engine;
pub mod cli;
