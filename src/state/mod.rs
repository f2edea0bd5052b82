//! The two sides of every run: what the manifests ask for, and what the account holds.

mod desired;
mod observed;

pub use desired::{
    Deletion, Desired, DesiredGrant, DesiredKey, DesiredPlace, GrantsOnKey, Guardrails, Rotation,
    Target, UnmanagedGrants,
};
pub use observed::{
    LiveGrant, LivePolicy, LivePrincipal, Observed, ObservedKey, ObservedPlace, RotationStatus,
    Unreadable,
};
