//! The bundled KMS, through the AWS SDK's own client.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

mod bench;

mod keys;
