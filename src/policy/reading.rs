//! Where AWS's pages are silent or disagree: the reading we took, one switch each.

/// Whether `*` as a principal takes in AWS services, as older queue and topic policies rely on.
pub const ANYONE_INCLUDES_SERVICES: bool = true;

/// Whether `ForAnyValue:…IfExists` holds without its key; plain `ForAnyValue` does not.
pub const FOR_ANY_VALUE_IF_EXISTS_HOLDS_WITHOUT_KEY: bool = true;

/// Whether an action may write `*` for its service; any other wildcard there is no service's name.
pub const ANY_SERVICE_MAY_BE_STARRED: bool = true;

/// Whether a session's ARN may write its role's name in other case; no two roles of an account differ in case alone.
pub const SESSIONS_IGNORE_CASE_OF_ROLE: bool = true;

/// Whether `*` in the `Resource` of a caller's own policy goes beyond the colons of an ARN.
///
/// IAM's text says so of a `*` that ends a part, as in `arn:aws:kms:*`, and advises against any other.
pub const RESOURCE_WILDCARDS_CROSS_COLONS: bool = true;

/// Whether `*` with a condition on `aws:PrincipalArn` gives a role no more than its boundary and session policies do.
///
/// IAM's page on implicit denies can be read either way; what names the role itself is limited for certain.
pub const PRINCIPAL_ARN_CONDITION_IS_LIMITED: bool = false;

/// Whether boundaries and session policies limit what a grant gives, short of denying it.
pub const GRANTS_ARE_LIMITED: bool = false;

/// Whether a grant to an account serves all whom that account's IAM policies allow, as a key policy would, or only its
/// root user.
pub const ACCOUNT_GRANT_DELEGATES: bool = true;

/// Whether a grant's `SourceArn` keeps out callers that are no AWS services and call for no resource.
///
/// The API reference says that it works like a condition on `aws:SourceArn`; a guide, that it is for services.
pub const SOURCE_ARN_BINDS_EVERYONE: bool = true;

/// Whether the root user of another account needs a policy of that account, as everyone else there does.
///
/// IAM's text wants both accounts to allow; no policy can be attached to a root user, to whom its own account allows all.
pub const FOREIGN_ROOT_USER_NEEDS_POLICY: bool = false;

/// Whether operations that are not in our table may work across accounts.
pub const UNKNOWN_OPERATIONS_CROSS_ACCOUNTS: bool = true;

/// Whom `NotPrincipal` leaves out.
///
/// IAM's text wants a caller's account and role listed along with the caller; one of its examples does without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exemption {
    /// Callers whose whole chain is listed: account, role, session.
    #[default]
    WholeChain,
    /// Callers that are listed themselves, or whose role is.
    AnyLink,
}

impl Exemption {
    /// The other reading.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::WholeChain => Self::AnyLink,
            Self::AnyLink => Self::WholeChain,
        }
    }
}
