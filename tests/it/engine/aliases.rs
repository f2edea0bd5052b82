//! `CreateAlias`, `UpdateAlias`, `DeleteAlias`, `ListAliases`.

use aws_sdk_kms::types::{KeySpec, KeyUsageType};

use super::bench::{ACCOUNT, Bench, REGION, arn, client, refused};

fn alias_arn(name: &str) -> String {
    format!("arn:aws:kms:{REGION}:{ACCOUNT}:{name}")
}

async fn create(bench: &Bench, name: &str, id: &str) {
    let made = bench.kms.create_alias().alias_name(name).target_key_id(id);
    made.send().await.unwrap();
}

#[tokio::test]
async fn an_alias_leads_to_its_key() {
    let bench = Bench::new();
    let id = bench.key().await;
    create(&bench, "alias/payments", &id).await;
    for name in ["alias/payments".to_owned(), alias_arn("alias/payments")] {
        let found = bench.kms.describe_key().key_id(name).send().await.unwrap();
        assert_eq!(found.key_metadata.unwrap().key_id, id);
    }
    let listed = bench.kms.list_aliases().send().await.unwrap();
    let [alias] = listed.aliases() else {
        panic!("{listed:?}")
    };
    assert_eq!(alias.alias_name(), Some("alias/payments"));
    assert_eq!(alias.alias_arn(), Some(&*alias_arn("alias/payments")));
    assert_eq!(alias.target_key_id(), Some(&*id));
    assert_eq!(alias.creation_date(), alias.last_updated_date());
}

#[tokio::test]
async fn an_alias_name_is_taken_once() {
    let bench = Bench::new();
    let id = bench.key().await;
    create(&bench, "alias/a", &id).await;
    let again = bench
        .kms
        .create_alias()
        .alias_name("alias/a")
        .target_key_id(arn(&id));
    let message = format!(
        "An alias with the name {} already exists",
        alias_arn("alias/a")
    );
    refused(again.send().await, "AlreadyExistsException", &message);
    let elsewhere = client(&bench.engine, ACCOUNT, "us-east-1");
    let made = elsewhere.create_key().send().await.unwrap();
    let id = made.key_metadata.unwrap().key_id;
    let made = elsewhere
        .create_alias()
        .alias_name("alias/a")
        .target_key_id(id);
    made.send().await.unwrap();
}

#[tokio::test]
async fn alias_names_have_a_form() {
    let bench = Bench::new();
    let id = bench.key().await;
    let make = |name: &str| {
        bench
            .kms
            .create_alias()
            .alias_name(name)
            .target_key_id(&id)
            .send()
    };
    let message = "Alias must start with the prefix \"alias/\". Please see \
                   https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html";
    refused(make("payments").await, "ValidationException", message);
    let message = "1 validation error detected: Value 'alias/a b' at 'aliasName' failed to satisfy constraint: Member \
                   must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$";
    refused(make("alias/a b").await, "ValidationException", message);
    let message = "alias/aws/mine is not a valid name for an alias";
    refused(
        make("alias/aws/mine").await,
        "InvalidAliasNameException",
        message,
    );
}

#[tokio::test]
async fn aliases_do_not_lead_to_aliases() {
    let bench = Bench::new();
    let id = bench.key().await;
    create(&bench, "alias/a", &id).await;
    let made = bench
        .kms
        .create_alias()
        .alias_name("alias/b")
        .target_key_id("alias/a");
    let message = "Aliases must refer to keys. Not aliases";
    refused(made.send().await, "ValidationException", message);
}

#[tokio::test]
async fn only_some_operations_take_aliases() {
    let bench = Bench::new();
    let id = bench.key().await;
    create(&bench, "alias/a", &id).await;
    let got = bench.kms.get_key_policy().key_id("alias/a").send().await;
    refused(got, "NotFoundException", "Invalid keyId 'alias/a'");
    let found = bench.kms.describe_key().key_id("alias/b").send().await;
    let message = format!("Alias {} is not found.", alias_arn("alias/b"));
    refused(found, "NotFoundException", &message);
}

#[tokio::test]
async fn an_alias_moves_to_a_key_of_its_type() {
    let bench = Bench::new();
    let (first, second) = (bench.key().await, bench.key().await);
    create(&bench, "alias/a", &first).await;
    bench.clock.forward_days(1);
    let moved = |id: &str| {
        bench
            .kms
            .update_alias()
            .alias_name("alias/a")
            .target_key_id(id)
            .send()
    };
    moved(&second).await.unwrap();
    let listed = bench
        .kms
        .list_aliases()
        .key_id(&second)
        .send()
        .await
        .unwrap();
    let [alias] = listed.aliases() else {
        panic!("{listed:?}")
    };
    let day = alias.last_updated_date().unwrap().secs() - alias.creation_date().unwrap().secs();
    assert_eq!(day, 86_400);
    let listed = bench
        .kms
        .list_aliases()
        .key_id(&first)
        .send()
        .await
        .unwrap();
    assert!(listed.aliases().is_empty());

    let hmac = bench
        .kms
        .create_key()
        .key_spec(KeySpec::Hmac256)
        .key_usage(KeyUsageType::GenerateVerifyMac);
    let hmac = hmac.send().await.unwrap().key_metadata.unwrap().key_id;
    let message =
        "The current and the new KMS key of an alias must be of the same type and key usage.";
    refused(moved(&hmac).await, "ValidationException", message);
}

#[tokio::test]
async fn a_deleted_alias_is_gone() {
    let bench = Bench::new();
    let id = bench.key().await;
    create(&bench, "alias/a", &id).await;
    let delete = || bench.kms.delete_alias().alias_name("alias/a").send();
    delete().await.unwrap();
    let message = format!("Alias {} is not found.", alias_arn("alias/a"));
    refused(delete().await, "NotFoundException", &message);
    let moved = bench
        .kms
        .update_alias()
        .alias_name("alias/a")
        .target_key_id(&id);
    refused(moved.send().await, "NotFoundException", &message);
}

#[tokio::test]
async fn aliases_are_listed_in_pages_and_counted() {
    let bench = Bench::new();
    let id = bench.key().await;
    for number in 0..50 {
        create(&bench, &format!("alias/{number:02}"), &id).await;
    }
    let more = bench
        .kms
        .create_alias()
        .alias_name("alias/50")
        .target_key_id(&id);
    let message = format!("{} has 50 aliases and cannot have more", arn(&id));
    refused(more.send().await, "LimitExceededException", &message);
    for key in [None, Some(id)] {
        let first = bench.kms.list_aliases().limit(30).set_key_id(key.clone());
        let first = first.send().await.unwrap();
        assert_eq!((first.aliases().len(), first.truncated), (30, true));
        let rest = bench
            .kms
            .list_aliases()
            .set_key_id(key)
            .set_marker(first.next_marker);
        let rest = rest.send().await.unwrap();
        assert_eq!((rest.aliases().len(), rest.truncated), (20, false));
        assert_eq!(rest.aliases()[0].alias_name(), Some("alias/30"));
    }
}
