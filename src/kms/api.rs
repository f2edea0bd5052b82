//! The KMS operations that keywright calls, with AWS's request quotas.

/// Whether a call may be made again when nobody knows whether it took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeat {
    /// Doing it twice is doing it once.
    Safe,
    /// Doing it twice is doing it twice.
    Never,
}

macro_rules! apis {
    ($($name:ident $quota:literal $repeat:ident,)+) => {
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
                match self { $(Self::$name => $quota,)+ }
            }

            fn repeat(self) -> Repeat {
                match self { $(Self::$name => Repeat::$repeat,)+ }
            }
        }
    };
}

// KMS Developer Guide, "Request quotas", 2026.
apis! {
    ListAliases 500 Safe,
    ListKeys 500 Safe,
    DescribeKey 2000 Safe,
    GetKeyPolicy 1000 Safe,
    ListGrants 100 Safe,
    ListResourceTags 2000 Safe,
    GetKeyRotationStatus 1000 Safe,
    ListKeyRotations 100 Safe,
    GetKeyLastUsage 5 Safe,
    CreateKey 5 Never,
    CreateAlias 5 Safe,
    UpdateAlias 5 Safe,
    DeleteAlias 15 Safe,
    PutKeyPolicy 15 Safe,
    UpdateKeyDescription 5 Safe,
    TagResource 10 Safe,
    UntagResource 5 Safe,
    EnableKey 5 Safe,
    DisableKey 5 Safe,
    EnableKeyRotation 15 Safe,
    DisableKeyRotation 5 Safe,
    RotateKeyOnDemand 5 Never,
    CreateGrant 50 Never,
    RevokeGrant 50 Safe,
    ScheduleKeyDeletion 15 Safe,
    CancelKeyDeletion 5 Safe,
}

impl Api {
    /// True when a call whose outcome is unclear may be made again.
    pub fn is_repeatable(self) -> bool {
        self.repeat() == Repeat::Safe
    }
}
