//! Puts a picture through a running worker, without Kubernetes, intake and webhook: uploads it, seals a run for it,
//! starts the workflow and waits for its report. With `--history` it also saves the workflow's history, as the replay
//! test reads it.
//!
//! ```text
//! cargo run -p fastio-worker --example run_file -- --temporal-address 127.0.0.1:7233 --temporal-namespace media \
//!     --fastio-base-url http://127.0.0.1:8080/current --api-key demo-key --plan-key-file plan.key \
//!     --workspace 1234567890123456789 photo.jpg
//! ```
#![allow(clippy::print_stdout, reason = "a program for a terminal")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Parser;
use fastio::{ApiKey, ApiKeySource, BaseUrl, NodeId, UploadStatus, WorkspaceId};
use fastio_pipeline::names::TaskQueue;
use fastio_pipeline::run::{RunReport, RunRequest};
use fastio_pipeline::seal::PlanKey;
use fastio_temporal::{ConnectionArgs, connect};
use fastio_worker::workflow::FilePipeline;
use serde_json::json;
use temporalio_client::errors::WorkflowGetResultError;
use temporalio_client::{
    Client, WorkflowFetchHistoryOptions, WorkflowGetResultOptions, WorkflowStartOptions,
};

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    temporal: ConnectionArgs,
    #[arg(long)]
    fastio_base_url: BaseUrl,
    #[arg(long)]
    api_key: ApiKey,
    #[arg(long)]
    plan_key_file: PathBuf,
    #[arg(long)]
    workspace: WorkspaceId,
    /// Save the history here.
    #[arg(long)]
    history: Option<PathBuf>,
    /// Seal the run with another key, to see it refused.
    #[arg(long)]
    forge: bool,
    /// Run once more under another workflow id, as after Temporal has forgotten the first run: that one looks for results.
    #[arg(long)]
    again: bool,
    /// The picture, at most 4 MiB.
    file: PathBuf,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let fastio =
        fastio::Client::new(args.fastio_base_url.clone(), ApiKeySource::Static(args.api_key.clone()))?;
    let request = upload(&fastio, &args).await?;
    let key = std::fs::read(&args.plan_key_file)?;
    let key = if args.forge { PlanKey::new(&[0; 32])? } else { PlanKey::new(key.trim_ascii_end())? };

    let temporal = connect(&args.temporal, "run_file").await?;
    let mut ended = run(&temporal, &key, &request, args.history.as_deref()).await?;
    if args.again {
        let id = serde_json::from_value(json!(format!("{}:again", request.workflow_id)))?;
        let again = RunRequest { workflow_id: id, check_results: true, ..request.clone() };
        ended = run(&temporal, &key, &again, args.history.as_deref()).await?;
    }
    println!("{}", serde_json::to_string_pretty(&ended?)?);
    let node = request.source.id.as_str().parse()?;
    for comment in fastio.comments(&args.workspace, &node).await? {
        println!("comment: {}", comment.body);
    }
    Ok(())
}

/// Runs a request to its end, well or not, and saves its history.
async fn run(
    temporal: &Client,
    key: &PlanKey,
    request: &RunRequest,
    history: Option<&Path>,
) -> Result<Result<RunReport, WorkflowGetResultError>, Box<dyn Error>> {
    let queue = TaskQueue::pipeline(&"fastio".parse()?, &request.plan.pipeline);
    let options = WorkflowStartOptions::new(queue.as_str(), request.workflow_id.as_str()).build();
    let started = Instant::now();
    let run = temporal.start_workflow(FilePipeline::run, key.seal(request)?, options).await?;
    println!("started {}", request.workflow_id);
    let ended = run.get_result(WorkflowGetResultOptions::default()).await;
    println!("ended after {:?}", started.elapsed());
    if let Some(path) = history {
        let history = run.fetch_history(WorkflowFetchHistoryOptions::default());
        std::fs::write(path, history.to_json().await?)?;
    }
    Ok(ended)
}

async fn upload(fastio: &fastio::Client, args: &Args) -> Result<RunRequest, Box<dyn Error>> {
    let name = args.file.file_name().and_then(|name| name.to_str()).ok_or("the file has no name")?;
    let content = std::fs::read(&args.file)?.into();
    let upload = fastio.upload_small(&args.workspace, &NodeId::root(), name, content).await?;
    let node = loop {
        match fastio.upload_status(&upload.id, Duration::from_secs(5)).await? {
            UploadStatus::Stored(node) => break fastio.node(&args.workspace, &node).await?,
            UploadStatus::Failed { message } => return Err(message.into()),
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    let resize = |width: u32| json!({"imageResize": {"width": width, "fit": "inside", "format": "webp", "quality": 80}});
    let version = node.version.as_ref().map(ToString::to_string);
    let hash = node.hash.map(|hash| json!({"algorithm": "sha256", "value": hash.value}));
    Ok(serde_json::from_value(json!({
        "workflowId": format!("fastio:run:media/photos:{}:{}", node.id, version.as_deref().unwrap_or("unversioned")),
        "webhook": "media/studio",
        "event": {"id": "evt-by-hand", "kind": "upload", "workspace": args.workspace, "file": node.id},
        "source": {"workspace": args.workspace, "id": node.id, "version": version, "name": name, "folder": [],
            "size": node.size, "hash": hash},
        "plan": {
            "pipeline": "media/photos",
            "generation": 1,
            "match": {"events": ["upload"]},
            "steps": [{"name": "web", "action": resize(1600)}, {"name": "thumb", "from": "web", "action": resize(320)}],
            "output": "/processed/{stem}",
            "successComment": "{results} are ready in {output.folder}",
            "failureComment": "Processing failed: {error}",
        },
    }))?)
}
