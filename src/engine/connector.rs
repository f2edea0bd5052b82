//! The engine as the HTTP connector of an AWS SDK client: requests never leave the process.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;

use super::chaos::Fate;
use super::{Caller, Engine};
use crate::model::Place;

/// An HTTP client whose every request is answered by the engine; the request's signature tells who calls.
pub fn connector(engine: Arc<Engine>) -> SharedHttpClient {
    in_process(Direct {
        engine,
        caller: None,
    })
}

/// The same for the root user of a place's account, whose requests need no signature.
///
/// The caller travels beside the request, where nothing that comes over a network can put one.
pub fn connector_as_root(engine: Arc<Engine>, place: &Place) -> SharedHttpClient {
    connector_as(engine, Caller::root(place))
}

/// The same for any caller.
pub fn connector_as(engine: Arc<Engine>, caller: Caller) -> SharedHttpClient {
    in_process(Direct {
        engine,
        caller: Some(caller),
    })
}

fn in_process(direct: Direct) -> SharedHttpClient {
    SharedHttpClient::new(InProcess {
        connector: SharedHttpConnector::new(direct),
    })
}

#[derive(Debug)]
struct InProcess {
    connector: SharedHttpConnector,
}

impl HttpClient for InProcess {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.connector.clone()
    }
}

#[derive(Debug)]
struct Direct {
    engine: Arc<Engine>,
    /// Known without a signature.
    caller: Option<Caller>,
}

impl HttpConnector for Direct {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = exchange(self, request);
        let fate = answer.as_ref().ok().and_then(|answer| answer.1);
        let answer = answer.map(|answer| answer.0);
        let Some(Fate { delay, is_lost }) = fate else {
            return HttpConnectorFuture::ready(answer);
        };
        HttpConnectorFuture::new(async move {
            tokio::time::sleep(delay).await;
            if is_lost {
                return Err(ConnectorError::io("the connection was lost".into()));
            }
            answer
        })
    }
}

/// The answer to a request, and what becomes of it on its way.
fn exchange(
    direct: &Direct,
    request: HttpRequest,
) -> Result<(HttpResponse, Option<Fate>), ConnectorError> {
    let request = request
        .try_into_http1x()
        .map_err(|error| ConnectorError::user(error.into()))?;
    let (mut parts, body) = request.into_parts();
    if let Some(caller) = &direct.caller {
        parts.extensions.insert(caller.clone());
    }
    let body = body
        .bytes()
        .map(Bytes::copy_from_slice)
        .ok_or_else(|| ConnectorError::user("the engine takes no streamed requests".into()))?;
    let response = direct.engine.handle(http::Request::from_parts(parts, body));
    let fate = response.extensions().get().copied();
    let response = response.map(SdkBody::from).try_into().map_err(
        |error: aws_smithy_runtime_api::http::HttpError| ConnectorError::other(error.into(), None),
    );
    Ok((response?, fate))
}
