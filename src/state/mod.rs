//! The two sides of every run: what the manifests ask for, and what the account holds.

mod desired;
mod observed;
mod part;

pub use desired::{
    Callers, Claim, Deletion, Desired, DesiredGrant, DesiredKey, DesiredPlace, Expectation,
    GrantsOnKey, Guardrails, Rotation, Subjects, Target, TargetKind, UnmanagedGrants, Verb,
};
pub use observed::{
    LiveGrant, LivePolicy, LivePrincipal, Observed, ObservedKey, ObservedPlace, OtherKey,
    RotationStatus, Unreadable, value_of,
};
pub use part::{Fingerprint, Part};
