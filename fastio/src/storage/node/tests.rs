use super::*;

fn node(json: &str) -> Node {
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_file_as_captured() {
    let file = node(
        r#"{"id":"2ltsu-q4mja-cuv7p-gc5yd-lxnsj-wee4","type":"file","name":"sunset.jpg","parent":"root",
            "version":"3mr5e-aaaaa-bbbbb-ccccc-ddddd-eeee","created":"2026-05-07 09:08:07 UTC",
            "modified":"2026-05-07 09:08:08 UTC","size":"2048","hash":"E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
            "hash_algo":"sha256","crc32c":"e3069283","mimetype":"image/jpeg","mimecategory":"image",
            "previews":{"thumbnail":{"state":"ready"}},"virus":{"status":"clean","reason":null},
            "ai":{"state":"disabled","attach":false,"summary":false},
            "origin":{"type":"chunked","creator":1234567890123456789,"upload_session_id":"5abcd-efghi"},
            "locked":false,"restricted":false,"dmca":false,"deleted":null,"deleted_from":null}"#,
    );
    assert!(file.is_file() && !file.is_folder() && !file.is_infected());
    assert_eq!((file.deleted, &file.deleted_from), (false, &None));
    assert_eq!(file.size, Some(2048));
    assert_eq!(file.parent, Some(NodeId::root()));
    assert_eq!(file.crc32c, Some(0xe306_9283));
    let hash = file.hash.unwrap();
    assert_eq!(hash.algorithm, HashAlgorithm::Sha256);
    assert!(hash.value.starts_with("e3b0c442"));
    let origin = file.origin.unwrap();
    assert_eq!(origin.creator, Some("1234567890123456789".parse().unwrap()));
    assert_eq!(origin.upload_session_id, Some("5abcdefghi".parse().unwrap()));
    assert_eq!(file.created, Some("2026-05-07T09:08:07Z".parse().unwrap()));
    assert_eq!(file.virus, Some(Virus { status: VirusStatus::Clean, reason: None }));
}

#[test]
fn a_folder_has_little_and_odd_fields_do_no_harm() {
    let folder = node(
        r#"{"id":"2aa","type":"folder","name":"raw","parent":"","version":null,"size":null,"hash":"","origin":[],
            "virus":[],"created":"soon","modified":1778144888}"#,
    );
    assert!(folder.is_folder());
    assert_eq!((folder.parent, folder.version, folder.size, folder.hash), (None, None, None, None));
    assert_eq!((folder.origin, folder.virus, folder.created), (None, None, None));
    assert_eq!(folder.modified, Some("2026-05-07T09:08:08Z".parse().unwrap()));
    assert_eq!(node(r#"{"id":"2aa","type":"hologram","name":7}"#).kind, NodeKind::Other);
}

#[test]
fn the_trash_and_the_virus_scan_are_seen() {
    assert!(node(r#"{"id":"2a","name":"x","deleted":"2026-05-07 09:08:07 UTC"}"#).deleted);
    assert!(node(r#"{"id":"2a","name":"x","deleted":true}"#).deleted);
    let trashed = node(r#"{"id":"2a","name":"x","parent":"trash","deleted":true,"deleted_from":"2b"}"#);
    assert_eq!(trashed.deleted_from, Some("2b".parse().unwrap()));
    assert_eq!(node(r#"{"id":"2a","name":"x","deleted_from":{"path":"/raw"}}"#).deleted_from, None);
    assert!(!node(r#"{"id":"2a","name":"x","deleted":"no"}"#).deleted);
    assert!(node(r#"{"id":"2a","name":"x","virus":{"status":"Infected","reason":"EICAR"}}"#).is_infected());
    assert!(node(r#"{"id":"2a","name":"x","virus":"infected"}"#).is_infected());
    let odd = node(r#"{"id":"2a","name":"x","virus":{"status":"skipped"}}"#);
    assert_eq!(odd.virus.unwrap().status, VirusStatus::Other("skipped".to_owned()));
}

#[test]
fn a_hash_without_a_name_is_known_by_its_length() {
    let of = |digits: usize| {
        node(&format!(r#"{{"id":"2a","name":"x","hash":"{}"}}"#, "a".repeat(digits))).hash.unwrap().algorithm
    };
    assert_eq!(of(32), HashAlgorithm::Md5);
    assert_eq!(of(40), HashAlgorithm::Sha1);
    assert_eq!(of(64), HashAlgorithm::Sha256);
    assert_eq!(of(96), HashAlgorithm::Sha384);
    assert_eq!(HashAlgorithm::from("SHA-256"), HashAlgorithm::Sha256);
}

#[test]
fn what_is_needed_is_needed() {
    for json in [
        r#"{"name":"x"}"#,
        r#"{"id":"2a"}"#,
        r#"{"id":"a/b","name":"x"}"#,
        r#"{"id":"2a","name":"x","size":"big"}"#,
    ] {
        assert!(serde_json::from_str::<Node>(json).is_err(), "{json}");
    }
}
