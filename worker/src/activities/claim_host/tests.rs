use fastio_pipeline::names::TaskQueue;
use fastio_temporal::failure::Class;

use super::*;
use crate::plan_key::PlanKeyFile;
use crate::world::{World, plan_key, request};

const MIB: u64 = 1 << 20;

async fn host(world: &World) -> (ClaimHost, Claim) {
    let source = world.source("beach.jpg", b"not looked at").await;
    let request = request(&source);
    let claim = Claim {
        workflow_id: request.workflow_id.to_string(),
        run_id: "1".to_owned(),
        bytes: MIB,
        sealed: plan_key().seal(&request).unwrap(),
    };
    let room = Room::open(world.scratch.clone(), MIB, 1).unwrap();
    let host = Transfer {
        client: world.client.clone(),
        plan_key: PlanKeyFile::new("/nowhere".into()),
        room: Arc::new(room),
        queue: TaskQueue::pipeline(&"fastio".parse().unwrap(), &request.plan.pipeline),
        pipeline: request.plan.pipeline,
        host: "pod-1".to_owned(),
    };
    (ClaimHost(host), claim)
}

#[tokio::test]
async fn a_host_without_its_steps_container_takes_no_run() {
    let world = World::start().await;
    let (host, claim) = host(&world).await;
    let failure = host.reserve(&claim, 1, Duration::ZERO).await.unwrap_err();
    assert_eq!(failure.type_name, "StepsAway");
    assert!(matches!(failure.class, Class::Retry { after: Some(_) }), "{failure:?}");
    assert!(host.0.room.claims().unwrap().is_empty());
    world.scratch.beat().unwrap();
    host.reserve(&claim, 1, STEPS_PATIENCE).await.unwrap();
    assert_eq!(host.0.room.claims().unwrap().len(), 1);
}

#[tokio::test]
async fn a_steps_container_that_starts_again_is_waited_for() {
    let world = World::start().await;
    let (host, claim) = host(&world).await;
    let scratch = world.scratch.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        scratch.beat().unwrap();
    });
    host.reserve(&claim, 1, STEPS_PATIENCE).await.unwrap();
}
