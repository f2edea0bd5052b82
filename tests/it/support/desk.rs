//! Raw calls of KMS, IAM and STS as anybody, signed by the SDK's own signer.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_kms::config::Credentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use http::{Method, Request, Response};
use jiff::Timestamp;
use keywright::engine::{Caller, Engine};
use keywright::model::Principal;
use serde_json::Value;

/// The Region of every call.
pub(crate) const REGION: &str = "eu-central-1";

/// Who calls.
#[derive(Clone, Debug)]
pub(crate) enum As {
    /// The root user of an account, known by its id alone.
    Root(&'static str),
    /// The holder of an access key.
    Key(Keys),
    /// Somebody whom no signature can be.
    Caller(Box<Caller>),
}

/// An access key, perhaps a temporary one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

impl As {
    /// A service of AWS, or another principal without keys, that calls about a place of an account.
    pub(crate) fn principal(principal: Principal, account: &str) -> Self {
        let account = account.parse().unwrap();
        Self::Caller(Box::new(Caller::new(
            principal,
            account,
            REGION.parse().unwrap(),
        )))
    }
}

/// An engine, and the time at which calls are signed.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    pub(crate) engine: Arc<Engine>,
    pub(crate) now: Timestamp,
}

impl Desk {
    /// Calls an operation of KMS.
    pub(crate) fn kms(&self, who: &As, operation: &str, members: &Value) -> (u16, Value) {
        let request = Request::post("https://kms.test/")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("TrentService.{operation}"))
            .body(Bytes::from(members.to_string()));
        let answer = self.send(who, "kms", request.unwrap());
        let status = answer.status().as_u16();
        let body = answer.into_body();
        let body = if body.is_empty() { b"{}" } else { &body[..] };
        (status, serde_json::from_slice(body).unwrap())
    }

    /// Calls an action of IAM or STS with members `NAME=VALUE`, encoded here.
    pub(crate) fn query(&self, who: &As, action: &str, members: &[(&str, &str)]) -> (u16, String) {
        let sts = [
            "AssumeRole",
            "GetCallerIdentity",
            "GetFederationToken",
            "GetSessionToken",
        ];
        let (service, version) = if sts.contains(&action) {
            ("sts", "2011-06-15")
        } else {
            ("iam", "2010-05-08")
        };
        let mut body = format!("Action={action}&Version={version}");
        for (name, value) in members {
            let encoded: Vec<String> = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
            body = body + "&" + name + "=" + &encoded.concat();
        }
        let request = Request::post(format!("https://{service}.test/"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(body));
        let answer = self.send(who, service, request.unwrap());
        let status = answer.status().as_u16();
        (
            status,
            String::from_utf8(answer.into_body().to_vec()).unwrap(),
        )
    }

    /// The same where nothing can go wrong.
    #[track_caller]
    pub(crate) fn done(&self, who: &As, action: &str, members: &[(&str, &str)]) -> String {
        let (status, body) = self.query(who, action, members);
        assert_eq!(status, 200, "{action}: {body}");
        body
    }

    fn send(&self, who: &As, service: &str, mut request: Request<Bytes>) -> Response<Bytes> {
        match who {
            As::Root(account) => {
                let value = format!(
                    "AWS4-HMAC-SHA256 Credential={account}/20260601/{REGION}/{service}/aws4_request, \
                     SignedHeaders=host, Signature=0"
                );
                request
                    .headers_mut()
                    .insert("authorization", value.parse().unwrap());
            }
            As::Key(keys) => signed(keys, service, self.now, &mut request),
            As::Caller(caller) => {
                request.extensions_mut().insert(Caller::clone(caller));
            }
        }
        self.engine.handle(request)
    }
}

/// Signs a request as the SDK does.
pub(crate) fn signed(keys: &Keys, service: &str, now: Timestamp, request: &mut Request<Bytes>) {
    sign_in(SignatureLocation::Headers, keys, service, now, request);
}

/// Makes a presigned URL of a request.
pub(crate) fn presigned(keys: &Keys, service: &str, now: Timestamp, uri: &str) -> Request<Bytes> {
    let mut request = Request::get(uri).body(Bytes::new()).unwrap();
    sign_in(
        SignatureLocation::QueryParams,
        keys,
        service,
        now,
        &mut request,
    );
    request
}

fn sign_in(
    location: SignatureLocation,
    keys: &Keys,
    service: &str,
    now: Timestamp,
    request: &mut Request<Bytes>,
) {
    let Keys { id, secret, token } = keys;
    let credentials = Credentials::new(id, secret, token.clone(), None, "test");
    let identity: Identity = credentials.into();
    let mut settings = SigningSettings::default();
    settings.signature_location = location;
    if location == SignatureLocation::QueryParams {
        settings.expires_in = Some(Duration::from_mins(1));
    }
    let seconds = u64::try_from(now.as_second()).unwrap();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name(service)
        .time(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let copy = request.clone();
    let headers = copy.headers().iter();
    let headers = headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    let method: &Method = copy.method();
    let signable = SignableRequest::new(
        method.as_str(),
        copy.uri().to_string(),
        headers,
        SignableBody::Bytes(copy.body()),
    );
    let (instructions, _) = sign(signable.unwrap(), &parameters).unwrap().into_parts();
    instructions.apply_to_request_http1x(request);
}

/// The text of the first element of a name.
#[track_caller]
pub(crate) fn element(xml: &str, name: &str) -> String {
    let (_, rest) = xml
        .split_once(&format!("<{name}>"))
        .unwrap_or_else(|| panic!("no {name} in {xml}"));
    rest.split_once("</").unwrap().0.to_owned()
}

/// The access key in an answer of `CreateAccessKey`, `AssumeRole` and their like.
#[track_caller]
pub(crate) fn keys(xml: &str) -> Keys {
    Keys {
        id: element(xml, "AccessKeyId"),
        secret: element(xml, "SecretAccessKey"),
        token: xml
            .contains("<SessionToken>")
            .then(|| element(xml, "SessionToken")),
    }
}
