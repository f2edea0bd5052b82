//! Tests.

#[cfg(test)]
mod broken_manifests;
#[cfg(test)]
mod manifests;
#[cfg(test)]
mod schema;
