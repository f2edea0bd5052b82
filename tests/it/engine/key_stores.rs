//! Custom key stores of both types, and the keys in them.

use aws_sdk_kms::operation::create_custom_key_store::builders::CreateCustomKeyStoreFluentBuilder;
use aws_sdk_kms::operation::create_key::builders::CreateKeyFluentBuilder;
use aws_sdk_kms::types::{
    ConnectionErrorCodeType, ConnectionStateType, CustomKeyStoreType, CustomKeyStoresListEntry,
    DataKeyPairSpec, DataKeySpec, KeyMetadata, KeySpec, KeyState, KeyUsageType, OriginType,
    XksProxyAuthenticationCredentialType, XksProxyConnectivityType,
};

use super::bench::{Bench, arn, refused};

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";
const SERVICE: &str = "com.amazonaws.vpce.eu-central-1.vpce-svc-";
const UNKNOWN: &str = "cks-1234567890abcdef0";

fn cluster(bench: &Bench, name: &str, cluster: &str) -> CreateCustomKeyStoreFluentBuilder {
    let create = bench.kms.create_custom_key_store();
    create
        .custom_key_store_name(name)
        .cloud_hsm_cluster_id(format!("cluster-{cluster}"))
        .trust_anchor_certificate(CERTIFICATE)
        .key_store_password("kmsPswd")
}

fn credential(secret: &str) -> XksProxyAuthenticationCredentialType {
    let credential = XksProxyAuthenticationCredentialType::builder();
    let credential = credential.access_key_id("ABCDE12345670EXAMPLE".replace(['0', '1'], "A"));
    credential.raw_secret_access_key(secret).build().unwrap()
}

fn proxy(bench: &Bench, name: &str, host: &str) -> CreateCustomKeyStoreFluentBuilder {
    let create = bench.kms.create_custom_key_store();
    create
        .custom_key_store_name(name)
        .custom_key_store_type(CustomKeyStoreType::ExternalKeyStore)
        .xks_proxy_connectivity(XksProxyConnectivityType::PublicEndpoint)
        .xks_proxy_uri_endpoint(format!("https://{host}"))
        .xks_proxy_uri_path("/kms/xks/v1")
        .xks_proxy_authentication_credential(credential(&"s".repeat(43)))
}

fn by_service(
    create: CreateCustomKeyStoreFluentBuilder,
    service: &str,
) -> CreateCustomKeyStoreFluentBuilder {
    create
        .xks_proxy_connectivity(XksProxyConnectivityType::VpcEndpointService)
        .xks_proxy_vpc_endpoint_service_name(format!("{SERVICE}{service}"))
}

async fn made(create: CreateCustomKeyStoreFluentBuilder) -> String {
    create.send().await.unwrap().custom_key_store_id.unwrap()
}

async fn entry(bench: &Bench, id: &str) -> CustomKeyStoresListEntry {
    let found = bench
        .kms
        .describe_custom_key_stores()
        .custom_key_store_id(id);
    found
        .send()
        .await
        .unwrap()
        .custom_key_stores
        .unwrap()
        .remove(0)
}

async fn state(bench: &Bench, id: &str) -> ConnectionStateType {
    entry(bench, id).await.connection_state.unwrap()
}

async fn connect(bench: &Bench, id: &str) {
    let connected = bench.kms.connect_custom_key_store().custom_key_store_id(id);
    connected.send().await.unwrap();
    bench.clock.forward_minutes(1);
}

async fn disconnect(bench: &Bench, id: &str) {
    let disconnected = bench
        .kms
        .disconnect_custom_key_store()
        .custom_key_store_id(id);
    disconnected.send().await.unwrap();
    bench.clock.forward_minutes(1);
}

/// A connected store of each type.
async fn stores(bench: &Bench) -> (String, String) {
    let hardware = made(cluster(bench, "hardware", "abcdefghijk")).await;
    let external = made(proxy(bench, "external", "xks.example.com")).await;
    connect(bench, &hardware).await;
    connect(bench, &external).await;
    (hardware, external)
}

fn in_cluster(bench: &Bench, store: &str) -> CreateKeyFluentBuilder {
    let create = bench.kms.create_key().origin(OriginType::AwsCloudhsm);
    create.custom_key_store_id(store)
}

fn outside(bench: &Bench, store: &str, key: &str) -> CreateKeyFluentBuilder {
    let create = bench.kms.create_key().origin(OriginType::ExternalKeyStore);
    create.custom_key_store_id(store).xks_key_id(key)
}

async fn describe(bench: &Bench, id: &str) -> KeyMetadata {
    let found = bench.kms.describe_key().key_id(id).send().await.unwrap();
    found.key_metadata.unwrap()
}

#[tokio::test]
async fn stores_show_what_is_behind_them() {
    let bench = Bench::new();
    let hardware = made(cluster(&bench, "hardware", "abcdefghijk")).await;
    assert!(hardware.starts_with("cks-"));
    let shown = entry(&bench, &hardware).await;
    assert_eq!(shown.custom_key_store_name(), Some("hardware"));
    assert_eq!(shown.cloud_hsm_cluster_id(), Some("cluster-abcdefghijk"));
    assert_eq!(shown.trust_anchor_certificate(), Some(CERTIFICATE));
    assert_eq!(
        shown.custom_key_store_type(),
        Some(&CustomKeyStoreType::AwsCloudhsm)
    );
    assert_eq!(
        shown.connection_state(),
        Some(&ConnectionStateType::Disconnected)
    );
    assert_eq!(shown.xks_proxy_configuration(), None);

    let create = proxy(&bench, "external", "xks.example.com");
    let external = made(by_service(create, "a1")).await;
    let found = bench
        .kms
        .describe_custom_key_stores()
        .custom_key_store_name("external");
    let found = found.send().await.unwrap().custom_key_stores.unwrap();
    assert_eq!(found[0].custom_key_store_id(), Some(&*external));
    let shown = found[0].xks_proxy_configuration().unwrap();
    assert_eq!(shown.uri_endpoint(), Some("https://xks.example.com"));
    assert_eq!(shown.uri_path(), Some("/kms/xks/v1"));
    assert_eq!(
        shown.vpc_endpoint_service_name(),
        Some(&*format!("{SERVICE}a1"))
    );
    assert_eq!(
        shown.vpc_endpoint_service_owner(),
        Some(super::bench::ACCOUNT)
    );

    let all = bench
        .kms
        .describe_custom_key_stores()
        .limit(1)
        .send()
        .await
        .unwrap();
    assert!(all.truncated);
    let rest = bench
        .kms
        .describe_custom_key_stores()
        .set_marker(all.next_marker);
    assert_eq!(rest.send().await.unwrap().custom_key_stores().len(), 1);
    let unknown = bench
        .kms
        .describe_custom_key_stores()
        .custom_key_store_id(UNKNOWN);
    let message = format!("Custom key store {UNKNOWN} is not found.");
    refused(
        unknown.send().await,
        "CustomKeyStoreNotFoundException",
        &message,
    );
}

#[tokio::test]
async fn stores_connect_and_disconnect_in_a_moment() {
    let bench = Bench::new();
    let id = made(cluster(&bench, "hardware", "abcdefghijk")).await;
    let connect = || {
        bench
            .kms
            .connect_custom_key_store()
            .custom_key_store_id(&id)
            .send()
    };
    let disconnect = || {
        bench
            .kms
            .disconnect_custom_key_store()
            .custom_key_store_id(&id)
            .send()
    };
    let code = "CustomKeyStoreInvalidStateException";
    let message = format!("Custom key store {id} is DISCONNECTED.");
    refused(disconnect().await, code, &message);
    connect().await.unwrap();
    assert_eq!(state(&bench, &id).await, ConnectionStateType::Connecting);
    bench.clock.forward_minutes(1);
    assert_eq!(state(&bench, &id).await, ConnectionStateType::Connected);
    connect().await.unwrap();
    disconnect().await.unwrap();
    assert_eq!(state(&bench, &id).await, ConnectionStateType::Disconnecting);
    let message = format!("Custom key store {id} is DISCONNECTING.");
    refused(connect().await, code, &message);
    bench.clock.forward_minutes(1);
    assert_eq!(state(&bench, &id).await, ConnectionStateType::Disconnected);
}

#[tokio::test]
async fn a_failed_connection_is_disconnected_before_the_next_try() {
    let bench = Bench::new();
    let id = made(cluster(&bench, "hardware", "abcdefghijk").key_store_password("wrongPswd")).await;
    connect(&bench, &id).await;
    let shown = entry(&bench, &id).await;
    assert_eq!(shown.connection_state(), Some(&ConnectionStateType::Failed));
    let expected = ConnectionErrorCodeType::InvalidCredentials;
    assert_eq!(shown.connection_error_code(), Some(&expected));
    let again = bench
        .kms
        .connect_custom_key_store()
        .custom_key_store_id(&id);
    let message = format!("Custom key store {id} is FAILED.");
    refused(
        again.send().await,
        "CustomKeyStoreInvalidStateException",
        &message,
    );
    disconnect(&bench, &id).await;
    let right = bench.kms.update_custom_key_store().custom_key_store_id(&id);
    right.key_store_password("rightPswd").send().await.unwrap();
    connect(&bench, &id).await;
    assert_eq!(state(&bench, &id).await, ConnectionStateType::Connected);
}

#[tokio::test]
async fn keys_in_stores_encrypt_while_their_store_is_connected() {
    let bench = Bench::new();
    let (hardware, external) = stores(&bench).await;
    for (create, origin) in [
        (in_cluster(&bench, &hardware), OriginType::AwsCloudhsm),
        (
            outside(&bench, &external, "key-1"),
            OriginType::ExternalKeyStore,
        ),
    ] {
        let key = create.send().await.unwrap().key_metadata.unwrap();
        let id = key.key_id();
        let store = key.custom_key_store_id().unwrap();
        assert_eq!(key.origin(), Some(&origin));
        assert_eq!(key.key_state(), Some(&KeyState::Enabled));
        assert_eq!(key.current_key_material_id(), None);
        let is_external = origin == OriginType::ExternalKeyStore;
        assert_eq!(key.cloud_hsm_cluster_id().is_some(), !is_external);
        assert_eq!(key.xks_key_configuration().is_some(), is_external);

        let made = bench
            .kms
            .generate_data_key()
            .key_id(id)
            .key_spec(DataKeySpec::Aes256);
        let made = made.send().await.unwrap();
        assert_eq!(made.key_material_id(), None);
        let blob = made.ciphertext_blob.unwrap();
        let open = || bench.kms.decrypt().ciphertext_blob(blob.clone()).send();
        assert_eq!(open().await.unwrap().plaintext, made.plaintext);

        disconnect(&bench, store).await;
        assert_eq!(
            describe(&bench, id).await.key_state(),
            Some(&KeyState::Unavailable)
        );
        let message = format!("{} is unavailable.", arn(id));
        refused(open().await, "KMSInvalidStateException", &message);
        bench.kms.disable_key().key_id(id).send().await.unwrap();
        connect(&bench, store).await;
        assert_eq!(
            describe(&bench, id).await.key_state(),
            Some(&KeyState::Disabled)
        );
        bench.kms.enable_key().key_id(id).send().await.unwrap();
        open().await.unwrap();
    }
}

#[tokio::test]
async fn keys_in_stores_do_less() {
    let bench = Bench::new();
    let (hardware, _) = stores(&bench).await;
    let made = in_cluster(&bench, &hardware).send().await.unwrap();
    let id = made.key_metadata.unwrap().key_id;
    let code = "UnsupportedOperationException";
    let message = format!(
        "{} origin is AWS_CLOUDHSM which is not valid for this operation.",
        arn(&id)
    );
    let kms = &bench.kms;
    refused(
        kms.enable_key_rotation().key_id(&id).send().await,
        code,
        &message,
    );
    refused(
        kms.get_key_rotation_status().key_id(&id).send().await,
        code,
        &message,
    );
    refused(
        kms.rotate_key_on_demand().key_id(&id).send().await,
        code,
        &message,
    );
    let pair = kms.generate_data_key_pair().key_id(&id);
    let pair = pair
        .key_pair_spec(DataKeyPairSpec::EccNistP256)
        .send()
        .await;
    refused(pair, code, &message);
    refused(kms.list_key_rotations().key_id(&id).send().await, code, "");
    let message = "Custom key stores hold symmetric encryption keys of a single Region only.";
    let multi = in_cluster(&bench, &hardware)
        .multi_region(true)
        .send()
        .await;
    refused(multi, code, message);
    let signer = in_cluster(&bench, &hardware).key_spec(KeySpec::EccNistP256);
    let signer = signer.key_usage(KeyUsageType::SignVerify).send().await;
    refused(signer, code, message);
}

#[tokio::test]
async fn keys_go_into_connected_stores_of_their_origin() {
    let bench = Bench::new();
    let (hardware, external) = stores(&bench).await;
    let code = "ValidationException";
    let message = format!(
        "Origin AWS_CLOUDHSM is not compatible with custom key store {external} of type EXTERNAL_KEY_STORE"
    );
    refused(in_cluster(&bench, &external).send().await, code, &message);
    let message = "CustomKeyStoreId is not valid when Origin is AWS_KMS";
    let here = bench
        .kms
        .create_key()
        .custom_key_store_id(&hardware)
        .send()
        .await;
    refused(here, code, message);
    let message = "XksKeyId is not valid when Origin is AWS_CLOUDHSM";
    let named = in_cluster(&bench, &hardware)
        .xks_key_id("key-1")
        .send()
        .await;
    refused(named, code, message);
    let message = "XksKeyId is required when Origin is EXTERNAL_KEY_STORE";
    let unnamed = bench
        .kms
        .create_key()
        .origin(OriginType::ExternalKeyStore)
        .custom_key_store_id(&external)
        .send()
        .await;
    refused(unnamed, code, message);
    let message = format!("Custom key store {UNKNOWN} is not found.");
    let unknown = in_cluster(&bench, UNKNOWN).send().await;
    refused(unknown, "CustomKeyStoreNotFoundException", &message);

    outside(&bench, &external, "key-1").send().await.unwrap();
    for (key, code) in [
        ("key-1", "XksKeyAlreadyInUseException"),
        ("missing-key", "XksKeyNotFoundException"),
        ("invalid-key", "XksKeyInvalidConfigurationException"),
    ] {
        refused(outside(&bench, &external, key).send().await, code, "");
    }
    disconnect(&bench, &external).await;
    let message = format!("Custom key store {external} is DISCONNECTED.");
    let early = outside(&bench, &external, "key-2").send().await;
    refused(early, "CustomKeyStoreInvalidStateException", &message);
}

#[tokio::test]
async fn random_bytes_come_from_clusters_too() {
    let bench = Bench::new();
    let (hardware, external) = stores(&bench).await;
    let draw = |store: &str| {
        let drawn = bench.kms.generate_random().number_of_bytes(8);
        drawn.custom_key_store_id(store).send()
    };
    let drawn = draw(&hardware).await.unwrap().plaintext.unwrap();
    assert_eq!(drawn.as_ref().len(), 8);
    refused(draw(&external).await, "UnsupportedOperationException", "");
    disconnect(&bench, &hardware).await;
    let message = format!("Custom key store {hardware} is DISCONNECTED.");
    refused(
        draw(&hardware).await,
        "CustomKeyStoreInvalidStateException",
        &message,
    );
}

#[tokio::test]
async fn a_store_goes_when_it_is_empty_and_disconnected() {
    let bench = Bench::new();
    let (hardware, _) = stores(&bench).await;
    let made = in_cluster(&bench, &hardware).send().await.unwrap();
    let id = made.key_metadata.unwrap().key_id;
    let delete = || {
        bench
            .kms
            .delete_custom_key_store()
            .custom_key_store_id(&hardware)
            .send()
    };
    refused(delete().await, "CustomKeyStoreHasCMKsException", "");
    let gone = bench
        .kms
        .schedule_key_deletion()
        .key_id(&id)
        .pending_window_in_days(7);
    gone.send().await.unwrap();
    bench.clock.forward_days(8);
    let message = format!("Custom key store {hardware} is CONNECTED.");
    refused(
        delete().await,
        "CustomKeyStoreInvalidStateException",
        &message,
    );
    disconnect(&bench, &hardware).await;
    delete().await.unwrap();
    let message = format!("Custom key store {hardware} is not found.");
    refused(delete().await, "CustomKeyStoreNotFoundException", &message);
}

#[tokio::test]
async fn some_settings_change_while_connected() {
    let bench = Bench::new();
    let (hardware, external) = stores(&bench).await;
    let update = |id: &str| bench.kms.update_custom_key_store().custom_key_store_id(id);
    update(&hardware)
        .new_custom_key_store_name("renamed")
        .send()
        .await
        .unwrap();
    let code = "CustomKeyStoreInvalidStateException";
    let message = format!("Custom key store {hardware} is CONNECTED.");
    let password = update(&hardware)
        .key_store_password("otherPswd")
        .send()
        .await;
    refused(password, code, &message);
    let moved = update(&external)
        .xks_proxy_uri_path("/a/kms/xks/v1")
        .xks_proxy_authentication_credential(credential(&"t".repeat(43)));
    moved.send().await.unwrap();
    let endpoint = || {
        update(&external)
            .xks_proxy_uri_endpoint("https://other.example.com")
            .send()
    };
    let message = format!("Custom key store {external} is CONNECTED.");
    refused(endpoint().await, code, &message);
    disconnect(&bench, &external).await;
    endpoint().await.unwrap();
    let shown = entry(&bench, &external)
        .await
        .xks_proxy_configuration
        .unwrap();
    assert_eq!(shown.uri_endpoint(), Some("https://other.example.com"));
    assert_eq!(shown.uri_path(), Some("/a/kms/xks/v1"));
    assert_eq!(
        entry(&bench, &hardware).await.custom_key_store_name(),
        Some("renamed")
    );

    disconnect(&bench, &hardware).await;
    let unrelated = update(&hardware)
        .cloud_hsm_cluster_id("cluster-unrelatedabc")
        .send()
        .await;
    refused(unrelated, "CloudHsmClusterNotRelatedException", "");
    update(&hardware)
        .cloud_hsm_cluster_id("cluster-bcdefghijkl")
        .send()
        .await
        .unwrap();
    let message = "A parameter is not valid for custom key stores of type AWS_CLOUDHSM";
    let foreign = update(&hardware)
        .xks_proxy_uri_path("/kms/xks/v1")
        .send()
        .await;
    refused(foreign, "ValidationException", message);
}

#[tokio::test]
async fn what_is_wrong_behind_a_store_is_told() {
    let bench = Bench::new();
    for (id, code) in [
        ("missingabcde", "CloudHsmClusterNotFoundException"),
        ("inactiveabcde", "CloudHsmClusterNotActiveException"),
        (
            "invalidabcde",
            "CloudHsmClusterInvalidConfigurationException",
        ),
    ] {
        refused(cluster(&bench, "a", id).send().await, code, "");
    }
    let anchor = cluster(&bench, "a", "abcdefghijk").trust_anchor_certificate("none");
    refused(anchor.send().await, "IncorrectTrustAnchorException", "");
    for (host, code) in [
        ("unreachable.example.com", "XksProxyUriUnreachableException"),
        (
            "denied.example.com",
            "XksProxyIncorrectAuthenticationCredentialException",
        ),
        ("garbled.example.com", "XksProxyInvalidResponseException"),
        (
            "invalid.example.com",
            "XksProxyInvalidConfigurationException",
        ),
    ] {
        refused(proxy(&bench, "a", host).send().await, code, "");
    }
    for (service, code) in [
        ("missing1", "XksProxyVpcEndpointServiceNotFoundException"),
        (
            "invalid1",
            "XksProxyVpcEndpointServiceInvalidConfigurationException",
        ),
    ] {
        let create = by_service(proxy(&bench, "a", "xks.example.com"), service);
        refused(create.send().await, code, "");
    }
}

#[tokio::test]
async fn stores_do_not_share_names_or_backings() {
    let bench = Bench::new();
    made(cluster(&bench, "hardware", "abcdefghijk")).await;
    made(proxy(&bench, "external", "xks.example.com")).await;
    let create = proxy(&bench, "private", "private.example.com");
    made(by_service(create, "a1")).await;
    let taken = cluster(&bench, "hardware", "bcdefghijkl").send().await;
    refused(taken, "CustomKeyStoreNameInUseException", "");
    let taken = cluster(&bench, "other", "abcdefghijk").send().await;
    refused(taken, "CloudHsmClusterInUseException", "");
    let taken = proxy(&bench, "other", "xks.example.com").send().await;
    refused(taken, "XksProxyUriInUseException", "");
    let taken = by_service(proxy(&bench, "other", "other.example.com"), "a1");
    refused(
        taken.send().await,
        "XksProxyVpcEndpointServiceInUseException",
        "",
    );
    let taken = proxy(&bench, "other", "private.example.com").xks_proxy_uri_path("/b/kms/xks/v1");
    refused(taken.send().await, "XksProxyUriEndpointInUseException", "");
    let shared = proxy(&bench, "other", "xks.example.com").xks_proxy_uri_path("/b/kms/xks/v1");
    made(shared).await;
    for number in 4..10 {
        made(proxy(
            &bench,
            &number.to_string(),
            &format!("{number}.example.com"),
        ))
        .await;
    }
    let message = "An account cannot have more than 10 custom key stores in a Region";
    let eleventh = proxy(&bench, "11", "11.example.com").send().await;
    refused(eleventh, "LimitExceededException", message);
}

#[tokio::test]
async fn members_of_stores_have_forms_and_secrets_are_not_repeated() {
    let bench = Bench::new();
    let path = proxy(&bench, "a", "xks.example.com").xks_proxy_uri_path("/kms/xks/other");
    let message = "1 validation error detected: Value '/kms/xks/other' at 'xksProxyUriPath' failed to satisfy \
                   constraint: Member must satisfy regular expression pattern: \
                   ^(/[a-zA-Z0-9\\/_-]+/kms/xks/v\\d{1,2})$|^(/kms/xks/v\\d{1,2})$";
    refused(path.send().await, "ValidationException", message);
    let password = cluster(&bench, "a", "abcdefghijk").key_store_password("secret");
    let message = "1 validation error detected: Value at 'keyStorePassword' failed to satisfy constraint: Member must \
                   have length greater than or equal to 7";
    refused(password.send().await, "ValidationException", message);
    let bare = bench
        .kms
        .create_custom_key_store()
        .custom_key_store_name("a")
        .send()
        .await;
    let message = "KeyStorePassword is required when CustomKeyStoreType is AWS_CLOUDHSM";
    refused(bare, "ValidationException", message);
}
