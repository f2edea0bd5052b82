//! What a request asks for: KMS names its operation in a header, IAM and STS in a form.

use http::Method;
use http::request::Parts;

use super::record::Service;
use super::wire::Form;

/// What a request asks for.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// An operation of KMS, known or not; empty where it is another service's.
    Json(String),
    /// An action of IAM or STS with its members.
    Query(Service, String, Form),
}

const IAM_VERSION: &str = "2010-05-08";

impl Target {
    pub(crate) fn of(parts: &Parts, body: &[u8]) -> Self {
        let is_post = parts.method == Method::POST;
        if let Some(target) = parts.headers.get("x-amz-target") {
            let name = target
                .to_str()
                .ok()
                .and_then(|target| target.strip_prefix("TrentService."));
            let name = name.filter(|_| is_post).unwrap_or_default();
            return Self::Json(name.to_owned());
        }
        let text = match parts.method {
            Method::POST if !body.is_empty() => std::str::from_utf8(body).unwrap_or_default(),
            // A presigned URL has the members in it.
            Method::GET | Method::POST => parts.uri.query().unwrap_or_default(),
            _ => "",
        };
        let form = Form::read(text);
        let Some(action) = form.get("Action").map(str::to_owned) else {
            return Self::Json(String::new());
        };
        let service = if form.get("Version") == Some(IAM_VERSION) {
            Service::Iam
        } else {
            Service::Sts
        };
        Self::Query(service, action, form)
    }

    pub(crate) fn service(&self) -> Service {
        match self {
            Self::Json(_) => Service::Kms,
            Self::Query(service, ..) => *service,
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Json(name) | Self::Query(_, name, _) => name,
        }
    }
}
