//! The child objects as they are written.

use super::*;
use crate::connection::Access;
use crate::webhook::delivery::{Past, decide};
use crate::webhook::remote::Found;

#[tokio::test]
async fn children_are_as_reviewed() {
    let api = FakeApi::new();
    let context = context(&api, &[TEMPORAL]);
    let connection = context.settings.temporal.clone().unwrap();
    let access = Access { connection, ca: None, client_cert: None, api_key: None };
    let mut webhook = webhook();
    webhook.spec.delivery = fastio_crds::Delivery::Both;
    let valid = validate::validate(&webhook, Ok(access), None).unwrap();
    let found = Found::Marked(Vec::new());
    let route = decide(&valid.delivery, Some(&found), Past::default());
    let build::Children { plan_key, intake_account, intake_role, intake_role_binding, intake, receiver } =
        build::build(&valid, route, &context);
    let build::ReceiverChildren { signing_secret, account, service, deployment } = receiver.unwrap();
    for secret in [&signing_secret.unwrap(), &plan_key] {
        assert_eq!(secret.data.as_ref().unwrap().values().next().unwrap().0.len(), 64);
    }
    let children =
        json!([account, intake_account, intake_role, intake_role_binding, service, deployment, intake]);
    insta::assert_snapshot!(serde_saphyr::to_string(&children).unwrap());
}
