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

use super::Engine;

/// An HTTP client whose every request is answered by the engine.
pub fn connector(engine: Arc<Engine>) -> SharedHttpClient {
    SharedHttpClient::new(InProcess {
        connector: SharedHttpConnector::new(Direct { engine }),
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
}

impl HttpConnector for Direct {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(exchange(&self.engine, request))
    }
}

fn exchange(engine: &Engine, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let request = request
        .try_into_http1x()
        .map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    let body = body
        .bytes()
        .map(Bytes::copy_from_slice)
        .ok_or_else(|| ConnectorError::user("the engine takes no streamed requests".into()))?;
    let response = engine.handle(http::Request::from_parts(parts, body));
    response.map(SdkBody::from).try_into().map_err(
        |error: aws_smithy_runtime_api::http::HttpError| ConnectorError::other(error.into(), None),
    )
}
