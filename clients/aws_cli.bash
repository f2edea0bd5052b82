# The AWS command line: a key's life, a role that is assumed by hand, and a profile with `role_arn`.

set -euo pipefail

# Compares what was expected with what came.
same() {
    if [[ $1 != "$2" ]]; then
        printf 'expected %s\nbut came %s\n' "$1" "$2" >&2
        exit 1
    fi
}

# Runs a command that must fail, with these words on its standard error.
refused() {
    local words=$1 said
    shift
    if said=$("$@" 2>&1 >/dev/null); then
        printf 'answered: %s\n' "$*" >&2
        exit 1
    fi
    if [[ $said != *"$words"* ]]; then
        printf 'expected %s\nbut came %s\n' "$words" "$said" >&2
        exit 1
    fi
}

kms() {
    aws kms "$@" --output text
}

account=$AWS_ACCESS_KEY_ID
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# The command line keeps sessions of roles here, and would use those of an earlier server.
export HOME=$scratch

key=$(kms create-key --description orders --tags TagKey=Team,TagValue=shop --query KeyMetadata.Arn)
kms create-alias --alias-name alias/orders --target-key-id "$key"
same Enabled "$(kms describe-key --key-id alias/orders --query KeyMetadata.KeyState)"
same shop "$(kms list-resource-tags --key-id "$key" --query 'Tags[0].TagValue')"
kms enable-key-rotation --key-id "$key" --rotation-period-in-days 90
same 90 "$(kms get-key-rotation-status --key-id "$key" --query RotationPeriodInDays)"
kms get-key-policy --key-id "$key" --policy-name default --query Policy >"$scratch/policy"
kms put-key-policy --key-id "$key" --policy-name default --policy "file://$scratch/policy"

printf 'order 7' >"$scratch/plain"
kms encrypt --key-id alias/orders --plaintext "fileb://$scratch/plain" --encryption-context order=7 \
    --query CiphertextBlob | base64 --decode >"$scratch/cipher"
same 'order 7' "$(kms decrypt --ciphertext-blob "fileb://$scratch/cipher" --encryption-context order=7 \
    --query Plaintext | base64 --decode)"
refused 'An error occurred (InvalidCiphertextException) when calling the Decrypt operation' \
    kms decrypt --ciphertext-blob "fileb://$scratch/cipher"
same 32 "$(kms generate-data-key --key-id "$key" --key-spec AES_256 --query Plaintext | base64 --decode | wc -c | tr -d ' ')"

signer=$(kms create-key --key-spec ECC_NIST_P384 --key-usage SIGN_VERIFY --query KeyMetadata.Arn)
kms sign --key-id "$signer" --message "fileb://$scratch/plain" --signing-algorithm ECDSA_SHA_384 --query Signature |
    base64 --decode >"$scratch/signature"
same True "$(kms verify --key-id "$signer" --message "fileb://$scratch/plain" --signature "fileb://$scratch/signature" \
    --signing-algorithm ECDSA_SHA_384 --query SignatureValid)"
stamp=$(kms create-key --key-spec HMAC_256 --key-usage GENERATE_VERIFY_MAC --query KeyMetadata.Arn)
kms generate-mac --key-id "$stamp" --message "fileb://$scratch/plain" --mac-algorithm HMAC_SHA_256 --query Mac |
    base64 --decode >"$scratch/mac"
same True "$(kms verify-mac --key-id "$stamp" --message "fileb://$scratch/plain" --mac "fileb://$scratch/mac" \
    --mac-algorithm HMAC_SHA_256 --query MacValid)"

grant=$(kms create-grant --key-id "$key" --grantee-principal "arn:aws:iam::$account:role/shop" --operations Decrypt --query GrantId)
same "$grant" "$(kms list-grants --key-id "$key" --query 'Grants[0].GrantId')"
kms revoke-grant --key-id "$key" --grant-id "$grant"

# The user and the role are made by the ordinary means: the IAM commands.
printf '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::%s:user/clerk"}}]}' \
    "$account" >"$scratch/trust"
printf '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:Describe*","Resource":"%s"}]}' "$key" >"$scratch/allowed"
aws iam create-user --user-name clerk --output text >/dev/null
aws iam create-role --role-name shop --assume-role-policy-document "file://$scratch/trust" --output text >/dev/null
aws iam put-role-policy --role-name shop --policy-name orders --policy-document "file://$scratch/allowed"
read -r clerk_id clerk_secret < <(aws iam create-access-key --user-name clerk --output text \
    --query 'AccessKey.[AccessKeyId,SecretAccessKey]')
role=arn:aws:iam::$account:role/shop

as_clerk() {
    AWS_ACCESS_KEY_ID=$clerk_id AWS_SECRET_ACCESS_KEY=$clerk_secret "$@"
}

same "arn:aws:iam::$account:user/clerk" "$(as_clerk aws sts get-caller-identity --query Arn --output text)"
refused "User: arn:aws:iam::$account:user/clerk is not authorized to perform: kms:DescribeKey on resource: $key because no \
identity-based policy allows the kms:DescribeKey action" as_clerk kms describe-key --key-id "$key"

read -r role_id role_secret role_token < <(as_clerk aws sts assume-role --role-arn "$role" --role-session-name till --output text \
    --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]')
same "$key" "$(AWS_ACCESS_KEY_ID=$role_id AWS_SECRET_ACCESS_KEY=$role_secret AWS_SESSION_TOKEN=$role_token \
    kms describe-key --key-id "$key" --query KeyMetadata.Arn)"

printf '[clerk]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$clerk_id" "$clerk_secret" >"$AWS_SHARED_CREDENTIALS_FILE"
printf '[profile shop]\nrole_arn = %s\nsource_profile = clerk\nrole_session_name = profile\n' "$role" >"$AWS_CONFIG_FILE"

by_profile() {
    env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY AWS_PROFILE=shop aws "$@" --output text
}

same "$key" "$(by_profile kms describe-key --key-id "$key" --query KeyMetadata.Arn)"
refused "User: arn:aws:sts::$account:assumed-role/shop/profile is not authorized to perform: kms:DisableKey on resource: $key \
because no identity-based policy allows the kms:DisableKey action" by_profile kms disable-key --key-id "$key"
kms schedule-key-deletion --key-id "$key" --pending-window-in-days 7 >/dev/null
same PendingDeletion "$(kms describe-key --key-id "$key" --query KeyMetadata.KeyState)"
