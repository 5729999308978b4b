//! What the operator asks of Temporal: numbers of a pipeline's runs for people, and at deletion the end of runs and feeds.
//! Never a condition for anything else: an outage of Temporal does not hold a reconcile.

use std::collections::HashMap;
use std::fmt;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use fastio_pipeline::names::{TaskQueue, WorkflowId};
use fastio_temporal::{ConnectError, one_attempt};
use futures::{Stream, StreamExt, TryStreamExt};
use secrecy::ExposeSecret;
use temporalio_client::errors::{ClientError, WorkflowInteractionError};
use temporalio_client::{
    Client, UntypedWorkflow, WorkflowCancelOptions, WorkflowCountOptions, WorkflowListOptions,
    WorkflowTerminateOptions,
};

use crate::connection::Access;
use crate::keys::RootKey;

/// The operator's name at Temporal.
const IDENTITY: &str = "fastio-operator";
/// Longest time of a count or termination with all of its calls, and of each single call of a cancellation.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a Temporal that could not be reached is left alone.
const LEFT_ALONE: Duration = Duration::from_mins(1);
/// Clients that nobody used for this long are dropped.
const UNUSED: Duration = Duration::from_mins(15);
/// Runs that are looked at to find the newest.
const NEWEST_OF: usize = 20;
/// Runs that are cancelled at once.
const CANCEL_CONCURRENCY: usize = 8;

/// Why Temporal did not answer.
#[derive(Debug, thiserror::Error)]
pub enum TemporalError {
    /// It cannot be connected.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// It could not be reached a short time ago.
    #[error("it could not be reached a short time ago")]
    LeftAlone,
    /// No answer in time.
    #[error("no answer within {PATIENCE:?}")]
    Silent,
    /// A call was refused.
    #[error("{0}")]
    Call(#[from] ClientError),
    /// A workflow could not be cancelled or terminated.
    #[error("{0}")]
    Workflow(#[from] WorkflowInteractionError),
}

/// Numbers of a pipeline's runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Open runs.
    pub running: i64,
    /// Runs that failed or timed out, as far as Temporal remembers.
    pub failed: i64,
    /// When the newest run started.
    pub newest: Option<SystemTime>,
}

/// Clients, one for each connection and content of its Secrets: a changed certificate or key is another client.
#[derive(Default)]
pub struct Clients(Mutex<HashMap<String, Slot>>);

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clients")
    }
}

struct Slot {
    used: Instant,
    state: State,
}

#[derive(Clone)]
enum State {
    Connected(Client),
    FailedAt(Instant),
}

impl Clients {
    /// Counts the runs on a queue.
    pub async fn count(
        &self,
        root_key: &RootKey,
        access: &Access,
        queue: &TaskQueue,
    ) -> Result<Counts, TemporalError> {
        let key = fingerprint(root_key, access);
        if let Some(State::FailedAt(at)) = self.state(&key)
            && at.elapsed() < LEFT_ALONE
        {
            return Err(TemporalError::LeftAlone);
        }
        let answer = in_time(async { count(&self.client(&key, access).await?, queue).await }).await;
        self.note(&key, answer)
    }

    /// Asks for cancellation of the open runs on a queue and returns how many are open. Temporal is asked also if it could
    /// not be reached a short time ago, and each call has its own time: there may be many runs. The caller bounds the whole.
    pub async fn cancel(
        &self,
        root_key: &RootKey,
        access: &Access,
        queue: &TaskQueue,
    ) -> Result<usize, TemporalError> {
        let key = fingerprint(root_key, access);
        let answer = async { cancel(&in_time(self.client(&key, access)).await?, queue).await }.await;
        self.note(&key, answer)
    }

    /// Terminates a workflow; one that does not run is fine. Temporal is asked also if it could not be reached a short time
    /// ago.
    pub async fn terminate(
        &self,
        root_key: &RootKey,
        access: &Access,
        workflow: &WorkflowId,
        reason: &str,
    ) -> Result<(), TemporalError> {
        let key = fingerprint(root_key, access);
        let answer =
            in_time(async { terminate(&self.client(&key, access).await?, workflow, reason).await }).await;
        self.note(&key, answer)
    }

    /// The client that is connected, or a new one.
    async fn client(&self, key: &str, access: &Access) -> Result<Client, TemporalError> {
        let client = match self.state(key) {
            Some(State::Connected(client)) => client,
            Some(State::FailedAt(_)) | None => access.target().connect(IDENTITY, PATIENCE).await?,
        };
        self.set(key, State::Connected(client.clone()));
        Ok(client)
    }

    /// Notes that Temporal cannot be reached, if that is the answer.
    fn note<T>(&self, key: &str, answer: Result<T, TemporalError>) -> Result<T, TemporalError> {
        if matches!(answer, Err(TemporalError::Connect(_) | TemporalError::Silent)) {
            self.set(key, State::FailedAt(Instant::now()));
        }
        answer
    }

    fn state(&self, key: &str) -> Option<State> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|_, slot| slot.used.elapsed() < UNUSED);
        slots.get(key).map(|slot| slot.state.clone())
    }

    fn set(&self, key: &str, state: State) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.insert(key.to_owned(), Slot { used: Instant::now(), state });
    }
}

fn fingerprint(root_key: &RootKey, access: &Access) -> String {
    let connection = format!("{:?}", access.connection);
    root_key.fingerprint(&[connection.as_bytes(), access.content().expose_secret()].concat())
}

async fn in_time<T, E>(call: impl Future<Output = Result<T, E>>) -> Result<T, TemporalError>
where
    TemporalError: From<E>,
{
    Ok(tokio::time::timeout(PATIENCE, call).await.map_err(|_| TemporalError::Silent)??)
}

/// Runs on a queue; the built-in search attribute exists on every Temporal. A queue's name has no quotes in it: it is
/// made of DNS names.
fn runs(queue: &TaskQueue, status: &str) -> String {
    format!("TaskQueue = '{queue}' AND ExecutionStatus {status}")
}

async fn count(client: &Client, queue: &TaskQueue) -> Result<Counts, TemporalError> {
    let count = async |status| {
        let options = WorkflowCountOptions::builder().rpc_options(one_attempt(PATIENCE)).build();
        let count = client.count_workflows(runs(queue, status), options).await?.count();
        Ok::<_, TemporalError>(i64::try_from(count).unwrap_or(i64::MAX))
    };
    let running = count("= 'Running'").await?;
    let failed = count("IN ('Failed', 'TimedOut')").await?;
    // Temporal sorts by close time, open runs first: the newest is among the first, unless very many run.
    let options = WorkflowListOptions::builder().limit(NEWEST_OF).rpc_options(one_attempt(PATIENCE)).build();
    let first: Vec<_> =
        client.list_workflows(format!("TaskQueue = '{queue}'"), options).try_collect().await?;
    let newest = first.iter().filter_map(temporalio_client::WorkflowExecution::start_time).max();
    Ok(Counts { running, failed, newest })
}

async fn cancel(client: &Client, queue: &TaskQueue) -> Result<usize, TemporalError> {
    let options = WorkflowListOptions::builder().rpc_options(one_attempt(PATIENCE)).build();
    let open = client.list_workflows(runs(queue, "= 'Running'"), options);
    cancel_each(open, |run| async move {
        let options = WorkflowCancelOptions::builder()
            .reason("the FilePipeline is being deleted")
            .rpc_options(one_attempt(PATIENCE))
            .build();
        match client.get_workflow_handle::<UntypedWorkflow>(run.id()).cancel(options).await {
            // Closed in the meantime.
            Err(WorkflowInteractionError::NotFound(_)) => Ok(()),
            result => result,
        }
    })
    .await
}

async fn terminate(client: &Client, workflow: &WorkflowId, reason: &str) -> Result<(), TemporalError> {
    let options =
        WorkflowTerminateOptions::builder().reason(reason).rpc_options(one_attempt(PATIENCE)).build();
    match client.get_workflow_handle::<UntypedWorkflow>(workflow.as_str()).terminate(options).await {
        Ok(()) | Err(WorkflowInteractionError::NotFound(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Lists to the end first, because cancellation takes runs off the list. A run that cannot be cancelled does not keep the
/// others open.
async fn cancel_each<R, F>(
    open: impl Stream<Item = Result<R, ClientError>>,
    cancel: impl Fn(R) -> F,
) -> Result<usize, TemporalError>
where
    F: Future<Output = Result<(), WorkflowInteractionError>>,
{
    let mut open = pin!(open);
    let mut found = Vec::new();
    while let Some(run) = in_time(open.try_next()).await? {
        found.push(run);
    }
    let count = found.len();
    let answers: Vec<_> = futures::stream::iter(found)
        .map(|run| in_time(cancel(run)))
        .buffer_unordered(CANCEL_CONCURRENCY)
        .collect()
        .await;
    answers.into_iter().collect::<Result<(), _>>()?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_names_queue_and_status() {
        let queue = TaskQueue::pipeline(&"fastio".parse().unwrap(), &"media/photos".parse().unwrap());
        assert_eq!(
            runs(&queue, "= 'Running'"),
            "TaskQueue = 'fastio:pipeline:media/photos' AND ExecutionStatus = 'Running'"
        );
    }

    #[tokio::test]
    async fn a_temporal_that_is_away_is_left_alone_for_a_while_but_for_cancellation() {
        let clients = Clients::default();
        let root_key = RootKey::new(&[7; 32]).unwrap();
        let spec = serde_saphyr::from_str("{address: '127.0.0.1:9', namespace: media}").unwrap();
        let connection = crate::connection::Connection::from(&spec);
        let access = Access { connection, ca: None, client_cert: None, api_key: None };
        let queue = TaskQueue::pipeline(&"fastio".parse().unwrap(), &"media/photos".parse().unwrap());
        let ask = || clients.count(&root_key, &access, &queue);
        assert!(matches!(ask().await, Err(TemporalError::Connect(_))));
        assert!(matches!(ask().await, Err(TemporalError::LeftAlone)));
        let cancelled = clients.cancel(&root_key, &access, &queue).await;
        assert!(matches!(cancelled, Err(TemporalError::Connect(_))), "{cancelled:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn many_runs_may_take_longer_than_one_call() {
        let slow = async |run| {
            tokio::time::sleep(PATIENCE / 2).await;
            Ok(run)
        };
        let asked = Mutex::new(Vec::new());
        let cancel = |run| {
            let asked = &asked;
            async move {
                tokio::time::sleep(if run == 0 { PATIENCE * 2 } else { PATIENCE / 2 }).await;
                asked.lock().unwrap().push(run);
                Ok(())
            }
        };
        let started = tokio::time::Instant::now();
        let all = futures::stream::iter(1..=50).then(slow);
        assert!(matches!(cancel_each(all, cancel).await, Ok(50)));
        assert_eq!(std::mem::take(&mut *asked.lock().unwrap()).len(), 50);
        assert!(started.elapsed() > PATIENCE * 2);

        let with_a_silent_one = futures::stream::iter(0..=20).then(slow);
        assert!(matches!(cancel_each(with_a_silent_one, cancel).await, Err(TemporalError::Silent)));
        assert_eq!(asked.lock().unwrap().len(), 20, "the others are cancelled");
    }
}
