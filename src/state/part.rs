//! The parts of a key that change independently, and their fingerprints.

use std::fmt;

use aws_lc_rs::digest;

use super::{LivePolicy, ObservedKey};
use crate::policy;

/// A part of a live key that one call reads and one call changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// State and description.
    Metadata,
    /// The key policy.
    Policy,
    /// The grants, apart from those that AWS services make for themselves.
    Grants,
    /// All tags.
    Tags,
    /// Automatic rotation.
    Rotation,
    /// The number of on-demand rotations.
    OnDemandRotations,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Metadata => "state and description",
            Self::Policy => "policy",
            Self::Grants => "grants",
            Self::Tags => "tags",
            Self::Rotation => "rotation",
            Self::OnDemandRotations => "on-demand rotations",
        })
    }
}

/// A digest of a live part: equal when the part means the same.
#[derive(Clone, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .take(6)
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl ObservedKey {
    /// The fingerprint of a part.
    pub fn fingerprint(&self, part: Part) -> Fingerprint {
        let text = match part {
            Part::Metadata => format!("{:?}", (self.state, &self.description)),
            Part::Policy => match &self.policy {
                LivePolicy::Document(document) => policy::write_canonical(document),
                LivePolicy::Opaque { text, .. } => text.clone(),
            },
            Part::Grants => {
                let lasting = self.grants.iter().filter(|grant| !grant.is_of_service());
                format!("{:?}", lasting.collect::<Vec<_>>())
            }
            Part::Tags => format!("{:?}", self.tags),
            Part::Rotation => format!("{:?}", self.rotation),
            Part::OnDemandRotations => format!("{:?}", self.rotations_on_demand),
        };
        let digest = digest::digest(&digest::SHA256, text.as_bytes());
        Fingerprint(digest.as_ref().try_into().unwrap_or_default())
    }
}
