//! How requests are read and answers are written: AWS JSON 1.1, and the query protocol of IAM and STS.

mod constraint;
mod failure;
pub(crate) mod percent;
mod value;
mod words;
mod xml;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderName, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use constraint::Check;
pub(crate) use failure::{Code, Failure};
pub(crate) use value::{Blob, Seconds, Structure};
pub(crate) use words::words;
pub(crate) use xml::{Form, Xml, respond_query};

const JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Reads a request's members, of which the last one counts where a name comes twice.
pub(crate) fn members(body: &[u8]) -> Result<Map<String, Value>, Failure> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| unreadable(&error))
}

/// Reads what an operation knows of the members.
pub(crate) fn read<T: DeserializeOwned>(members: &Map<String, Value>) -> Result<T, Failure> {
    T::deserialize(members).map_err(|error| unreadable(&error))
}

/// What is not JSON or has a member of the wrong type is a `SerializationException`.
fn unreadable(error: &serde_json::Error) -> Failure {
    let text = error.to_string();
    let reason = if !error.is_data() {
        None
    } else if text.starts_with("invalid type: map") {
        Some("Start of structure or map found where not expected.")
    } else if text.starts_with("invalid type: sequence") {
        Some("Start of list found where not expected.")
    } else if text.starts_with("invalid type: string") {
        Some("STRING_VALUE can not be converted to the expected type.")
    } else if text.starts_with("invalid type: null") {
        Some("Null found where not expected.")
    } else if text.starts_with("invalid type: boolean") {
        Some("BOOLEAN_VALUE can not be converted to the expected type.")
    } else if text.starts_with("invalid type") {
        Some("NUMBER_VALUE can not be converted to the expected type.")
    } else {
        Some("The request has a value that can not be read.")
    };
    Failure {
        code: Code::Serialization,
        message: reason.map(str::to_owned),
    }
}

/// Writes an operation's output.
pub(crate) fn write<T: Serialize>(output: &T) -> Result<Bytes, Failure> {
    serde_json::to_vec(output)
        .map(Bytes::from)
        .map_err(|error| Failure::internal(&error))
}

/// Makes the HTTP response of an outcome.
pub(crate) fn respond(outcome: Result<Bytes, Failure>, request_id: &str) -> Response<Bytes> {
    let (status, body) = match outcome {
        Ok(body) => (StatusCode::OK, body),
        Err(failure) => (failure.code.status(), failure_body(&failure)),
    };
    seal(status, JSON, body, request_id)
}

/// Puts the headers of every answer around a body.
pub(crate) fn seal(
    status: StatusCode,
    content_type: HeaderValue,
    body: Bytes,
    request_id: &str,
) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    // A request that was not heard out has no id.
    if !request_id.is_empty()
        && let Ok(request_id) = HeaderValue::from_str(request_id)
    {
        headers.insert(REQUEST_ID, request_id);
    }
    response
}

fn failure_body(failure: &Failure) -> Bytes {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(rename = "__type")]
        code: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<&'a str>,
    }
    let body = Body {
        code: failure.code.name(),
        message: failure.message.as_deref(),
    };
    serde_json::to_vec(&body)
        .map(Bytes::from)
        .unwrap_or_default()
}

/// A tag as requests and answers carry it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WireTag {
    pub tag_key: Option<String>,
    pub tag_value: Option<String>,
}
