//! `GenerateRandom`.

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::RecipientInfo;

use super::bench::{Bench, refused};

#[tokio::test]
async fn random_bytes_come_in_the_length_that_is_asked_for() {
    let bench = Bench::new();
    let draw = |length| bench.kms.generate_random().number_of_bytes(length).send();
    let one = draw(1024).await.unwrap().plaintext.unwrap();
    assert_eq!(one.as_ref().len(), 1024);
    assert_ne!(draw(1024).await.unwrap().plaintext, Some(one));
}

#[tokio::test]
async fn the_length_must_be_there_and_has_a_range() {
    let bench = Bench::new();
    let code = "ValidationException";
    let drawn = bench.kms.generate_random().send().await;
    refused(drawn, code, "NumberOfBytes is required.");
    for (length, broken) in [
        (0, "greater than or equal to 1"),
        (1025, "less than or equal to 1024"),
    ] {
        let drawn = bench
            .kms
            .generate_random()
            .number_of_bytes(length)
            .send()
            .await;
        let message = format!(
            "1 validation error detected: Value '{length}' at 'numberOfBytes' failed to satisfy constraint: Member \
             must have value {broken}"
        );
        refused(drawn, code, &message);
    }
    let enclave = RecipientInfo::builder()
        .attestation_document(Blob::new("x"))
        .build();
    let drawn = bench
        .kms
        .generate_random()
        .number_of_bytes(1)
        .recipient(enclave);
    let message = "Recipient is not supported: this KMS attests no enclaves.";
    refused(drawn.send().await, "UnsupportedOperationException", message);
}
