//! The end of a process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::world::{Settings, event, post, read_answer, read_to_end, status, world, world_with};

#[tokio::test]
async fn a_stop_loses_nothing_and_refuses_nothing() {
    let world = world();
    world.engine.delay_ms.store(400, Ordering::Relaxed);
    let mut under_way = world.connect().await;
    under_way.write_all(post(&event("upload", "evt-1")).as_bytes()).await.unwrap();
    let mut idle = world.connect().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    world.stop.cancel();

    // Nodes that have not heard yet still send new connections.
    let late = world.exchange(&post(&event("upload", "evt-2"))).await;
    assert_eq!(status(&late), "200", "{late}");
    assert!(late.contains("connection: close"), "{late}");
    let answer = read_to_end(&mut under_way).await;
    assert_eq!(status(&answer), "200", "{answer}");
    assert_eq!(read_to_end(&mut idle).await, "");

    let begun = Instant::now();
    tokio::time::timeout(Duration::from_secs(2), world.server).await.expect("an end").unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(TcpStream::connect(world.address).await.is_err());
}

/// A client with a connection that it keeps: it goes where the Service points when it has to open a new one.
async fn keep_alive_client(number: usize, port: Arc<AtomicU16>, until: Instant) -> usize {
    let mut sent = 0;
    let mut stream: Option<TcpStream> = None;
    while Instant::now() < until {
        let mut connection = if let Some(stream) = stream.take() {
            stream
        } else {
            let address = SocketAddr::from(([127, 0, 0, 1], port.load(Ordering::Relaxed)));
            TcpStream::connect(address).await.expect("no connection is refused")
        };
        let request = post(&event("upload", &format!("evt-{number}-{sent}")));
        connection.write_all(request.as_bytes()).await.expect("no request is refused");
        let answer = read_answer(&mut connection).await;
        assert_eq!(status(&answer), "200", "client {number}, request {sent}: {answer}");
        sent += 1;
        if !answer.contains("connection: close") {
            stream = Some(connection);
        }
    }
    sent
}

#[tokio::test]
async fn a_rolling_update_refuses_nothing_and_loses_nothing() {
    let settings = || Settings { lame_duck: Duration::from_millis(400), ..Settings::default() };
    let (old, new) = (world_with(settings()), world_with(settings()));
    for world in [&old, &new] {
        world.engine.delay_ms.store(15, Ordering::Relaxed);
    }
    let port = Arc::new(AtomicU16::new(old.address.port()));
    let until = Instant::now() + Duration::from_millis(1500);
    let clients: Vec<_> =
        (0..12).map(|number| tokio::spawn(keep_alive_client(number, Arc::clone(&port), until))).collect();

    tokio::time::sleep(Duration::from_millis(300)).await;
    old.stop.cancel();
    // The nodes hear of it a little later than the process.
    tokio::time::sleep(Duration::from_millis(200)).await;
    port.store(new.address.port(), Ordering::Relaxed);

    let mut sent = 0;
    for client in clients {
        sent += client.await.expect("every request was answered 200");
    }
    old.server.await.unwrap();
    assert!(TcpStream::connect(old.address).await.is_err());
    let started = [&old.engine, &new.engine].map(|engine| engine.started.lock().unwrap().len());
    assert_eq!(started.iter().sum::<usize>(), sent);
    assert!(started.iter().all(|count| *count > 50), "{started:?}");
}

#[tokio::test]
async fn a_connection_that_waits_for_a_place_is_served_at_the_stop() {
    let world = world_with(Settings { connections: 1, ..Settings::default() });
    let mut proven = world.connect().await;
    proven.write_all(post(&event("upload", "evt-1")).as_bytes()).await.unwrap();
    assert_eq!(status(&read_answer(&mut proven).await), "200");

    let mut waiting = world.connect().await;
    waiting.write_all(post(&event("upload", "evt-2")).as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(world.started(), 1);
    world.stop.cancel();
    let answer = read_to_end(&mut waiting).await;
    assert_eq!(status(&answer), "200", "{answer}");
}
