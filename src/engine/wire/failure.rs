//! Errors as KMS answers them.

use std::fmt;

use http::StatusCode;

use crate::engine::entropy::NoEntropy;

macro_rules! codes {
    ($($variant:ident = $text:literal,)+) => {
        /// An error code of KMS.
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
    Disabled = "DisabledException",
    DryRun = "DryRunOperationException",
    ExpiredImportToken = "ExpiredImportTokenException",
    IncompleteSignature = "IncompleteSignatureException",
    IncorrectKey = "IncorrectKeyException",
    IncorrectKeyMaterial = "IncorrectKeyMaterialException",
    IncorrectTrustAnchor = "IncorrectTrustAnchorException",
    Internal = "KMSInternalException",
    InvalidAliasName = "InvalidAliasNameException",
    InvalidArn = "InvalidArnException",
    InvalidCiphertext = "InvalidCiphertextException",
    InvalidGrantId = "InvalidGrantIdException",
    InvalidGrantToken = "InvalidGrantTokenException",
    InvalidImportToken = "InvalidImportTokenException",
    InvalidKeyUsage = "InvalidKeyUsageException",
    InvalidMac = "KMSInvalidMacException",
    InvalidMarker = "InvalidMarkerException",
    InvalidSignature = "KMSInvalidSignatureException",
    InvalidState = "KMSInvalidStateException",
    LimitExceeded = "LimitExceededException",
    MalformedPolicyDocument = "MalformedPolicyDocumentException",
    MissingAuthenticationToken = "MissingAuthenticationTokenException",
    NotFound = "NotFoundException",
    Serialization = "SerializationException",
    Tag = "TagException",
    UnknownOperation = "UnknownOperationException",
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
        } else {
            StatusCode::BAD_REQUEST
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
