use super::*;
use crate::client::stub::{Stub, json, reply};
use crate::{Client, ErrorClass, HumanReason};

fn ws() -> WorkspaceId {
    "1234567890123456789".parse().unwrap()
}

fn upload() -> UploadId {
    "5abc-def".parse().unwrap()
}

fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn status(client: &Client) -> UploadStatus {
    client.upload_status(&upload(), Duration::ZERO).await.unwrap()
}

#[tokio::test]
async fn the_limits_of_the_plan_are_read() {
    let stub = Stub::start([
        json(
            r#"{"result":true,"chunk_size":100000000,"size":50000000000,"chunks":550,"sessions":7500,
                "sessions_size_max":320000000000,"current_api_version":"1.0"}"#,
        ),
        json(r#"{"result":"yes","response":{"size":"1000000000","chunks":"35","sessions":null}}"#),
        json(r#"{"result":true,"chunks":-1}"#),
        reply(
            402,
            &[],
            r#"{"result":false,"error":{"code":1688,"params":{"reason":"subscription_required"}}}"#,
        ),
    ])
    .await;
    let client = stub.client();
    let business = UploadLimits {
        chunk_size: Some(100_000_000),
        file_size: Some(50_000_000_000),
        chunks: Some(550),
        sessions: Some(7_500),
        sessions_size: Some(320_000_000_000),
    };
    assert_eq!(client.upload_limits(&ws()).await.unwrap(), business);
    let free = UploadLimits {
        chunk_size: None,
        file_size: Some(1_000_000_000),
        chunks: Some(35),
        sessions: None,
        sessions_size: None,
    };
    assert_eq!(client.upload_limits(&ws()).await.unwrap(), free);
    assert_eq!(client.upload_limits(&ws()).await.unwrap_err().class(), ErrorClass::Broken);
    let unpaid = client.upload_limits(&ws()).await.unwrap_err();
    assert_eq!(unpaid.class(), ErrorClass::NeedsHuman(HumanReason::SubscriptionRequired));
    let line = "GET /current/upload/limits/?action=create&instance_id=1234567890123456789";
    assert_eq!(stub.requests()[0].line(), line);
}

#[tokio::test]
async fn a_small_file_goes_in_one_call() {
    let stub = Stub::start([
        json(r#"{"result":true,"id":"5abc","new_file_id":"2node"}"#),
        reply(201, &[], r#"{"result":true,"id":"5abc","new_file_id":null}"#),
    ])
    .await;
    let client = stub.client();
    let folder = "2folder".parse().unwrap();
    let started = client.upload_small(&ws(), &folder, "a b.webp", Bytes::from("123456789")).await.unwrap();
    assert_eq!(started.node, Some("2node".parse().unwrap()));
    let empty = client.upload_small(&ws(), &folder, "empty", Bytes::new()).await.unwrap();
    assert_eq!(empty.node, None);

    let asked = &stub.requests()[0];
    assert_eq!(asked.line(), "POST /current/upload/");
    assert!(asked.header("content-type").unwrap().starts_with("multipart/form-data; boundary="));
    assert_eq!(asked.header("content-length").unwrap(), asked.body.len().to_string());
    let text = asked.text();
    for (name, value) in [
        ("name", "a b.webp"),
        ("size", "9"),
        ("action", "create"),
        ("instance_id", "1234567890123456789"),
        ("folder_id", "2folder"),
        ("profile_type", "workspace"),
        ("hash_algo", "crc32c"),
        ("hash", "e3069283"),
    ] {
        assert!(text.contains(&format!("form-data; name=\"{name}\"\r\n\r\n{value}\r\n")), "{name}: {text}");
    }
    assert!(text.contains("form-data; name=\"chunk\"; filename=\"a b.webp\"\r\n\r\n123456789\r\n"), "{text}");
}

#[tokio::test]
async fn a_large_file_goes_in_chunks() {
    let stub = Stub::start([
        json(r#"{"result":true,"id":"5abc-def"}"#),
        json(r#"{"result":true}"#),
        json(r#"{"result":true}"#),
        json(r#"{"result":true,"chunks":{"1":4194304,"2":"17"}}"#),
        json(r#"{"result":true,"chunks":[]}"#),
        reply(202, &[], r#"{"result":true}"#),
        json(r#"{"result":true}"#),
    ])
    .await;
    let client = stub.client();
    let id = client.open_upload(&ws(), &NodeId::root(), "film.mp4", 4_194_321).await.unwrap();
    client.put_chunk(&id, 2, Bytes::from("123456789")).await.unwrap();
    client.put_last_chunk(&id, 2, Bytes::from("123456789"), 0xab).await.unwrap();
    assert_eq!(client.chunk_map(&id).await.unwrap(), BTreeMap::from([(1, 4_194_304), (2, 17)]));
    assert_eq!(client.chunk_map(&id).await.unwrap(), BTreeMap::new());
    client.complete_upload(&id).await.unwrap();
    client.cancel_upload(&id).await.unwrap();

    let asked = stub.requests();
    assert_eq!(
        asked[0].form(),
        pairs(&[
            ("name", "film.mp4"),
            ("size", "4194321"),
            ("action", "create"),
            ("instance_id", "1234567890123456789"),
            ("folder_id", "root"),
            ("profile_type", "workspace"),
        ])
    );
    assert_eq!(
        asked[1].line(),
        "POST /current/upload/5abc-def/chunk/?order=2&size=9&hash_algo=crc32c&hash=e3069283"
    );
    assert!(asked[1].text().contains("name=\"chunk\"; filename=\"chunk.bin\"\r\n\r\n123456789\r\n"));
    assert!(asked[2].line().ends_with("?order=2&size=9&hash_algo=crc32c&hash=e3069283&file_crc32c=000000ab"));
    assert_eq!(asked[3].line(), "GET /current/upload/5abc-def/chunk/");
    assert_eq!(asked[5].line(), "POST /current/upload/5abc-def/complete/");
    assert_eq!(asked[5].form(), pairs(&[]));
    assert_eq!(asked[5].header("content-length"), Some("0"));
    assert_eq!(asked[6].line(), "DELETE /current/upload/5abc-def/");
}

#[tokio::test]
async fn only_a_node_is_success() {
    let session = |status: &str, rest: &str| {
        json(&format!(r#"{{"result":true,"session":{{"id":"5abc","status":"{status}"{rest}}}}}"#))
    };
    let stub = Stub::start([
        session("uploading", ""),
        session("complete", r#","new_file_id":null"#),
        session("storing", r#","new_file_id":"2node""#),
        session("stored", r#","new_file_id":"2node""#),
        session("complete", r#","new_file_id":"2node""#),
        session("assembly_failed", r#","status_message":"CRC mismatch""#),
        session(
            "assembly_failed",
            r#","integrity_failure":{"expected_crc32c":"e3069283","computed_crc32c":"00000000"}"#,
        ),
        session("store_failed", ""),
    ])
    .await;
    let client = stub.client();
    for _ in 0..3 {
        assert_eq!(status(&client).await, UploadStatus::InProgress);
    }
    for _ in 0..2 {
        assert_eq!(status(&client).await, UploadStatus::Stored("2node".parse().unwrap()));
    }
    let failed = UploadStatus::Failed { message: "assembly_failed: CRC mismatch".to_owned() };
    assert_eq!(status(&client).await, failed);
    let message = "assembly_failed: the CRC-32C should be e3069283 and is 00000000".to_owned();
    assert_eq!(status(&client).await, UploadStatus::Failed { message });
    assert_eq!(status(&client).await, UploadStatus::Failed { message: "store_failed".to_owned() });
}

#[tokio::test]
async fn a_wait_is_sent_in_whole_seconds_and_bounded() {
    let reply = || json(r#"{"result":true,"session":{"status":"storing"}}"#);
    let stub = Stub::start([reply(), reply(), reply()]).await;
    let client = stub.client();
    for wait in [Duration::from_millis(900), Duration::from_millis(20_500), Duration::from_secs(100_000)] {
        client.upload_status(&upload(), wait).await.unwrap();
    }
    let lines: Vec<_> = stub.requests().iter().map(crate::client::stub::Asked::line).collect();
    let path = "GET /current/upload/5abc-def/details/";
    assert_eq!(lines, [path.to_owned(), format!("{path}?wait=20"), format!("{path}?wait=590")]);
}

#[tokio::test]
async fn what_the_service_would_refuse_is_refused_before_the_call() {
    let stub = Stub::start([]).await;
    let client = stub.client();
    let root = NodeId::root();
    let large = Bytes::from(vec![0; MAX_SMALL_UPLOAD + 1]);
    let errors = [
        client.upload_small(&ws(), &root, "x", large).await.unwrap_err(),
        client.upload_small(&ws(), &root, "a/b", Bytes::new()).await.unwrap_err(),
        client.open_upload(&ws(), &root, "", 1).await.unwrap_err(),
        client.put_chunk(&upload(), 0, Bytes::from("x")).await.unwrap_err(),
        client.put_chunk(&upload(), 1, Bytes::new()).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.class(), ErrorClass::Invalid, "{error}");
    }
    assert!(stub.requests().is_empty());
}

#[tokio::test]
async fn a_lost_session_and_a_wrong_size_are_told_apart() {
    let stub = Stub::start([
        reply(404, &[], r#"{"result":false,"error":{"code":1609,"text":"Upload not found"}}"#),
        reply(406, &[], r#"{"result":false,"error":{"code":10522,"text":"Chunks do not add up"}}"#),
        json(r#"{"result":true,"chunks":{"one":1}}"#),
    ])
    .await;
    let client = stub.client();
    assert_eq!(client.chunk_map(&upload()).await.unwrap_err().class(), ErrorClass::Gone);
    let size = client.complete_upload(&upload()).await.unwrap_err();
    assert_eq!((size.class(), size.code()), (ErrorClass::Invalid, Some(10_522)));
    assert_eq!(client.chunk_map(&upload()).await.unwrap_err().class(), ErrorClass::Broken);
}
