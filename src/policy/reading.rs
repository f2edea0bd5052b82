//! Where AWS's pages are silent or disagree: the reading we took, one switch each.

/// Whether `*` as a principal takes in AWS services, as older queue and topic policies rely on.
pub(super) const ANYONE_INCLUDES_SERVICES: bool = true;

/// Whether `ForAnyValue:…IfExists` holds without its key; plain `ForAnyValue` does not.
pub(super) const FOR_ANY_VALUE_IF_EXISTS_HOLDS_WITHOUT_KEY: bool = true;

/// Whether an action may write `*` for its service; any other wildcard there is no service's name.
pub(super) const ANY_SERVICE_MAY_BE_STARRED: bool = true;

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
