use super::*;

fn matcher(patterns: &str) -> Matcher {
    serde_json::from_str(patterns).unwrap()
}

fn error(patterns: &str) -> String {
    Matcher::new(serde_json::from_str(patterns).unwrap()).unwrap_err().to_string()
}

fn file(path: &str, size: u64, mimetype: Option<&str>) -> SourceFile {
    let (folder, name) = path.rsplit_once('/').unwrap();
    SourceFile {
        workspace: "1".parse().unwrap(),
        id: "2abc".parse().unwrap(),
        version: None,
        name: name.to_owned(),
        folder: FolderPath(folder.split('/').filter(|s| !s.is_empty()).map(str::to_owned).collect()),
        size,
        hash: None,
        mimetype: mimetype.map(str::to_owned),
        trashed: false,
    }
}

fn named(name: &str) -> SourceFile {
    file(&format!("/{name}"), 7, None)
}

#[test]
fn events_and_names_decide() {
    let photos = matcher(r#"{"events":["upload"],"names":["*.jpg","*.{jpeg,png}"]}"#);
    for wanted in ["beach.jpg", "IMG_1.JPG", "a.png"] {
        assert_eq!(photos.check(EventKind::Upload, &named(wanted)), Ok(()), "{wanted}");
    }
    assert!(matches!(photos.check(EventKind::Upload, &named("notes.txt")), Err(Filtered::Name { .. })));
    assert!(matches!(
        photos.check(EventKind::Delete, &named("beach.jpg")),
        Err(Filtered::Event { kind: EventKind::Delete })
    ));
    assert!(!photos.wants(EventKind::Delete) && photos.wants(EventKind::Upload));
    let all = matcher(r#"{"events":["upload"]}"#);
    assert_eq!(all.check(EventKind::Upload, &named("anything")), Ok(()));
}

#[test]
fn folders_are_paths_from_the_root() {
    for (pattern, inside, outside) in [
        ("/raw", &["/raw/a.jpg"][..], &["/a.jpg", "/raw/x/a.jpg", "/Raw/a.jpg", "/x/raw/a.jpg"][..]),
        ("/raw/*", &["/raw/x/a.jpg"], &["/raw/a.jpg", "/raw/x/y/a.jpg"]),
        ("/raw/**", &["/raw/a.jpg", "/raw/x/a.jpg", "/raw/x/y/a.jpg"], &["/a.jpg", "/rawer/a.jpg"]),
        ("/**/raw", &["/raw/a.jpg", "/x/raw/a.jpg"], &["/a.jpg", "/raw/x/a.jpg"]),
        ("/", &["/a.jpg"], &["/raw/a.jpg"]),
        ("/**", &["/a.jpg", "/raw/x/a.jpg"], &[]),
    ] {
        let matcher = matcher(&format!(r#"{{"events":[],"folders":["{pattern}"]}}"#));
        for path in inside {
            assert_eq!(matcher.check_file(&file(path, 1, None)), Ok(()), "{pattern} {path}");
        }
        for path in outside {
            let answer = matcher.check_file(&file(path, 1, None));
            assert!(matches!(answer, Err(Filtered::Folder { .. })), "{pattern} {path}");
        }
    }
}

#[test]
fn sizes_and_mime_types_decide() {
    let matcher =
        matcher(r#"{"events":[],"minSize":10,"maxSize":20,"mimeTypes":["image/*","application/pdf"]}"#);
    let check = |size, mimetype| matcher.check_file(&file("/a", size, mimetype));
    assert_eq!(check(10, Some("image/jpeg")), Ok(()));
    assert_eq!(check(20, Some("Application/PDF; charset=binary")), Ok(()));
    assert!(matches!(check(9, Some("image/jpeg")), Err(Filtered::Size { size: 9 })));
    assert!(matches!(check(21, Some("image/jpeg")), Err(Filtered::Size { size: 21 })));
    assert!(matches!(check(15, Some("video/mp4")), Err(Filtered::MimeType { .. })));
    assert!(matches!(check(15, None), Err(Filtered::MimeType { mimetype: None })));
}

#[test]
fn bad_patterns_are_named_with_their_field() {
    for (patterns, expected) in [
        (r#"{"events":[],"names":["*.jpg","[a-"]}"#, "names: pattern \"[a-\": "),
        (r#"{"events":[],"names":["raw/*.jpg"]}"#, "has no '/'"),
        (r#"{"events":[],"folders":["raw"]}"#, "folders: pattern \"raw\": does not start with '/'"),
        (r#"{"events":[],"folders":["/raw/"]}"#, "ends with '/'"),
        (r#"{"events":[],"mimeTypes":["image"]}"#, "mimeTypes: pattern \"image\": is not of the form"),
        (r#"{"events":[],"minSize":2,"maxSize":1}"#, "minSize (2 bytes) is more than maxSize (1 bytes)"),
    ] {
        let error = error(patterns);
        assert!(error.contains(expected), "{patterns}: {error}");
    }
}
