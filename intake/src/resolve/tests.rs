use super::*;
use crate::simulated::Fastio;

#[tokio::test]
async fn a_file_is_found_with_its_folders_and_its_creator() {
    let fastio = Fastio::start().await;
    let photos = fastio.folder(&NodeId::root(), "photos").await;
    let year = fastio.folder(&photos, "2026").await;
    let deep = fastio.upload(&fastio.client, &year, "beach.jpg").await;
    let resolver = fastio.resolver();
    let Found::File { source, creator } = resolver.find(&deep).await.unwrap() else { panic!("a file") };
    assert_eq!(source.folder.to_string(), "/photos/2026");
    assert_eq!((source.name.as_str(), source.size), ("beach.jpg", 7));
    assert!(source.version.is_some());
    assert_eq!(source.hash.unwrap().algorithm, "sha256");
    assert!(resolver.is_own(creator.as_ref()).await.unwrap());
    assert!(resolver.is_own(None).await.unwrap());

    let somebody = fastio.somebody_else().await;
    let top = fastio.upload(&somebody, &NodeId::root(), "top.jpg").await;
    let Found::File { source, creator } = resolver.find(&top).await.unwrap() else { panic!("a file") };
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
    assert_eq!(resolver.find(&file).await.unwrap(), Found::Trashed);

    for unknown in ["2zzzzzzzzzzzzzzzzzzzzzzzzzzz7", "..;"] {
        assert_eq!(resolver.find(&unknown.parse().unwrap()).await.unwrap(), Found::Unknown, "{unknown}");
    }
}

#[tokio::test]
async fn a_folder_is_asked_for_once_in_a_while() {
    let fastio = Fastio::start().await;
    let resolver = fastio.resolver();
    let photos = fastio.folder(&NodeId::root(), "photos").await;
    let file = fastio.upload(&fastio.client, &photos, "beach.jpg").await;
    resolver.find(&file).await.unwrap();
    assert!(resolver.folders.lock().unwrap().contains_key(&photos));

    let renamed = Folder { name: "renamed".to_owned(), parent: Some(NodeId::root()) };
    resolver.folders.lock().unwrap().insert(photos.clone(), (Instant::now(), renamed.clone()));
    let Found::File { source, .. } = resolver.find(&file).await.unwrap() else { panic!("a file") };
    assert_eq!(source.folder.to_string(), "/renamed");

    let long_ago = Instant::now().checked_sub(FOLDER_TTL).unwrap();
    resolver.folders.lock().unwrap().insert(photos, (long_ago, renamed));
    let Found::File { source, .. } = resolver.find(&file).await.unwrap() else { panic!("a file") };
    assert_eq!(source.folder.to_string(), "/photos");
}
