use super::folders::{FOLDER_TTL, Folder};
use super::*;
use crate::simulated::Fastio;

#[tokio::test]
async fn a_file_is_found_with_its_folders_and_its_creator() {
    let fastio = Fastio::start().await;
    let photos = fastio.folder(&NodeId::root(), "photos").await;
    let year = fastio.folder(&photos, "2026").await;
    let deep = fastio.upload(&fastio.client, &year, "beach.jpg").await;
    let resolver = fastio.resolver();
    let Found::File { source, creator, .. } = resolver.find(&deep).await.unwrap() else { panic!("a file") };
    assert_eq!(source.folder.to_string(), "/photos/2026");
    assert_eq!((source.name.as_str(), source.size), ("beach.jpg", 7));
    assert!(source.version.is_some());
    assert_eq!(source.hash.unwrap().algorithm, "sha256");
    assert!(resolver.is_own(creator.as_ref()).await.unwrap());
    assert!(resolver.is_own(None).await.unwrap());

    let somebody = fastio.somebody_else().await;
    let top = fastio.upload(&somebody, &NodeId::root(), "top.jpg").await;
    let Found::File { source, creator, .. } = resolver.find(&top).await.unwrap() else { panic!("a file") };
    assert_eq!(source.folder, FolderPath::default());
    assert!(!resolver.is_own(creator.as_ref()).await.unwrap());
}

#[tokio::test]
async fn what_is_no_file_is_told_apart() {
    let fastio = Fastio::start().await;
    let resolver = fastio.resolver();
    let photos = fastio.folder(&NodeId::root(), "photos").await;
    let folder: FileId = photos.as_str().parse().unwrap();
    assert_eq!(resolver.find(&folder).await.unwrap(), Found::NotAFile);

    let file = fastio.upload(&fastio.client, &photos, "beach.jpg").await;
    fastio.client.delete_node(&fastio.workspace, &file.as_str().parse().unwrap()).await.unwrap();
    let Found::File { source, .. } = resolver.find(&file).await.unwrap() else { panic!("a file") };
    assert!(source.trashed);

    for unknown in ["2zzzzzzzzzzzzzzzzzzzzzzzzzzz7", "..;"] {
        assert_eq!(resolver.find(&unknown.parse().unwrap()).await.unwrap(), Found::Unknown, "{unknown}");
    }
}

#[tokio::test]
async fn a_deleted_file_is_where_it_was_before() {
    let fastio = Fastio::start().await;
    let photos = fastio.folder(&NodeId::root(), "photos").await;
    let year = fastio.folder(&photos, "2026").await;
    let beach = fastio.upload(&fastio.client, &year, "beach.jpg").await;
    let dune = fastio.upload(&fastio.client, &year, "dune.jpg").await;
    let delete = |id: NodeId| {
        let fastio = &fastio;
        async move { fastio.client.delete_node(&fastio.workspace, &id).await.unwrap() }
    };
    let place = |file: FileId| {
        let fastio = &fastio;
        async move {
            match fastio.resolver().find(&file).await.unwrap() {
                Found::File { source, .. } => Some((source.folder.to_string(), source.trashed)),
                _ => None,
            }
        }
    };
    delete(beach.as_str().parse().unwrap()).await;
    assert_eq!(place(beach.clone()).await, Some(("/photos/2026".to_owned(), true)));

    // What is in a folder that was deleted is gone with it; what was deleted before keeps its place.
    delete(year).await;
    assert_eq!(place(beach).await, Some(("/photos/2026".to_owned(), true)));
    assert_eq!(place(dune).await, None);
}

#[tokio::test]
async fn a_folder_is_asked_for_once_in_a_while() {
    let fastio = Fastio::start().await;
    let resolver = fastio.resolver();
    let photos = fastio.folder(&NodeId::root(), "photos").await;
    let file = fastio.upload(&fastio.client, &photos, "beach.jpg").await;
    resolver.find(&file).await.unwrap();
    assert!(resolver.folders.0.lock().unwrap().contains_key(&photos));

    let renamed = Folder { name: "renamed".to_owned(), parent: Some(NodeId::root()), trashed: false };
    resolver.folders.0.lock().unwrap().insert(photos.clone(), (Instant::now(), renamed.clone()));
    let Found::File { source, .. } = resolver.find(&file).await.unwrap() else { panic!("a file") };
    assert_eq!(source.folder.to_string(), "/renamed");

    let long_ago = Instant::now().checked_sub(FOLDER_TTL).unwrap();
    resolver.folders.0.lock().unwrap().insert(photos, (long_ago, renamed));
    let Found::File { source, .. } = resolver.find(&file).await.unwrap() else { panic!("a file") };
    assert_eq!(source.folder.to_string(), "/photos");
}

#[tokio::test]
async fn many_files_are_looked_up_in_few_calls_and_each_for_itself() {
    let fastio = Fastio::start().await;
    let resolver = fastio.resolver();
    let beach = fastio.upload(&fastio.client, &NodeId::root(), "beach.jpg").await;
    let folder: FileId = fastio.folder(&NodeId::root(), "photos").await.as_str().parse().unwrap();
    let unknown: FileId = "2zzzzzzzzzzzzzzzzzzzzzzzzzzz7".parse().unwrap();
    let odd: FileId = "..;".parse().unwrap();
    let files = [unknown, beach.clone(), folder, odd, beach.clone()];
    let found = resolver.find_many(&files).await.unwrap();
    assert_eq!(found[0], Ok(Found::Unknown));
    for at in [1, 4] {
        let Ok(Found::File { source, .. }) = &found[at] else { panic!("{found:?}") };
        assert_eq!((&source.id, source.mimetype.as_deref()), (&beach, Some("image/jpeg")));
    }
    assert_eq!((&found[2], &found[3]), (&Ok(Found::NotAFile), &Ok(Found::Unknown)));
}

#[tokio::test]
async fn a_refused_id_does_not_stand_for_all() {
    let fastio = Fastio::start().await;
    let resolver = fastio.resolver();
    let beach = fastio.upload(&fastio.client, &NodeId::root(), "beach.jpg").await;
    let dune = fastio.upload(&fastio.client, &NodeId::root(), "dune.jpg").await;
    // The call for both, and then the one for the first.
    fastio.fail("storage.details", r#""status":406,"code":191878,"times":2"#).await;
    let found = resolver.find_many(&[beach, dune]).await.unwrap();
    assert!(found[0].is_err() && matches!(found[1], Ok(Found::File { .. })), "{found:?}");

    fastio.fail("storage.details", r#""status":401,"code":10011,"times":1"#).await;
    let all = resolver.find_many(&["2abc".parse().unwrap()]).await;
    assert!(matches!(all, Err(ResolveError::Fastio(_))), "{all:?}");
}

#[tokio::test]
async fn a_file_that_the_service_stumbles_over_does_not_stand_for_all() {
    let fastio = Fastio::start().await;
    let beach = fastio.upload(&fastio.client, &NodeId::root(), "beach.jpg").await;
    let dune = fastio.upload(&fastio.client, &NodeId::root(), "dune.jpg").await;
    // The call for all of them, and then the one for the first.
    let stumble = r#""status":500,"times":2"#;
    let resolver = fastio.resolver();
    fastio.fail("storage.details", stumble).await;
    let found = resolver.find_many(&[beach.clone(), dune]).await.unwrap();
    assert!(found[0].is_err() && matches!(found[1], Ok(Found::File { .. })), "{found:?}");
    // Alone, it is compared with the other one, or, in a process that knows none, with what is listed.
    for resolver in [resolver, fastio.resolver()] {
        fastio.fail("storage.details", stumble).await;
        let found = resolver.find_many(std::slice::from_ref(&beach)).await.unwrap();
        assert!(found[0].is_err(), "{found:?}");
    }
    fastio.fail("storage.details", r#""status":500,"times":null"#).await;
    let all = fastio.resolver().find_many(&[beach]).await;
    assert!(matches!(all, Err(ResolveError::Fastio(_))), "nothing can be read: {all:?}");
}

#[tokio::test]
async fn a_file_that_the_key_may_not_read_does_not_stand_for_all() {
    let fastio = Fastio::start().await;
    let beach = fastio.upload(&fastio.client, &NodeId::root(), "beach.jpg").await;
    let dune = fastio.upload(&fastio.client, &NodeId::root(), "dune.jpg").await;
    // The call for both, and then the one for the first.
    fastio.fail("storage.details", r#""status":406,"code":191878,"times":1"#).await;
    fastio.fail("storage.details", r#""status":403,"code":10767,"times":1"#).await;
    let found = fastio.resolver().find_many(&[beach, dune]).await.unwrap();
    assert!(found[0].is_err() && matches!(found[1], Ok(Found::File { .. })), "{found:?}");
}

#[tokio::test]
async fn a_folder_that_the_service_stumbles_over_does_not_stand_for_all() {
    let fastio = Fastio::start().await;
    let photos = fastio.folder(&NodeId::root(), "photos").await;
    let beach = fastio.upload(&fastio.client, &photos, "beach.jpg").await;
    let dune = fastio.upload(&fastio.client, &NodeId::root(), "dune.jpg").await;
    // Not the call for both, but the one for the folder that follows.
    fastio.fail("storage.details", r#""status":500,"skip":1,"times":1"#).await;
    let found = fastio.resolver().find_many(&[beach, dune]).await.unwrap();
    assert!(found.iter().all(|found| matches!(found, Ok(Found::File { .. }))), "{found:?}");
}

#[tokio::test]
async fn who_we_are_is_asked_once_in_a_while() {
    let fastio = Fastio::start().await;
    let resolver = fastio.resolver();
    let own = fastio.client.auth_check().await.unwrap();
    let other = fastio.somebody_else().await.auth_check().await.unwrap();
    assert!(!resolver.is_own(Some(&other)).await.unwrap());
    fastio.revoke_key().await;
    assert!(!resolver.is_own(Some(&other)).await.unwrap());
    assert!(resolver.is_own(Some(&own)).await.unwrap());
    resolver.ourselves().asked = Instant::now().checked_sub(OURSELVES_TTL);
    assert!(resolver.is_own(Some(&other)).await.is_err(), "it is asked again");
}

#[tokio::test]
async fn a_copy_that_keeps_an_old_time_is_new() {
    let copy = r#"{"id":"2abc","type":"file","name":"a.jpg","size":7,"path":"/a.jpg",
        "created":"2026-10-05 12:00:00 UTC","modified":"2020-01-01 00:00:00 UTC"}"#;
    let found = Fastio::start().await.resolver().describe(serde_json::from_str(copy).unwrap()).await.unwrap();
    let Found::File { changed, .. } = found else { panic!("{found:?}") };
    assert_eq!(changed, Some("2026-10-05T12:00:00Z".parse().unwrap()));
}

#[tokio::test]
async fn listings_say_where_a_file_is_and_what_the_scan_found() {
    let fastio = Fastio::start().await;
    let resolver = fastio.resolver();
    let node = |more: &str| {
        let node =
            format!(r#"{{"id":"2abc","type":"file","name":"a.jpg","size":7,"parent":"2folder"{more}}}"#);
        serde_json::from_str::<Node>(&node).unwrap()
    };
    for (path, folder) in [("/a.jpg", "/"), ("/raw/2026/a.jpg", "/raw/2026")] {
        let found = resolver.describe(node(&format!(r#","path":"{path}""#))).await.unwrap();
        let Found::File { source, .. } = found else { panic!("{found:?}") };
        assert_eq!(source.folder.to_string(), folder);
    }
    let virus = r#","virus":{"status":"infected","reason":"Eicar"}"#;
    let found = resolver.describe(node(virus)).await.unwrap();
    assert_eq!(found, Found::Infected { name: "a.jpg".to_owned(), finding: Some("Eicar".to_owned()) });
}
