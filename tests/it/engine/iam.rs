//! IAM: what ordinary clients make, read and remove.

use std::sync::Arc;

use jiff::Timestamp;
use keywright::engine::{Engine, Principals, Settings, Store};
use serde_json::{Value, json};

use super::bench::{ACCOUNT, Bench};
use crate::support::desk::{As, Desk, element, keys};

const ROOT: As = As::Root(ACCOUNT);
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:ListKeys","Resource":"*"}]}"#;
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}]}"#;

fn desk() -> Desk {
    Desk {
        now: Timestamp::from_millisecond(1_780_000_000_000).unwrap(),
        engine: Bench::new().engine,
    }
}

/// Expects an error of an action.
#[track_caller]
fn refuse(desk: &Desk, action: &str, members: &[(&str, &str)], status: u16, code: &str) {
    let (found, body) = desk.query(&ROOT, action, members);
    assert_eq!(found, status, "{body}");
    assert!(body.contains(&format!("<Code>{code}</Code>")), "{body}");
}

#[test]
fn users_roles_and_groups_come_and_go() {
    let desk = desk();
    for (kind, prefix) in [("User", "AIDA"), ("Role", "AROA"), ("Group", "AGPA")] {
        let name = format!("{kind}Name");
        let mut members = vec![(&*name, "one"), ("Path", "/team/")];
        if kind == "Role" {
            members.push(("AssumeRolePolicyDocument", TRUST));
        }
        let made = desk.done(&ROOT, &format!("Create{kind}"), &members);
        let arn = format!("arn:aws:iam::{ACCOUNT}:{}/team/one", kind.to_lowercase());
        assert_eq!(element(&made, "Arn"), arn);
        assert!(element(&made, &format!("{kind}Id")).starts_with(prefix));
        refuse(
            &desk,
            &format!("Create{kind}"),
            &members,
            409,
            "EntityAlreadyExists",
        );
        let named = [(&*name, "one")];
        let got = desk.done(&ROOT, &format!("Get{kind}"), &named);
        assert_eq!(element(&got, "Arn"), arn);
        let listed = desk.done(&ROOT, &format!("List{kind}s"), &[]);
        assert_eq!(element(&listed, "Arn"), arn);
        desk.done(&ROOT, &format!("Delete{kind}"), &named);
        refuse(&desk, &format!("Get{kind}"), &named, 404, "NoSuchEntity");
    }
}

#[test]
fn a_role_shows_its_trust_encoded() {
    let desk = desk();
    let members = [
        ("RoleName", "app"),
        ("AssumeRolePolicyDocument", TRUST),
        ("MaxSessionDuration", "7200"),
    ];
    let made = desk.done(&ROOT, "CreateRole", &members);
    assert!(element(&made, "AssumeRolePolicyDocument").starts_with("%7B%22Version%22"));
    assert_eq!(element(&made, "MaxSessionDuration"), "7200");
    let wrong = [("RoleName", "b"), ("AssumeRolePolicyDocument", POLICY)];
    refuse(&desk, "CreateRole", &wrong, 400, "MalformedPolicyDocument");
}

#[test]
fn what_something_hangs_on_is_not_deleted() {
    let desk = desk();
    let user = ("UserName", "ann");
    desk.done(&ROOT, "CreateUser", &[user]);
    desk.done(
        &ROOT,
        "PutUserPolicy",
        &[user, ("PolicyName", "p"), ("PolicyDocument", POLICY)],
    );
    refuse(&desk, "DeleteUser", &[user], 409, "DeleteConflict");
    desk.done(&ROOT, "DeleteUserPolicy", &[user, ("PolicyName", "p")]);
    let made = desk.done(&ROOT, "CreateAccessKey", &[user]);
    refuse(&desk, "DeleteUser", &[user], 409, "DeleteConflict");
    desk.done(
        &ROOT,
        "DeleteAccessKey",
        &[user, ("AccessKeyId", &keys(&made).id)],
    );
    desk.done(&ROOT, "DeleteUser", &[user]);
}

#[test]
fn policies_of_groups_are_those_of_their_users() {
    let desk = desk();
    let (user, group) = (("UserName", "ann"), ("GroupName", "staff"));
    desk.done(&ROOT, "CreateUser", &[user]);
    desk.done(&ROOT, "CreateGroup", &[group]);
    desk.done(
        &ROOT,
        "PutGroupPolicy",
        &[group, ("PolicyName", "p"), ("PolicyDocument", POLICY)],
    );
    let ann = As::Key(keys(&desk.done(&ROOT, "CreateAccessKey", &[user])));
    assert_eq!(desk.kms(&ann, "ListKeys", &json!({})).0, 400);
    desk.done(&ROOT, "AddUserToGroup", &[user, group]);
    assert_eq!(desk.kms(&ann, "ListKeys", &json!({})).0, 200);
    assert!(desk.done(&ROOT, "GetGroup", &[group]).contains("user/ann"));
    assert!(
        desk.done(&ROOT, "ListGroupsForUser", &[user])
            .contains("group/staff")
    );
    desk.done(&ROOT, "RemoveUserFromGroup", &[user, group]);
    assert_eq!(desk.kms(&ann, "ListKeys", &json!({})).0, 400);
}

#[test]
fn the_default_version_of_a_managed_policy_counts() {
    let desk = desk();
    let user = ("UserName", "ann");
    desk.done(&ROOT, "CreateUser", &[user]);
    let made = desk.done(
        &ROOT,
        "CreatePolicy",
        &[("PolicyName", "p"), ("PolicyDocument", POLICY)],
    );
    let arn = element(&made, "Arn");
    assert_eq!(arn, "arn:aws:iam::111122223333:policy/p");
    let arn = ("PolicyArn", &*arn);
    desk.done(&ROOT, "AttachUserPolicy", &[user, arn]);
    let ann = As::Key(keys(&desk.done(&ROOT, "CreateAccessKey", &[user])));
    assert_eq!(desk.kms(&ann, "ListKeys", &json!({})).0, 200);
    let nothing = POLICY.replace("ListKeys", "ListAliases");
    let second = [arn, ("PolicyDocument", &*nothing), ("SetAsDefault", "true")];
    assert_eq!(
        element(
            &desk.done(&ROOT, "CreatePolicyVersion", &second),
            "VersionId"
        ),
        "v2"
    );
    assert_eq!(desk.kms(&ann, "ListKeys", &json!({})).0, 400);
    refuse(
        &desk,
        "DeletePolicyVersion",
        &[arn, ("VersionId", "v2")],
        409,
        "DeleteConflict",
    );
    refuse(&desk, "DeletePolicy", &[arn], 409, "DeleteConflict");
    desk.done(
        &ROOT,
        "SetDefaultPolicyVersion",
        &[arn, ("VersionId", "v1")],
    );
    assert_eq!(desk.kms(&ann, "ListKeys", &json!({})).0, 200);
    let shown = desk.done(&ROOT, "GetPolicyVersion", &[arn, ("VersionId", "v2")]);
    assert!(element(&shown, "Document").contains("ListAliases"));
    assert!(
        desk.done(&ROOT, "ListEntitiesForPolicy", &[arn])
            .contains("ann")
    );
    desk.done(&ROOT, "DeletePolicyVersion", &[arn, ("VersionId", "v2")]);
    desk.done(&ROOT, "DetachUserPolicy", &[user, arn]);
    refuse(&desk, "DetachUserPolicy", &[user, arn], 404, "NoSuchEntity");
    desk.done(&ROOT, "DeletePolicy", &[arn]);
    refuse(&desk, "GetPolicy", &[arn], 404, "NoSuchEntity");
}

#[test]
fn tags_are_set_listed_and_removed() {
    let desk = desk();
    let user = ("UserName", "ann");
    desk.done(
        &ROOT,
        "CreateUser",
        &[
            user,
            ("Tags.member.1.Key", "a"),
            ("Tags.member.1.Value", "b & <c>"),
        ],
    );
    let listed = desk.done(&ROOT, "ListUserTags", &[user]);
    assert!(
        listed.contains("<Key>a</Key><Value>b &amp; &lt;c&gt;</Value>"),
        "{listed}"
    );
    desk.done(&ROOT, "UntagUser", &[user, ("TagKeys.member.1", "a")]);
    assert!(!desk.done(&ROOT, "ListUserTags", &[user]).contains("<Key>"));
    let reserved = [
        user,
        ("Tags.member.1.Key", "aws:a"),
        ("Tags.member.1.Value", "b"),
    ];
    refuse(&desk, "TagUser", &reserved, 400, "ValidationError");
}

#[test]
fn long_lists_come_in_pages() {
    let desk = desk();
    for name in ["a", "b", "c"] {
        desk.done(&ROOT, "CreateUser", &[("UserName", name)]);
    }
    let first = desk.done(&ROOT, "ListUsers", &[("MaxItems", "2")]);
    assert_eq!(element(&first, "IsTruncated"), "true");
    let marker = element(&first, "Marker");
    let second = desk.done(
        &ROOT,
        "ListUsers",
        &[("MaxItems", "2"), ("Marker", &marker)],
    );
    assert_eq!(element(&second, "IsTruncated"), "false");
    assert_eq!(element(&second, "UserName"), "c");
}

#[test]
fn names_and_members_are_checked() {
    let desk = desk();
    refuse(&desk, "CreateUser", &[], 400, "ValidationError");
    refuse(
        &desk,
        "CreateUser",
        &[("UserName", "a b")],
        400,
        "ValidationError",
    );
    refuse(
        &desk,
        "CreateUser",
        &[("UserName", "a"), ("Path", "x")],
        400,
        "ValidationError",
    );
    refuse(
        &desk,
        "GetUser",
        &[("UserName", "none")],
        404,
        "NoSuchEntity",
    );
    refuse(&desk, "Nonsense", &[], 400, "InvalidAction");
    let policy = [
        ("UserName", "none"),
        ("PolicyName", "p"),
        ("PolicyDocument", "{}"),
    ];
    refuse(
        &desk,
        "PutUserPolicy",
        &policy,
        400,
        "MalformedPolicyDocument",
    );
}

#[test]
fn who_may_not_is_told_so() {
    let desk = desk();
    desk.done(&ROOT, "CreateUser", &[("UserName", "ann")]);
    let ann = As::Key(keys(&desk.done(
        &ROOT,
        "CreateAccessKey",
        &[("UserName", "ann")],
    )));
    let (status, body) = desk.query(&ann, "CreateUser", &[("UserName", "bob")]);
    assert_eq!(status, 403);
    assert_eq!(
        element(&body, "Message"),
        "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: iam:CreateUser on resource: \
         arn:aws:iam::111122223333:user/bob because no identity-based policy allows the iam:CreateUser action"
    );
}

#[test]
fn two_access_keys_are_the_most() {
    let desk = desk();
    desk.done(&ROOT, "CreateUser", &[("UserName", "ann")]);
    desk.done(&ROOT, "CreateAccessKey", &[("UserName", "ann")]);
    desk.done(&ROOT, "CreateAccessKey", &[("UserName", "ann")]);
    refuse(
        &desk,
        "CreateAccessKey",
        &[("UserName", "ann")],
        409,
        "LimitExceeded",
    );
}

#[test]
fn policies_have_a_size() {
    let desk = desk();
    desk.done(&ROOT, "CreateUser", &[("UserName", "ann")]);
    let policy = |size: usize| {
        let start = r#"{"Statement":{"Effect":"Allow","Action":"kms:*","Resource":""#;
        format!("{start}{}\"}}}}", "*".repeat(size - start.len() - 3))
    };
    let put = |name: &'static str, text: String| {
        let members = [
            ("UserName", "ann"),
            ("PolicyName", name),
            ("PolicyDocument", &*text),
        ];
        desk.query(&ROOT, "PutUserPolicy", &members).0
    };
    assert_eq!(put("a", policy(1500) + " \n"), 200);
    assert_eq!(put("b", policy(549)), 409);
    assert_eq!(put("b", policy(548)), 200);
    assert_eq!(put("a", policy(1501)), 409);
    let create = |text: String| {
        let members = [("PolicyName", "whole"), ("PolicyDocument", &*text)];
        desk.query(&ROOT, "CreatePolicy", &members).0
    };
    assert_eq!(create(policy(6145)), 409);
    assert_eq!(create(policy(6144)), 200);
}

#[test]
fn a_strict_engine_tells_another_principal_of_the_same_name_from_the_first() {
    let mut settings = Settings::new(Store::Memory, ACCOUNT.parse().unwrap());
    settings.rules.principals = Principals::Existing;
    let desk = Desk {
        now: Timestamp::now(),
        engine: Arc::new(Engine::open(settings).unwrap()),
    };
    let user = [("UserName", "ann")];
    let made = desk.done(&ROOT, "CreateUser", &user);
    let (arn, id) = (element(&made, "Arn"), element(&made, "UserId"));
    let statement = |principal: &str, action: &str| json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": "*"});
    let policy = json!({"Statement": [statement(ACCOUNT, "kms:*"), statement(&arn, "kms:*")]});
    let (_, key) = desk.kms(&ROOT, "CreateKey", &json!({"Policy": policy.to_string()}));
    let key = json!({"KeyId": key["KeyMetadata"]["KeyId"]});
    let trust = json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"}});
    let trust = trust.to_string();
    let role = [("RoleName", "app"), ("AssumeRolePolicyDocument", &*trust)];
    desk.done(&ROOT, "CreateRole", &role);
    let ann = || keys(&desk.done(&ROOT, "CreateAccessKey", &user));
    let assume = [
        ("RoleArn", "arn:aws:iam::111122223333:role/app"),
        ("RoleSessionName", "s1"),
    ];

    let first = ann();
    let who = As::Key(first.clone());
    assert_eq!(desk.kms(&who, "DescribeKey", &key).0, 200);
    assert_eq!(desk.query(&who, "AssumeRole", &assume).0, 200);
    let gone = [user[0], ("AccessKeyId", &*first.id)];
    desk.done(&ROOT, "DeleteAccessKey", &gone);
    desk.done(&ROOT, "DeleteUser", &user);
    desk.done(&ROOT, "CreateUser", &user);

    let who = As::Key(ann());
    let (_, body) = desk.kms(&who, "DescribeKey", &key);
    assert_eq!(body["__type"], "AccessDeniedException");
    assert_eq!(desk.query(&who, "AssumeRole", &assume).0, 403);
    let (_, shown) = desk.kms(&ROOT, "GetKeyPolicy", &key);
    let shown: Value = serde_json::from_str(shown["Policy"].as_str().unwrap()).unwrap();
    assert_eq!(shown["Statement"][1]["Principal"]["AWS"], id.as_str());
}

#[test]
fn a_strict_engine_knows_whom_policies_and_grants_name() {
    let mut settings = Settings::new(Store::Memory, ACCOUNT.parse().unwrap());
    settings.rules.principals = Principals::Existing;
    let desk = Desk {
        now: Timestamp::now(),
        engine: Arc::new(Engine::open(settings).unwrap()),
    };
    let ann = format!("arn:aws:iam::{ACCOUNT}:user/ann");
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": [format!("arn:aws:iam::{ACCOUNT}:root"), ann]}, "Action": "kms:*", "Resource": "*"},
    ]});
    let key = json!({"Policy": policy.to_string()});
    let (_, made) = desk.kms(&ROOT, "CreateKey", &json!({}));
    let grant = json!({"KeyId": made["KeyMetadata"]["KeyId"], "GranteePrincipal": ann, "Operations": ["Encrypt"]});
    let (_, body) = desk.kms(&ROOT, "CreateKey", &key);
    assert_eq!(body["__type"], "MalformedPolicyDocumentException");
    let (_, body) = desk.kms(&ROOT, "CreateGrant", &grant);
    assert_eq!(
        body["message"],
        format!("ARN does not refer to a valid principal: {ann}")
    );
    desk.done(&ROOT, "CreateUser", &[("UserName", "ann")]);
    assert_eq!(desk.kms(&ROOT, "CreateKey", &key).0, 200);
    assert_eq!(desk.kms(&ROOT, "CreateGrant", &grant).0, 200);
}

/// Expects what a statement's text is told, as a user's own policy and as a trust policy.
#[track_caller]
fn check_statements(statements: &str, own: &str, trust: &str) {
    let desk = desk();
    let text = |principal: &str| {
        let statements = statements.replace("WHO", principal);
        format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
    };
    desk.done(&ROOT, "CreateUser", &[("UserName", "ann")]);
    let (own_text, trust_text) = (text(""), text(r#""Principal":{"AWS":"111122223333"},"#));
    let members = [
        ("UserName", "ann"),
        ("PolicyName", "p"),
        ("PolicyDocument", &*own_text),
    ];
    let created = [("PolicyName", "p"), ("PolicyDocument", &*own_text)];
    let role = [
        ("RoleName", "app"),
        ("AssumeRolePolicyDocument", &*trust_text),
    ];
    for (action, members, expected) in [
        ("PutUserPolicy", &members[..], own),
        ("CreatePolicy", &created, own),
        ("CreateRole", &role, trust),
    ] {
        let (status, body) = desk.query(&ROOT, action, members);
        if expected == "ok" {
            assert_eq!(status, 200, "{action}: {body}");
        } else {
            assert_eq!(status, 400, "{action}: {body}");
            assert!(body.contains("MalformedPolicyDocument"), "{action}: {body}");
            assert!(body.contains(expected), "{action}: {body}");
        }
    }
}

#[test]
fn policies_are_held_to_what_iam_asks_of_them() {
    let check = check_statements;
    let (resource, unique) = ("Has prohibited field Resource", "must be unique");
    check(
        r#"{"Sid":"A1","Effect":"Allow",WHO"Action":"sts:AssumeRole","Resource":"*"}"#,
        "ok",
        resource,
    );
    check(
        r#"{"Effect":"Allow",WHO"Action":"sts:AssumeRole"}"#,
        "has no Resource",
        "ok",
    );
    check(
        r#"{"Effect":"Allow",WHO"Action":"sts:AssumeRole","NotResource":"arn:aws:s3:::a"}"#,
        "ok",
        resource,
    );
    check(
        r#"{"Sid":"may assume","Effect":"Allow",WHO"Action":"sts:AssumeRole","Resource":"*"}"#,
        "must be alpha-numeric",
        resource,
    );
    check(
        r#"{"Sid":"A","Effect":"Allow",WHO"Action":"sts:AssumeRole"},{"Sid":"A","Effect":"Allow",WHO"Action":"sts:TagSession"}"#,
        "has no Resource",
        unique,
    );
    check(
        r#"{"Sid":"A","Effect":"Allow",WHO"Action":"a:b","Resource":"*"},{"Sid":"A","Effect":"Allow",WHO"Action":"a:c","Resource":"*"}"#,
        unique,
        resource,
    );
    check(
        r#"{"Effect":"Allow",WHO"Action":"AssumeRole","Resource":"*"}"#,
        "`AssumeRole` is not an action",
        resource,
    );
    check(
        r#"{"Effect":"Allow",WHO"Action":"AssumeRole"}"#,
        "has no Resource",
        "`AssumeRole` is not an action",
    );
    check(
        r#"{"Effect":"Allow",WHO"Action":"kms:*","Resource":"key/1"}"#,
        "`key/1` is neither an ARN nor",
        resource,
    );
}

#[test]
fn ten_managed_policies_are_the_most() {
    let desk = desk();
    let user = ("UserName", "ann");
    desk.done(&ROOT, "CreateUser", &[user]);
    let attach = |number: usize| {
        let name = format!("p{number}");
        let members = [("PolicyName", &*name), ("PolicyDocument", POLICY)];
        let made = desk.query(&ROOT, "CreatePolicy", &members);
        assert!([200, 409].contains(&made.0), "{}", made.1);
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/{name}");
        desk.query(&ROOT, "AttachUserPolicy", &[user, ("PolicyArn", &arn)])
    };
    for number in 0..10 {
        assert_eq!(attach(number).0, 200);
    }
    let (status, body) = attach(10);
    assert_eq!(status, 409, "{body}");
    assert!(body.contains("PoliciesPerUser: 10"), "{body}");
    assert_eq!(attach(9).0, 200);
}
