//! What decisions know of a call besides who makes it.

use serde_json::{Value, json};

use super::bench::{ACCOUNT, Bench};
use crate::support::desk::{As, Desk, keys};

const ROOT: As = As::Root(ACCOUNT);
const ANN: &str = "arn:aws:iam::111122223333:user/ann";

struct Stage {
    desk: Desk,
    ann: As,
}

impl Stage {
    /// Ann, who may do everything but what a statement denies.
    fn new(action: &str, condition: &Value) -> Self {
        let desk = Desk {
            now: jiff::Timestamp::from_millisecond(1_780_000_000_000).unwrap(),
            engine: Bench::new().engine,
        };
        let ann = ("UserName", "ann");
        desk.done(&ROOT, "CreateUser", &[ann]);
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": action, "Resource": "*", "Condition": condition},
        ]});
        let policy = policy.to_string();
        let members = [ann, ("PolicyName", "own"), ("PolicyDocument", &*policy)];
        desk.done(&ROOT, "PutUserPolicy", &members);
        let made = desk.done(&ROOT, "CreateAccessKey", &[ann]);
        Self {
            ann: As::Key(keys(&made)),
            desk,
        }
    }

    fn key(&self, members: &Value) -> String {
        let (status, made) = self.desk.kms(&ROOT, "CreateKey", members);
        assert_eq!(status, 200, "{made}");
        made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
    }

    /// Expects a call of Ann's to be denied, or not.
    #[track_caller]
    fn check(&self, operation: &str, members: &Value, is_denied: bool) {
        let (status, body) = self.desk.kms(&self.ann, operation, members);
        if is_denied {
            assert_eq!(body["__type"], "AccessDeniedException", "{body}");
        } else {
            assert_eq!(status, 200, "{body}");
        }
    }
}

fn is(key: &str, value: &str) -> Value {
    json!({"StringEquals": {key: value}})
}

#[test]
fn a_new_key_is_what_the_older_name_of_its_spec_says() {
    for key in ["kms:KeySpec", "kms:CustomerMasterKeySpec"] {
        let stage = Stage::new("kms:CreateKey", &is(key, "ECC_NIST_P256"));
        for member in ["KeySpec", "CustomerMasterKeySpec"] {
            for (spec, is_denied) in [("ECC_NIST_P256", true), ("ECC_NIST_P384", false)] {
                let members = json!({member: spec, "KeyUsage": "SIGN_VERIFY"});
                stage.check("CreateKey", &members, is_denied);
            }
        }
        stage.check("CreateKey", &json!({}), false);
    }
}

/// Expects what becomes of replicating a key to Paris and to Dublin.
#[track_caller]
fn check_replicas(condition: &Value, paris: bool, dublin: bool) {
    let stage = Stage::new("kms:CreateKey", condition);
    let id = stage
        .key(&json!({"MultiRegion": true, "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}));
    let to = |region: &str| json!({"KeyId": id, "ReplicaRegion": region});
    stage.check("ReplicateKey", &to("eu-west-3"), paris);
    stage.check("ReplicateKey", &to("eu-west-1"), dublin);
}

#[test]
fn a_replica_is_made_in_its_own_region() {
    let region = "aws:RequestedRegion";
    check_replicas(&is(region, "eu-west-3"), true, false);
    check_replicas(&is(region, "eu-central-1"), false, false);
    check_replicas(&is("kms:MultiRegionKeyType", "REPLICA"), true, true);
    check_replicas(&is("kms:KeySpec", "ECC_NIST_P256"), true, true);
    check_replicas(&is("kms:KeySpec", "SYMMETRIC_DEFAULT"), false, false);
}

#[test]
fn a_replica_is_tagged_in_its_own_region() {
    let stage = Stage::new("kms:TagResource", &is("aws:RequestedRegion", "eu-west-3"));
    let id = stage.key(&json!({"MultiRegion": true}));
    let tags = json!([{"TagKey": "a", "TagValue": "b"}]);
    let to = |region: &str| json!({"KeyId": id, "ReplicaRegion": region, "Tags": tags});
    stage.check("ReplicateKey", &to("eu-west-3"), true);
    stage.check("ReplicateKey", &to("eu-west-1"), false);
}

/// Expects that a condition keeps Ann from retiring her grant, or does not.
#[track_caller]
fn check_retirement(condition: &Value, is_denied: bool) {
    let stage = Stage::new("kms:RetireGrant", condition);
    let id = stage.key(&json!({"Tags": [{"TagKey": "stage", "TagValue": "test"}]}));
    let terms = json!({
        "KeyId": id, "GranteePrincipal": ANN, "RetiringPrincipal": ANN, "Operations": ["Encrypt"],
        "Constraints": {"EncryptionContextSubset": {"tenant": "eu"}},
    });
    let (_, made) = stage.desk.kms(&ROOT, "CreateGrant", &terms);
    let members = json!({"GrantToken": made["GrantToken"]});
    stage.check("RetireGrant", &members, is_denied);
}

#[test]
fn retiring_a_grant_is_about_its_constraints_and_its_key() {
    let names =
        |name: &str| json!({"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": name}});
    let kind = "kms:GrantConstraintType";
    for (condition, is_denied) in [
        (is("kms:EncryptionContext:tenant", "eu"), true),
        (is("kms:EncryptionContext:tenant", "us"), false),
        (names("tenant"), true),
        (names("other"), false),
        (is(kind, "EncryptionContextSubset"), true),
        (is(kind, "EncryptionContextEquals"), false),
        (is("aws:ResourceTag/stage", "test"), true),
        (is("aws:ResourceTag/stage", "live"), false),
    ] {
        check_retirement(&condition, is_denied);
    }
}
