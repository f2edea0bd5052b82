//! The KMS operations that keywright calls, with AWS's request quotas.

use crate::model::Operation;

/// Whether a call may be made again when nobody knows whether it took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeat {
    /// Doing it twice is doing it once.
    Safe,
    /// Doing it twice is doing it twice.
    Never,
}

macro_rules! apis {
    ($($name:ident $repeat:ident,)+) => {
        /// A KMS operation that keywright calls.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each is AWS's own name; the API reference documents it")]
        pub enum Api { $($name,)+ }

        impl Api {
            /// Every operation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// AWS's name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// Requests a second that AWS accepts by default, per account and Region.
            pub fn quota(self) -> u32 {
                match self { $(Self::$name => Operation::$name.quota(),)+ }
            }

            fn repeat(self) -> Repeat {
                match self { $(Self::$name => Repeat::$repeat,)+ }
            }
        }
    };
}

apis! {
    ListAliases Safe,
    ListKeys Safe,
    DescribeKey Safe,
    GetKeyPolicy Safe,
    ListGrants Safe,
    ListResourceTags Safe,
    GetKeyRotationStatus Safe,
    ListKeyRotations Safe,
    GetKeyLastUsage Safe,
    CreateKey Never,
    CreateAlias Safe,
    UpdateAlias Safe,
    DeleteAlias Safe,
    PutKeyPolicy Safe,
    UpdateKeyDescription Safe,
    TagResource Safe,
    UntagResource Safe,
    EnableKey Safe,
    DisableKey Safe,
    EnableKeyRotation Safe,
    DisableKeyRotation Safe,
    RotateKeyOnDemand Never,
    CreateGrant Never,
    RevokeGrant Safe,
    ScheduleKeyDeletion Safe,
    CancelKeyDeletion Safe,
}

impl Api {
    /// True when a call whose outcome is unclear may be made again.
    pub fn is_repeatable(self) -> bool {
        self.repeat() == Repeat::Safe
    }
}
