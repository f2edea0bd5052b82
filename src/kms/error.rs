//! What went wrong with a call, in one shape for every operation.

use std::error::Error;
use std::fmt;

use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};

use super::Api;

/// A call that failed for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    /// The operation.
    pub api: Api,
    /// What the failure means for us.
    pub kind: ErrorKind,
    /// AWS's error code, or a word for failures on the way.
    pub code: String,
    /// The server's message; may be empty.
    pub message: String,
}

/// What a failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Too many requests; certainly without effect.
    Throttled,
    /// A timeout, a lost answer or a server fault: the call may have taken effect.
    Unclear,
    /// A principal that AWS does not know yet, as right after its creation.
    NotVisibleYet,
    /// What was asked for is not there.
    NotFound,
    /// The caller may not do it.
    Denied,
    /// Any other refusal.
    Final,
}

impl CallError {
    pub(super) fn new<E>(api: Api, error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let (code, message) = reason(error);
        if error.as_service_error().is_none() {
            return Self {
                api,
                kind: kind_on_the_way(error),
                code,
                message,
            };
        }
        let status = error
            .raw_response()
            .map_or(0, |response| response.status().as_u16());
        Self {
            api,
            kind: kind_of(&code, &message, status),
            code,
            message,
        }
    }

    /// An answer that the model does not allow.
    pub(crate) fn unexpected(api: Api, problem: &str) -> Self {
        Self {
            api,
            kind: ErrorKind::Final,
            code: "unexpected answer".to_owned(),
            message: problem.to_owned(),
        }
    }

    /// True when KMS refuses a policy that its caller could not change again.
    pub fn is_lockout(&self) -> bool {
        self.code == "MalformedPolicyDocumentException"
            && self.message.contains("will not allow you to update")
    }

    /// True when the server does not know the operation at all.
    pub fn is_unknown_operation(&self) -> bool {
        is_unknown_operation(&self.code, &self.message)
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            api,
            kind,
            code,
            message,
        } = self;
        write!(f, "{}: {code}", api.name())?;
        if !message.is_empty() {
            write!(f, ": {message}")?;
        }
        if *kind == ErrorKind::Unclear && !api.is_repeatable() {
            write!(f, " (it may have taken effect; run again to find out)")?;
        }
        Ok(())
    }
}

impl Error for CallError {}

fn kind_of(code: &str, message: &str, status: u16) -> ErrorKind {
    match code {
        "ThrottlingException"
        | "Throttling"
        | "TooManyRequestsException"
        | "RequestLimitExceeded" => ErrorKind::Throttled,
        "MalformedPolicyDocumentException" if message.contains("invalid principals") => {
            ErrorKind::NotVisibleYet
        }
        "InvalidArnException" if message.contains("valid principal") => ErrorKind::NotVisibleYet,
        "NotFoundException" => ErrorKind::NotFound,
        "AccessDeniedException" => ErrorKind::Denied,
        "KMSInternalException" | "DependencyTimeoutException" | "KeyUnavailableException" => {
            ErrorKind::Unclear
        }
        _ if is_unknown_operation(code, message) => ErrorKind::Final,
        _ if status == 429 => ErrorKind::Throttled,
        _ if status >= 500 => ErrorKind::Unclear,
        _ => ErrorKind::Final,
    }
}

/// AWS has a code of its own for it; `LocalStack` says it in the words of an internal error.
fn is_unknown_operation(code: &str, message: &str) -> bool {
    code.starts_with("UnknownOperation")
        || message.contains("not yet implemented")
        || message.contains("with unknown operation")
}

fn kind_on_the_way<E>(error: &SdkError<E>) -> ErrorKind {
    let status = error
        .raw_response()
        .map_or(0, |response| response.status().as_u16());
    let never_sent = if let SdkError::DispatchFailure(failure) = error {
        failure.is_user() || failure.is_other()
    } else {
        matches!(error, SdkError::ConstructionFailure(_))
    };
    if never_sent {
        ErrorKind::Final
    } else if status == 429 {
        ErrorKind::Throttled
    } else {
        ErrorKind::Unclear
    }
}

/// A code and a message for a failure of any service: the server's own, or a word and the innermost cause.
pub fn reason<E>(error: &SdkError<E>) -> (String, String)
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let Some(service) = error.as_service_error() else {
        return (word(error).to_owned(), innermost(error));
    };
    let code = service.code().unwrap_or("Unknown").to_owned();
    (code, service.message().unwrap_or_default().to_owned())
}

fn word<E>(error: &SdkError<E>) -> &'static str {
    if matches!(error, SdkError::ConstructionFailure(_)) {
        "request not built"
    } else if matches!(error, SdkError::TimeoutError(_)) {
        "no answer in time"
    } else if error.raw_response().is_some() {
        "unreadable answer"
    } else {
        "no connection"
    }
}

/// The innermost cause: the SDK's own messages only name the stage.
pub fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
