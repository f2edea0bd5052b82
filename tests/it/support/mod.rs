//! What the tests share.

pub(crate) mod account;
pub(crate) mod desk;
pub(crate) mod engine;
pub(crate) mod manifests;
pub(crate) mod policies;
pub(crate) mod sandbox;
pub(crate) mod stage;
pub(crate) mod world;
