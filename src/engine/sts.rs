//! The one operation of STS that clients of KMS need: who am I?

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};

use super::caller::Caller;
use super::wire;

const XML: HeaderValue = HeaderValue::from_static("text/xml");
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The action that a request of the query protocol names.
pub(crate) fn action(body: &[u8]) -> Option<&str> {
    let body = std::str::from_utf8(body).ok()?;
    body.split('&')
        .find_map(|pair| pair.strip_prefix("Action="))
}

/// Answers an action.
pub(crate) fn answer(action: &str, caller: &Caller, request_id: &str) -> Response<Bytes> {
    let (status, body) = match action {
        "GetCallerIdentity" => (StatusCode::OK, identity(caller, request_id)),
        _ => (StatusCode::BAD_REQUEST, unknown(request_id)),
    };
    wire::seal(status, XML, Bytes::from(body), request_id)
}

fn identity(caller: &Caller, request_id: &str) -> String {
    let Caller {
        account, principal, ..
    } = caller;
    format!(
        "<GetCallerIdentityResponse xmlns=\"{NAMESPACE}\"><GetCallerIdentityResult><Arn>{principal}</Arn>\
         <UserId>{account}</UserId><Account>{account}</Account></GetCallerIdentityResult>\
         <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    )
}

fn unknown(request_id: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>InvalidAction</Code>\
         <Message>Could not find the operation</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
}
