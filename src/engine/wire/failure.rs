//! Errors as KMS answers them.

use std::fmt;

use http::StatusCode;

use crate::engine::entropy::NoEntropy;

macro_rules! codes {
    ($($variant:ident = $text:literal,)+) => {
        /// An error code of KMS, IAM or STS.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code { $($variant,)+ }

        impl Code {
            /// The code's name on the wire.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

codes! {
    AccessDenied = "AccessDeniedException",
    AlreadyExists = "AlreadyExistsException",
    CloudHsmClusterInUse = "CloudHsmClusterInUseException",
    CloudHsmClusterInvalidConfiguration = "CloudHsmClusterInvalidConfigurationException",
    CloudHsmClusterNotActive = "CloudHsmClusterNotActiveException",
    CloudHsmClusterNotFound = "CloudHsmClusterNotFoundException",
    CloudHsmClusterNotRelated = "CloudHsmClusterNotRelatedException",
    Conflict = "ConflictException",
    CustomKeyStoreHasCmks = "CustomKeyStoreHasCMKsException",
    CustomKeyStoreInvalidState = "CustomKeyStoreInvalidStateException",
    CustomKeyStoreNameInUse = "CustomKeyStoreNameInUseException",
    CustomKeyStoreNotFound = "CustomKeyStoreNotFoundException",
    DeleteConflict = "DeleteConflict",
    Disabled = "DisabledException",
    DryRun = "DryRunOperationException",
    EntityAlreadyExists = "EntityAlreadyExists",
    ExpiredImportToken = "ExpiredImportTokenException",
    ExpiredToken = "ExpiredTokenException",
    IncompleteSignature = "IncompleteSignatureException",
    IncorrectKey = "IncorrectKeyException",
    IncorrectKeyMaterial = "IncorrectKeyMaterialException",
    IncorrectTrustAnchor = "IncorrectTrustAnchorException",
    Internal = "KMSInternalException",
    InvalidAction = "InvalidAction",
    InvalidAliasName = "InvalidAliasNameException",
    InvalidArn = "InvalidArnException",
    InvalidCiphertext = "InvalidCiphertextException",
    InvalidGrantId = "InvalidGrantIdException",
    InvalidGrantToken = "InvalidGrantTokenException",
    InvalidImportToken = "InvalidImportTokenException",
    InvalidInput = "InvalidInput",
    InvalidKeyUsage = "InvalidKeyUsageException",
    InvalidMac = "KMSInvalidMacException",
    InvalidMarker = "InvalidMarkerException",
    InvalidSignature = "KMSInvalidSignatureException",
    InvalidState = "KMSInvalidStateException",
    LimitExceeded = "LimitExceededException",
    MalformedPolicyDocument = "MalformedPolicyDocumentException",
    MissingAuthenticationToken = "MissingAuthenticationTokenException",
    NoSuchEntity = "NoSuchEntity",
    NotFound = "NotFoundException",
    RequestEntityTooLarge = "RequestEntityTooLargeException",
    RequestTimeout = "RequestTimeoutException",
    Serialization = "SerializationException",
    SignatureMismatch = "InvalidSignatureException",
    Tag = "TagException",
    UnknownOperation = "UnknownOperationException",
    Throttling = "ThrottlingException",
    UnrecognizedClient = "UnrecognizedClientException",
    UnsupportedOperation = "UnsupportedOperationException",
    Validation = "ValidationException",
    XksKeyAlreadyInUse = "XksKeyAlreadyInUseException",
    XksKeyInvalidConfiguration = "XksKeyInvalidConfigurationException",
    XksKeyNotFound = "XksKeyNotFoundException",
    XksProxyIncorrectAuthenticationCredential = "XksProxyIncorrectAuthenticationCredentialException",
    XksProxyInvalidConfiguration = "XksProxyInvalidConfigurationException",
    XksProxyInvalidResponse = "XksProxyInvalidResponseException",
    XksProxyUriEndpointInUse = "XksProxyUriEndpointInUseException",
    XksProxyUriInUse = "XksProxyUriInUseException",
    XksProxyUriUnreachable = "XksProxyUriUnreachableException",
    XksProxyVpcEndpointServiceInUse = "XksProxyVpcEndpointServiceInUseException",
    XksProxyVpcEndpointServiceInvalidConfiguration = "XksProxyVpcEndpointServiceInvalidConfigurationException",
    XksProxyVpcEndpointServiceNotFound = "XksProxyVpcEndpointServiceNotFoundException",
}

impl Code {
    /// KMS answers 400 to every fault of the client, whatever its model says.
    pub(crate) fn status(self) -> StatusCode {
        if self == Self::Internal {
            StatusCode::INTERNAL_SERVER_ERROR
        } else if self == Self::RequestEntityTooLarge {
            StatusCode::PAYLOAD_TOO_LARGE
        } else if self == Self::RequestTimeout {
            StatusCode::REQUEST_TIMEOUT
        } else {
            StatusCode::BAD_REQUEST
        }
    }

    /// The code's name in answers of IAM and STS.
    pub(crate) fn query_name(self) -> &'static str {
        const OTHERS: &[(Code, &str)] = &[
            (Code::Internal, "ServiceFailure"),
            (Code::SignatureMismatch, "SignatureDoesNotMatch"),
            (Code::UnrecognizedClient, "InvalidClientTokenId"),
            (Code::Validation, "ValidationError"),
        ];
        let other = OTHERS.iter().find(|(code, _)| *code == self);
        other.map_or(self.name().trim_end_matches("Exception"), |(_, name)| name)
    }

    /// The status of answers of IAM and STS.
    pub(crate) fn query_status(self) -> StatusCode {
        const FORBIDDEN: &[Code] = &[
            Code::AccessDenied,
            Code::ExpiredToken,
            Code::SignatureMismatch,
            Code::MissingAuthenticationToken,
            Code::UnrecognizedClient,
        ];
        const CONFLICT: &[Code] = &[
            Code::DeleteConflict,
            Code::EntityAlreadyExists,
            Code::LimitExceeded,
        ];
        if FORBIDDEN.contains(&self) {
            StatusCode::FORBIDDEN
        } else if CONFLICT.contains(&self) {
            StatusCode::CONFLICT
        } else if self == Self::NoSuchEntity {
            StatusCode::NOT_FOUND
        } else {
            self.status()
        }
    }
}

/// Why an operation was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub code: Code,
    /// Some errors of KMS have no message at all.
    pub message: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: Some(message.into()),
        }
    }

    pub(crate) fn silent(code: Code) -> Self {
        Self {
            code,
            message: None,
        }
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(Code::Validation, message)
    }

    /// A fault of the engine itself.
    pub(crate) fn internal(cause: &dyn fmt::Display) -> Self {
        Self::new(Code::Internal, format!("the local engine failed: {cause}"))
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::internal(&error)
    }
}

impl From<NoEntropy> for Failure {
    fn from(error: NoEntropy) -> Self {
        Self::internal(&error)
    }
}
