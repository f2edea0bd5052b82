//! `kind: Team`.

use crate::manifest::fields::{NonEmpty, mapping};
use crate::model::{PrincipalName, TeamName};

mapping! {
    /// A named set of principals, used as `team/NAME`.
    TeamFields ("a team") {
        /// The name that follows `team/`.
        name: TeamName [required],
        /// The principals; other teams among them.
        members: NonEmpty<PrincipalName> [required],
    }
    later {}
}
