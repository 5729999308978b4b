//! Temporal's client with nothing around it: what a start costs at least.

use std::net::SocketAddr;

use temporalio_client::errors::WorkflowStartError;
use temporalio_client::{
    Client, ClientOptions, Connection, ConnectionOptions, GrpcCompression, Url, WorkflowIdConflictPolicy,
    WorkflowIdReusePolicy, WorkflowStartOptions,
};
use temporalio_common::UntypedWorkflow;
use temporalio_common::data_converters::RawValue;
use temporalio_common::protos::temporal::api::common::v1::Payload;

use crate::delivery::Events;
use crate::load::Target;

/// Starts one workflow for each event.
pub(crate) struct Bare {
    client: Client,
    events: Events,
}

impl Bare {
    /// Connects to a frontend.
    pub(crate) async fn connect(to: SocketAddr, events: Events) -> Result<Self, String> {
        let url = Url::parse(&format!("http://{to}")).map_err(|error| error.to_string())?;
        // The SDK's default, gzip, takes more CPU than everything else in a start: what is bare has none.
        let options = ConnectionOptions::new(url)
            .identity("bench".to_owned())
            .grpc_compression(GrpcCompression::None)
            .build();
        let connection = Connection::connect(options).await.map_err(|error| error.to_string())?;
        let client = Client::new(connection, ClientOptions::new("default").build())
            .map_err(|error| error.to_string())?;
        Ok(Self { client, events })
    }
}

impl Target for Bare {
    async fn send(&self, number: u64) -> Result<u16, String> {
        let payload = Payload {
            metadata: [("encoding".to_owned(), b"json/plain".to_vec())].into(),
            data: self.events.json(number),
            ..Default::default()
        };
        let options = WorkflowStartOptions::new("bare", format!("bare-{}", self.events.id(number)))
            .id_reuse_policy(WorkflowIdReusePolicy::RejectDuplicate)
            .id_conflict_policy(WorkflowIdConflictPolicy::Fail)
            .build();
        let workflow = UntypedWorkflow::new("FileEvent");
        match self.client.start_workflow(workflow, RawValue::new(vec![payload]), options).await {
            Ok(_) => Ok(200),
            // Every id is new: this would be a retry of a start that had gone through.
            Err(WorkflowStartError::AlreadyStarted { .. }) => Ok(409),
            Err(error) => Err(error.to_string()),
        }
    }
}
