//! STS `GetCallerIdentity`.

use std::sync::Arc;

use aws_sdk_sts::config::{BehaviorVersion, Credentials, Region};
use bytes::Bytes;
use keywright::engine::connector;

use super::bench::{ACCOUNT, Bench, authorization};

#[tokio::test]
async fn callers_learn_who_they_are() {
    let bench = Bench::new();
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new(ACCOUNT, "secret", None, None, "test"))
        .http_client(connector(Arc::clone(&bench.engine)))
        .build();
    let sts = aws_sdk_sts::Client::from_conf(config);
    let identity = sts.get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some(ACCOUNT));
    assert_eq!(identity.arn(), Some("arn:aws:iam::111122223333:root"));
    assert_eq!(identity.user_id(), Some(ACCOUNT));
}

#[test]
fn other_actions_are_refused_in_the_same_protocol() {
    let request = http::Request::post("https://sts.eu-central-1.amazonaws.com/")
        .header("authorization", authorization("sts"))
        .body(Bytes::from_static(b"Version=2011-06-15&Action=Nonsense"));
    let answer = Bench::new().engine.handle(request.unwrap());
    assert_eq!(answer.status(), 400);
    let body = String::from_utf8(answer.into_body().to_vec()).unwrap();
    assert!(body.contains("<Code>InvalidAction</Code>"), "{body}");
}
