//! `TagResource`, `UntagResource`, `ListResourceTags`.

use aws_sdk_kms::types::Tag;

use super::bench::{Bench, arn, refused};

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder()
        .tag_key(key)
        .tag_value(value)
        .build()
        .unwrap()
}

async fn listed(bench: &Bench, id: &str) -> Vec<Tag> {
    let listed = bench.kms.list_resource_tags().key_id(id).send().await;
    listed.unwrap().tags.unwrap()
}

#[tokio::test]
async fn tags_are_set_changed_and_removed() {
    let bench = Bench::new();
    let id = bench.key().await;
    let set = |tags| {
        bench
            .kms
            .tag_resource()
            .key_id(&id)
            .set_tags(Some(tags))
            .send()
    };
    set(vec![tag("b", "1"), tag("a", "")]).await.unwrap();
    set(vec![tag("b", "2")]).await.unwrap();
    assert_eq!(listed(&bench, &id).await, [tag("a", ""), tag("b", "2")]);
    let untag = bench.kms.untag_resource().key_id(&id);
    let untag = untag.tag_keys("a").tag_keys("b").tag_keys("never-there");
    untag.send().await.unwrap();
    assert_eq!(listed(&bench, &id).await, []);
}

#[tokio::test]
async fn tags_beginning_with_aws_are_reserved() {
    let bench = Bench::new();
    let id = bench.key().await;
    let message = "Tags beginning with aws: are reserved";
    for key in ["aws:key1", "AWS:key1"] {
        let set = bench
            .kms
            .tag_resource()
            .key_id(&id)
            .tags(tag(key, "value1"));
        refused(set.send().await, "TagException", message);
        let made = bench.kms.create_key().tags(tag(key, "value1"));
        refused(made.send().await, "TagException", message);
    }
}

#[tokio::test]
async fn tags_have_a_length() {
    let bench = Bench::new();
    let id = bench.key().await;
    let set = |tag| bench.kms.tag_resource().key_id(&id).tags(tag).send();
    let long = "a".repeat(129);
    let message = format!(
        "1 validation error detected: Value '{long}' at 'tags.1.member.tagKey' failed to satisfy constraint: Member \
         must have length less than or equal to 128"
    );
    refused(set(tag(&long, "v")).await, "ValidationException", &message);
    let long = "v".repeat(257);
    let message = format!(
        "1 validation error detected: Value '{long}' at 'tags.1.member.tagValue' failed to satisfy constraint: Member \
         must have length less than or equal to 256"
    );
    refused(set(tag("k", &long)).await, "ValidationException", &message);
}

#[tokio::test]
async fn a_tag_is_set_once_in_a_call() {
    let bench = Bench::new();
    let id = bench.key().await;
    let set = bench.kms.tag_resource().key_id(&id);
    let set = set.tags(tag("a", "1")).tags(tag("a", "2"));
    refused(set.send().await, "TagException", "Duplicate tag keys");
}

#[tokio::test]
async fn a_key_has_fifty_tags_at_most_in_pages() {
    let bench = Bench::new();
    let id = bench.key().await;
    let tags = |range: std::ops::Range<u32>| {
        let tags = range
            .map(|number| tag(&format!("{number:02}"), "v"))
            .collect();
        bench
            .kms
            .tag_resource()
            .key_id(&id)
            .set_tags(Some(tags))
            .send()
    };
    tags(0..30).await.unwrap();
    let message = format!("{} cannot have more than 50 tags", arn(&id));
    refused(tags(30..51).await, "LimitExceededException", &message);
    assert_eq!(listed(&bench, &id).await.len(), 30);
    tags(20..50).await.unwrap();
    let first = bench.kms.list_resource_tags().key_id(&id).limit(40);
    let first = first.send().await.unwrap();
    assert!(first.truncated);
    let rest = bench.kms.list_resource_tags().key_id(&id);
    let rest = rest.set_marker(first.next_marker).send().await.unwrap();
    assert_eq!((rest.tags().len(), rest.truncated), (10, false));
}
