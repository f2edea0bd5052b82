//! Tests.

mod broken_manifests;
