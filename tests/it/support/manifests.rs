//! Manifests that several tests start from.

/// Two keys with everything that takes a call of its own.
pub(crate) const TWO_KEYS: &str = "\
kind: Key
name: payments
description: Card data at rest
rotation: 180d
tags: {team: payments}
administrators: [role/key-admin]
users:
  - role/payments-api
  - principals: [role/reporting]
    operations: [decrypt]
    via: [s3]
    context: {tenant: eu}
grants:
  - name: nightly-export
    grantee: role/nightly-export
    operations: [Decrypt]
    context: {purpose: export}
---
kind: Key
name: releases
spec: ECC_NIST_P256
usage: SIGN_VERIFY
administrators: [role/key-admin]
users: [role/release-job]
";
