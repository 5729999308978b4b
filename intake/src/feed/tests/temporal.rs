//! The workflow on a real Temporal: what becomes of it when somebody ends it. Skipped where the tools of the cluster (`make
//! tools`) are not installed.

use std::net::TcpListener;
use std::path::PathBuf;
use std::pin::pin;
use std::process::Stdio;

use fastio_pipeline::names::{FEED_DELETED, TaskQueue, WorkflowId};
use fastio_temporal::worker::run;
use fastio_temporal::{ConnectionArgs, connect};
use temporalio_client::{
    Client, WorkflowCancelOptions, WorkflowDescribeOptions, WorkflowExecutionStatus, WorkflowHandle,
    WorkflowQueryOptions, WorkflowTerminateOptions,
};
use temporalio_sdk::runtime::{Runtime, RuntimeOptions};
use temporalio_sdk::{Worker, WorkerOptions};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::left_over::UNREADABLE;
use super::*;
use crate::feed::activities::FeedActivities;
use crate::feed::keep::see_to;
use crate::feed::state::Memory;
use crate::feed::workflow;
use crate::occasion::Occasion;
use crate::world::world;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// A Temporal of its own, without a disk. It ends with the test.
struct Temporal {
    client: Client,
    _process: Child,
    _home: tempfile::TempDir,
}

impl Temporal {
    async fn start() -> Option<Self> {
        let Some(program) = program() else {
            eprintln!("skipped: no Temporal among the tools, see `make tools`");
            return None;
        };
        let ports = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [port, http, metrics] = ports.each_ref().map(|port| port.local_addr().unwrap().port());
        drop(ports);
        let home = tempfile::tempdir().unwrap();
        let process = Command::new(program)
            .args(["server", "start-dev", "--headless", "--log-level=error"])
            .args([
                format!("--port={port}"),
                format!("--http-port={http}"),
                format!("--metrics-port={metrics}"),
            ])
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let args = ConnectionArgs::plain(&format!("127.0.0.1:{port}"), "default");
        let began = Instant::now();
        loop {
            match connect(&args, "test").await {
                Ok(client) => return Some(Self { client, _process: process, _home: home }),
                Err(error) => assert!(began.elapsed() < PATIENCE, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Where `make tools` puts it.
fn program() -> Option<PathBuf> {
    let cache = std::env::var_os("FASTIO_CACHE").map(PathBuf::from);
    let cache =
        cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/fastio-operator")))?;
    let tools = std::fs::read_dir(cache.join("tools")).ok()?;
    tools.flatten().map(|tool| tool.path().join("temporal")).find(|program| program.is_file())
}

/// The feed of a world.
struct Studio<'t> {
    world: World,
    client: &'t Client,
    id: WorkflowId,
    queue: TaskQueue,
}

impl<'t> Studio<'t> {
    async fn new(temporal: &'t Temporal) -> Self {
        let world = world(vec![photos()]).await;
        let id = WorkflowId::feed(&world.intake.installation, &world.intake.webhook);
        let queue = TaskQueue::intake(&world.intake.installation, &world.intake.webhook);
        Self { world, client: &temporal.client, id, queue }
    }

    /// Runs its worker for as long as a `story` takes.
    async fn during(&self, follow: Follow, story: impl Future<Output = ()>) {
        let (feed, stop) = (Arc::new(self.world.feed(follow)), CancellationToken::new());
        let options = WorkerOptions::new(self.queue.as_str())
            .register_workflow::<workflow::Feed>()
            .unwrap()
            .register_activities(FeedActivities { feed, stop: stop.clone() })
            .build();
        let runtime = Runtime::from_current_tokio(RuntimeOptions::default()).unwrap();
        let worker = Worker::new(&runtime, self.client.clone(), options).unwrap();
        let mut running = pin!(run(worker, stop.clone()));
        tokio::select! {
            ended = &mut running => panic!("{ended:?}"),
            () = story => {}
        }
        stop.cancel();
        running.await.unwrap();
    }

    fn feed(&self) -> WorkflowHandle<Client, workflow::Feed> {
        self.client.get_workflow_handle(self.id.as_str())
    }

    async fn see_to(&self) {
        // The worker may not be polling yet, and then the one that has ended says nothing.
        let began = Instant::now();
        while let Err(error) = see_to(self.client, &self.id, &self.queue, false).await {
            assert!(began.elapsed() < PATIENCE, "{error}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn memory(&self) -> Memory {
        self.feed().query(workflow::Feed::everything, (), WorkflowQueryOptions::default()).await.unwrap()
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Memory) -> bool) -> Memory {
        let began = Instant::now();
        loop {
            let memory = self.memory().await;
            if is_so(&memory) {
                return memory;
            }
            assert!(began.elapsed() < PATIENCE, "{what}: {memory:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn opened(&self) -> Memory {
        self.until("the feed is open", |memory| memory.following.opened.is_some()).await
    }

    /// Waits for a run for this file by an event that was read, or that a listing made up.
    async fn until_started(&self, name: &str, listed: bool) {
        let began = Instant::now();
        loop {
            let is_it = |event: &str| event.starts_with("relist.") == listed;
            if self.world.started().iter().any(|run| run.source.name == name && is_it(run.event.id.as_str()))
            {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{name}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn terminate(&self, reason: &str) {
        let options = WorkflowTerminateOptions::builder().reason(reason).build();
        self.feed().terminate(options).await.unwrap();
    }

    async fn status(&self) -> WorkflowExecutionStatus {
        self.feed().describe(WorkflowDescribeOptions::default()).await.unwrap().status()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_is_ended_goes_on_from_its_position() {
    let Some(temporal) = Temporal::start().await else { return };
    let studio = Studio::new(&temporal).await;
    let story = async {
        studio.see_to().await;
        let first = studio.opened().await;
        studio.terminate("by hand").await;
        studio.world.put("terminated.jpg").await;
        studio.see_to().await;
        studio.until_started("terminated.jpg", false).await;
        let again = studio.opened().await;
        assert_eq!(again.workspace, first.workspace);

        studio.feed().cancel(WorkflowCancelOptions::default()).await.unwrap();
        let began = Instant::now();
        while studio.status().await != WorkflowExecutionStatus::Canceled {
            assert!(began.elapsed() < PATIENCE, "it is cancelled");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        studio.world.put("cancelled.jpg").await;
        studio.see_to().await;
        studio.until_started("cancelled.jpg", false).await;

        // One that was ended with its webhook is another feed.
        studio.terminate(FEED_DELETED).await;
        let deleted = Timestamp::now();
        studio.see_to().await;
        assert!(studio.opened().await.relisting.watermark > Some(deleted));
    };
    studio.during(Follow::Net, Box::pin(story)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_listing_leaves_over_gets_to_following() {
    let Some(temporal) = Temporal::start().await else { return };
    let studio = Studio::new(&temporal).await;
    let story = async {
        studio.see_to().await;
        studio.opened().await;
        studio.world.fastio.fail("storage.details", UNREADABLE).await;
        // The next one lists at once.
        studio.terminate("by hand").await;
        studio.world.put("beach.jpg").await;
        studio.see_to().await;
        studio
            .until("following has it", |memory| {
                memory.following.pending.iter().any(|awaiting| awaiting.occasion == Occasion::Relist)
            })
            .await;
        studio.world.fastio.control("DELETE", "faults", "").await;
        studio.until_started("beach.jpg", true).await;
    };
    studio.during(Follow::Net, Box::pin(story)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_read_again_goes_on_where_reading_stopped() {
    let Some(temporal) = Temporal::start().await else { return };
    let studio = Studio::new(&temporal).await;
    let story = async {
        studio.see_to().await;
        studio.opened().await;
        for operation in ["events.changes", "events.search"] {
            studio.world.fastio.fail(operation, FORBIDDEN).await;
        }
        let by_listings = |memory: &Memory| {
            let opened = memory.following.opened.as_ref();
            opened.is_some_and(|opened| matches!(opened.source, Source::Relist { .. }))
        };
        studio.until("there is nothing but listings", by_listings).await;
        studio.world.put("beach.jpg").await;
        studio.world.fastio.control("DELETE", "faults", "").await;
        studio.until_started("beach.jpg", false).await;
    };
    studio.during(Follow::Net, Box::pin(story)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_while_nothing_was_followed_is_not_looked_for() {
    let Some(temporal) = Temporal::start().await else { return };
    let studio = Studio::new(&temporal).await;
    let delivered = async {
        studio.see_to().await;
        let since = studio.opened().await.relisting.watermark;
        studio.until("the watermark moves", |memory| memory.relisting.watermark > since).await;
    };
    studio.during(Follow::None, Box::pin(delivered)).await;
    // From push to pull: what comes in between is looked for.
    studio.world.put("between.jpg").await;
    let follow = Follow::Net;
    studio.during(follow, studio.until_started("between.jpg", true)).await;
}
