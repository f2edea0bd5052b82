//! The hook around every call.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Response;
use keywright::engine::{Call, Engine, Interceptor, Settings, Store};

use super::bench::{ACCOUNT, REGION, client, refused};

/// Throttles the second call and notes all of them.
#[derive(Debug, Default)]
struct Second(Mutex<Vec<String>>);

impl Interceptor for Second {
    fn before(&self, call: &Call<'_>) -> Option<Response<Bytes>> {
        let throttled = br#"{"__type":"ThrottlingException","message":"slow down"}"#;
        (call.number == 2).then(|| {
            let mut response = Response::new(Bytes::from_static(throttled));
            *response.status_mut() = http::StatusCode::BAD_REQUEST;
            response
        })
    }

    fn after(&self, call: &Call<'_>, response: Response<Bytes>) -> Response<Bytes> {
        let seen = format!("{} {} {}", call.number, call.operation, call.caller.account);
        self.0.lock().unwrap().push(seen);
        response
    }
}

#[tokio::test]
async fn an_interceptor_sees_calls_and_answers_in_the_engines_place() {
    let second = Arc::new(Second::default());
    let hook: Arc<dyn Interceptor> = Arc::<Second>::clone(&second);
    let mut settings = Settings::new(Store::Memory, ACCOUNT.parse().unwrap());
    settings.interceptor = Some(hook);
    let engine = Arc::new(Engine::open(settings).unwrap());
    let kms = client(&engine, ACCOUNT, REGION);
    kms.create_key().send().await.unwrap();
    refused(
        kms.create_key().send().await,
        "ThrottlingException",
        "slow down",
    );
    assert_eq!(kms.list_keys().send().await.unwrap().keys().len(), 1);
    let seen = second.0.lock().unwrap().join(", ");
    assert_eq!(seen, "1 CreateKey 111122223333, 3 ListKeys 111122223333");
}
