//! Signature Version 4: what is signed well is answered, and everything else is told what is wrong.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Request};
use jiff::{SignedDuration, Timestamp};
use keywright::engine::{Credentials, Engine, Rules, Settings, Store};
use keywright::model::{Partition, Principal};
use serde_json::json;

use super::bench::{ACCOUNT, Bench};
use crate::support::desk::{As, Desk, Keys, keys, presigned, signed};

/// A desk with a user who may do anything, and the user's access key.
fn desk() -> (Desk, Keys) {
    let bench = Bench::new();
    let desk = Desk {
        now: Timestamp::from_millisecond(1_780_000_000_000).unwrap(),
        engine: bench.engine,
    };
    let root = As::Root(ACCOUNT);
    desk.done(&root, "CreateUser", &[("UserName", "ann")]);
    let arn = "arn:aws:iam::aws:policy/AdministratorAccess";
    desk.done(
        &root,
        "AttachUserPolicy",
        &[("UserName", "ann"), ("PolicyArn", arn)],
    );
    let made = desk.done(&root, "CreateAccessKey", &[("UserName", "ann")]);
    (desk, keys(&made))
}

fn list_keys() -> Request<Bytes> {
    Request::post("https://kms.test/")
        .header("x-amz-target", "TrentService.ListKeys")
        .body(Bytes::from_static(b"{}"))
        .unwrap()
}

/// What an engine answers.
fn answer(engine: &Engine, request: Request<Bytes>) -> (u16, String) {
    let answer = engine.handle(request);
    let status = answer.status().as_u16();
    (
        status,
        String::from_utf8(answer.into_body().to_vec()).unwrap(),
    )
}

/// Expects an error for a request that was signed well and then changed.
#[track_caller]
fn check(change: impl FnOnce(&mut Request<Bytes>), code: &str, message: &str) {
    let (desk, keys) = desk();
    let mut request = list_keys();
    signed(&keys, "kms", desk.now, &mut request);
    change(&mut request);
    let (status, body) = answer(&desk.engine, request);
    assert_eq!(status, 400, "{body}");
    assert!(body.contains(code) && body.contains(message), "{body}");
}

fn set(name: &'static str, value: &str) -> impl FnOnce(&mut Request<Bytes>) {
    let value = HeaderValue::from_str(value).unwrap();
    move |request| drop(request.headers_mut().insert(name, value))
}

/// Changes a text in the `Authorization` header.
fn replace(from: &str, to: &str) -> impl FnOnce(&mut Request<Bytes>) {
    move |request| {
        let header = request.headers()["authorization"].to_str().unwrap();
        let header = header.replace(from, to);
        request
            .headers_mut()
            .insert("authorization", header.parse().unwrap());
    }
}

const MISMATCH: &str = "The request signature we calculated does not match";

#[test]
fn a_good_signature_stands_for_its_user() {
    let (desk, keys) = desk();
    let who = As::Key(keys);
    assert_eq!(desk.kms(&who, "ListKeys", &json!({})).0, 200);
    let told = desk.done(&who, "GetCallerIdentity", &[]);
    assert!(
        told.contains("<Arn>arn:aws:iam::111122223333:user/ann</Arn>"),
        "{told}"
    );
}

#[test]
fn what_was_changed_after_signing_does_not_match() {
    let wrong = "InvalidSignatureException";
    check(
        |request| *request.body_mut() = Bytes::from_static(b"{ }"),
        wrong,
        MISMATCH,
    );
    check(
        set("x-amz-target", "TrentService.ListAliases"),
        wrong,
        MISMATCH,
    );
    check(replace("Signature=", "Signature=00"), wrong, MISMATCH);
    check(replace("Signature=", "Signature=x"), wrong, MISMATCH);
    check(replace("eu-central-1", "us-east-1"), wrong, MISMATCH);
    check(
        |request| *request.uri_mut() = "https://other.test/".parse().unwrap(),
        wrong,
        MISMATCH,
    );
    check(
        |request| *request.uri_mut() = "https://kms.test/?a=b".parse().unwrap(),
        wrong,
        MISMATCH,
    );
    check(
        |request| *request.uri_mut() = "https://kms.test/a".parse().unwrap(),
        wrong,
        MISMATCH,
    );
    check(
        set("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        wrong,
        MISMATCH,
    );
}

#[test]
fn a_secret_that_is_wrong_does_not_match() {
    let (desk, keys) = desk();
    let who = As::Key(Keys {
        secret: "wrong".to_owned(),
        ..keys
    });
    let (_, body) = desk.kms(&who, "ListKeys", &json!({}));
    assert_eq!(body["__type"], "InvalidSignatureException");
    let (status, body) = desk.query(&who, "ListUsers", &[]);
    assert_eq!(status, 403);
    assert!(
        body.contains("<Code>SignatureDoesNotMatch</Code>"),
        "{body}"
    );
}

#[test]
fn signatures_are_for_one_service() {
    let (desk, keys) = desk();
    let mut request = list_keys();
    signed(&keys, "iam", desk.now, &mut request);
    let (_, body) = answer(&desk.engine, request);
    assert!(
        body.contains("Credential should be scoped to correct service: 'kms'."),
        "{body}"
    );
}

#[test]
fn signatures_are_whole() {
    let code = "IncompleteSignatureException";
    check(
        replace("Signature=", "Nothing="),
        code,
        "requires 'Signature' parameter",
    );
    check(
        replace("SignedHeaders=", "Nothing="),
        code,
        "requires 'SignedHeaders' parameter",
    );
    check(
        replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
        code,
        "Unsupported AWS 'algorithm'",
    );
    check(
        |request| drop(request.headers_mut().remove("x-amz-date")),
        code,
        "X-Amz-Date",
    );
    check(set("x-amz-date", "yesterday"), "Exception", "Date");
    check(
        set("authorization", "AWS4-HMAC-SHA256"),
        code,
        "not a valid key=value pair",
    );
    check(replace("host;", ""), "InvalidSignatureException", "");
    check(
        |request| drop(request.headers_mut().remove("authorization")),
        "MissingAuthenticationTokenException",
        "Token",
    );
}

#[test]
fn requests_are_good_for_five_minutes_either_way() {
    let (desk, keys) = desk();
    let at = |minutes: i64| {
        let mut request = list_keys();
        let time = desk.now + SignedDuration::from_secs(minutes * 60);
        signed(&keys, "kms", time, &mut request);
        answer(&desk.engine, request)
    };
    assert_eq!(at(-5).0, 200);
    assert_eq!(at(5).0, 200);
    let (status, body) = at(-6);
    assert_eq!(status, 400);
    assert!(
        body.contains("InvalidSignatureException") && body.contains("Signature expired: "),
        "{body}"
    );
    assert!(at(6).1.contains("Signature not yet current: "));
}

#[test]
fn keys_that_are_no_longer_good_are_unknown() {
    let (desk, keys) = desk();
    let root = As::Root(ACCOUNT);
    let who = As::Key(keys.clone());
    let id = ("AccessKeyId", &*keys.id);
    let status = |status| [("UserName", "ann"), id, ("Status", status)];
    desk.done(&root, "UpdateAccessKey", &status("Inactive"));
    assert_eq!(
        desk.kms(&who, "ListKeys", &json!({})).1["__type"],
        "UnrecognizedClientException"
    );
    desk.done(&root, "UpdateAccessKey", &status("Active"));
    assert_eq!(desk.kms(&who, "ListKeys", &json!({})).0, 200);
    desk.done(&root, "DeleteAccessKey", &[("UserName", "ann"), id]);
    let (_, body) = desk.kms(&who, "ListKeys", &json!({}));
    assert_eq!(body["__type"], "UnrecognizedClientException");
    assert_eq!(
        body["message"],
        "The security token included in the request is invalid."
    );
    assert!(
        desk.query(&who, "ListUsers", &[])
            .1
            .contains("<Code>InvalidClientTokenId</Code>")
    );
}

#[test]
fn presigned_urls_tell_who_calls_for_as_long_as_they_say() {
    let (desk, keys) = desk();
    let uri = "https://sts.test/?Action=GetCallerIdentity&Version=2011-06-15";
    let url = |seconds: i64| {
        let time = desk.now - SignedDuration::from_secs(seconds);
        presigned(&keys, "sts", time, uri)
    };
    let (status, body) = answer(&desk.engine, url(0));
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("user/ann"), "{body}");
    assert_eq!(answer(&desk.engine, url(60)).0, 200);
    let (status, body) = answer(&desk.engine, url(61));
    assert_eq!(status, 403);
    assert!(body.contains("Signature expired"), "{body}");
}

#[test]
fn a_url_that_anybody_can_write_changes_nothing() {
    let (desk, _) = desk();
    let anybody = Keys {
        id: ACCOUNT.to_owned(),
        secret: "any".to_owned(),
        token: None,
    };
    let uri = "https://iam.test/?Action=CreateUser&Version=2010-05-08&UserName=eve";
    let (status, body) = answer(&desk.engine, presigned(&anybody, "iam", desk.now, uri));
    assert_eq!(status, 403, "{body}");
    assert!(
        !desk
            .done(&As::Root(ACCOUNT), "ListUsers", &[])
            .contains("eve")
    );
}

#[test]
fn a_session_of_another_engine_is_nobody() {
    let (desk, ann) = desk();
    let foreign = |id: &str, token: Option<&str>| Keys {
        id: id.to_owned(),
        secret: "any".to_owned(),
        token: token.map(str::to_owned),
    };
    for keys in [
        foreign("ASIAIOSFODNN7EXAMPLE", Some("stale")),
        foreign("ASIAIOSFODNN7EXAMPLE", None),
        foreign("AKIAIOSFODNN7EXAMPLE", Some("stale")),
        foreign(ACCOUNT, Some("stale")),
        Keys {
            token: Some("stale".to_owned()),
            ..ann
        },
    ] {
        let who = As::Key(keys);
        let (status, body) = desk.kms(&who, "ListKeys", &json!({}));
        assert_eq!(
            (status, body["__type"].as_str()),
            (400, Some("UnrecognizedClientException")),
            "{who:?}"
        );
        let (status, body) = desk.query(&who, "GetCallerIdentity", &[]);
        assert_eq!(status, 403);
        assert!(body.contains("<Code>InvalidClientTokenId</Code>"), "{body}");
    }
    let root = As::Key(foreign("AKIAIOSFODNN7EXAMPLE", None));
    assert_eq!(desk.kms(&root, "ListKeys", &json!({})).0, 200);
}

#[test]
fn a_strict_engine_answers_holders_of_its_keys_only() {
    let mut settings = Settings::new(Store::Memory, ACCOUNT.parse().unwrap());
    settings.rules = Rules {
        credentials: Credentials::Strict,
        ..Rules::default()
    };
    let engine = Arc::new(Engine::open(settings).unwrap());
    let issued = engine.issue_keys(
        &Principal::Account(Partition::Aws, ACCOUNT.parse().unwrap()),
        &"eu-central-1".parse().unwrap(),
    );
    let issued = issued.unwrap();
    let desk = Desk {
        now: Timestamp::now(),
        engine,
    };
    let (_, body) = desk.kms(&As::Root(ACCOUNT), "ListKeys", &json!({}));
    assert_eq!(body["__type"], "UnrecognizedClientException");
    let who = As::Key(Keys {
        id: issued.access_key,
        secret: issued.secret,
        token: issued.token,
    });
    assert_eq!(desk.kms(&who, "ListKeys", &json!({})).0, 200);
}
