//! The bundled KMS, through the AWS SDK's own client.

mod bench;

mod keys;
