//! Both controllers, from their watches to their end.
//!
//! One replica runs at a time: the chart sets `replicas: 1` and the strategy `Recreate`, and a Lease comes with a second
//! replica. Nothing depends on it for correctness of what is outside of Kubernetes: a webhook is looked for before it is
//! created, and duplicates of a race are found by their marker and removed.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use fastio_crds::{FastioWebhook, FilePipeline};
use fastio_service::{Condition, Health, serve_admin};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Service, ServiceAccount};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::config::InferConfigError;
use kube::core::DeserializeGuard;
use kube::runtime::Controller;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Api, Client, Config, ResourceExt};
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;

use crate::config::{Args, Settings};
use crate::context::Context;
use crate::pipeline::Pipelines;
use crate::root_key::{RootKeyError, RootKeySecret};
use crate::runtime::driver;
use crate::runtime::events::Events;
use crate::runtime::metrics::Metrics;
use crate::runtime::watch::{all_changes, children, objects};
use crate::webhook::Webhooks;

/// Longest silence of the API server in a call; longer than a watch lasts.
const SILENCE: Duration = Duration::from_secs(150);

/// Why the operator stops by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It is not known where the API server is.
    #[error("no Kubernetes configuration: {0}")]
    Config(#[from] Box<InferConfigError>),
    /// No client for the API server.
    #[error("no Kubernetes client: {0}")]
    Client(#[from] Box<kube::Error>),
    /// There is no usable root key.
    #[error(transparent)]
    RootKey(#[from] RootKeyError),
    /// The admin port is taken.
    #[error("the admin port cannot be served: {0}")]
    Admin(#[from] io::Error),
}

/// Runs until `stop`, then lets running reconciles finish.
pub async fn run(args: &Args, stop: CancellationToken) -> Result<(), RunError> {
    let mut config = Config::infer().await.map_err(Box::new)?;
    config.read_timeout = Some(SILENCE);
    let client = Client::try_from(config).map_err(Box::new)?;
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let health = Health::new();
    let webhooks_listed = health.condition("FastioWebhooks listed");
    let pipelines_listed = health.condition("FilePipelines listed");
    let admin = serve_admin(args.admin_listen, health, Arc::new(registry), stop.clone());
    let work = async {
        let secret = RootKeySecret::new(client.clone(), &args.namespace, &args.root_key_secret);
        let Some(root_key) = stop.run_until_cancelled(secret.load_or_create()).await else { return Ok(()) };
        let root_key = root_key?;
        let context = Context {
            events: Events::new(client.clone()),
            settings: Arc::new(Settings::from(args)),
            root_key: root_key.clone(),
            client,
            metrics,
        };
        tokio::join!(
            secret.keep(&root_key, stop.clone()),
            webhooks(&context, webhooks_listed, stop.clone()),
            pipelines(&context, pipelines_listed, stop.clone()),
        );
        Ok(())
    };
    tokio::select! {
        result = work => result,
        Err(error) = admin => Err(error.into()),
    }
}

async fn webhooks(context: &Context, listed: Condition, stop: CancellationToken) {
    let client = &context.client;
    let (store, main) = objects(Api::<DeserializeGuard<FastioWebhook>>::all(client.clone()));
    let controller = Controller::for_stream(main, store.clone())
        .owns_stream(children::<Deployment>(client))
        .owns_stream(children::<Service>(client))
        .owns_stream(children::<ServiceAccount>(client))
        .owns_stream(children::<Role>(client))
        .owns_stream(children::<RoleBinding>(client));
    let reconciler = Arc::new(Webhooks::new(context.clone()));
    let run = driver::run(controller, reconciler, context.metrics.clone(), stop);
    tokio::join!(run, mark_listed(store, listed));
}

async fn pipelines(context: &Context, listed: Condition, stop: CancellationToken) {
    let client = &context.client;
    let (store, main) = objects(Api::<DeserializeGuard<FilePipeline>>::all(client.clone()));
    let (webhooks, webhook_changes) =
        all_changes(Api::<DeserializeGuard<FastioWebhook>>::all(client.clone()));
    let pipelines = store.clone();
    let controller = Controller::for_stream(main, store.clone())
        .owns_stream(children::<Deployment>(client))
        .owns_stream(children::<ServiceAccount>(client))
        .watches_stream(webhook_changes, move |webhook| users(&pipelines, &webhook));
    let reconciler = Arc::new(Pipelines::new(context.clone(), webhooks));
    let run = driver::run(controller, reconciler, context.metrics.clone(), stop);
    tokio::join!(run, mark_listed(store, listed));
}

/// The pipelines that name a webhook.
fn users(
    pipelines: &Store<DeserializeGuard<FilePipeline>>,
    webhook: &DeserializeGuard<FastioWebhook>,
) -> Vec<ObjectRef<DeserializeGuard<FilePipeline>>> {
    let (namespace, name) = (webhook.namespace(), webhook.name_any());
    let uses = |pipeline: &FilePipeline| pipeline.spec.webhook_ref.name == name;
    pipelines
        .state()
        .iter()
        .filter(|pipeline| pipeline.namespace() == namespace && pipeline.0.as_ref().is_ok_and(uses))
        .map(|pipeline| ObjectRef::from_obj(&**pipeline))
        .collect()
}

async fn mark_listed<K>(store: Store<K>, listed: Condition)
where
    K: kube::Resource<DynamicType = ()> + Clone + 'static,
{
    if store.wait_until_ready().await.is_ok() {
        listed.set(true);
    }
}
