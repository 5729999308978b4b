//! Rows 9 to 17 and 25: uploads.

use reqwest::Method;
use serde_json::json;

use crate::table::{Row, control, delete, get, post};

const MIB: usize = 1024 * 1024;

const SESSION: [(&str, &str); 6] = [
    ("name", "big.bin"),
    ("size", "2097160"),
    ("action", "create"),
    ("instance_id", "{ws}"),
    ("folder_id", "root"),
    ("profile_type", "workspace"),
];

pub(crate) fn rows() -> Vec<Row> {
    [whole(), chunks(), streams(), batches(), places(), web()].into_iter().flatten().collect()
}

fn whole() -> Vec<Row> {
    let fields = |name: &'static str, size: &'static str| {
        [("name", name), ("size", size), ("action", "create"), ("instance_id", "{ws}"), ("folder_id", "root")]
    };
    vec![
        post("A9", "/upload/")
            .parts(&fields("small.txt", "5"), &[("chunk", b"small")])
            .has(&["/id"])
            .equals("/new_file_id", json!(null))
            .save("upload", "/id"),
        get("A14", "/upload/{upload}/details/?wait=10")
            .equals("/session/id", "{upload}")
            .equals("/session/status", "complete")
            .equals("/session/name", "small.txt")
            .equals("/session/size", 5)
            .save("small", "/session/new_file_id"),
        post("A9", "/upload/").parts(&fields("small.txt", "4"), &[("chunk", b"small")]).refused(406, 10_522),
        post("A9", "/upload/").parts(&fields("", "5"), &[("chunk", b"small")]).refused(406, 1605),
        post("A9", "/upload/")
            .form(&[("size", "3"), ("action", "update"), ("instance_id", "{ws}"), ("file_id", "{small}")])
            .save("upload", "/id"),
        post("A11", "/upload/{upload}/chunk/?order=1&size=3").parts(&[], &[("chunk", b"new")]),
        post("A13", "/upload/{upload}/complete/").status(202),
        get("A14", "/upload/{upload}/details/?wait=10").equals("/session/new_file_id", "{small}"),
        get("A7", "{s}/{small}/details/").equals("/node/size", 3).equals("/node/name", "small.txt"),
    ]
}

fn chunks() -> Vec<Row> {
    let mut rows = session();
    rows.extend(vec![
        post("A11", "/upload/{upload}/chunk/?order=0&size=8")
            .parts(&[], &[("chunk", &[0; 8])])
            .refused(406, 1605),
        post("A11", "/upload/{upload}/chunk/?order=551&size=8")
            .parts(&[], &[("chunk", &[0; 8])])
            .refused(406, 1605),
        post("A11", "/upload/{upload}/chunk/?size=8").parts(&[], &[("chunk", &[0; 8])]).refused(406, 1605),
        post("A11", "/upload/{upload}/chunk/?order=1&size=8").parts(&[], &[]).refused(406, 1605),
        post("A11", &format!("/upload/{{upload}}/chunk/?order=2&size={MIB}"))
            .parts(&[], &[("chunk", &vec![2; MIB])]),
        // Too small, and not the last one.
        post("A11", "/upload/{upload}/chunk/?order=1&size=8")
            .parts(&[], &[("chunk", &[1; 8])])
            .refused(406, 1605),
        post("A11", &format!("/upload/{{upload}}/chunk/?order=1&size={MIB}"))
            .parts(&[], &[("chunk", &vec![1; MIB])]),
        // `order` and `size` as fields, as the documents have them.
        post("A11", "/upload/{upload}/chunk/").parts(&[("order", "3"), ("size", "8")], &[("chunk", &[3; 8])]),
        get("A12", "/upload/{upload}/chunk/").equals("/chunks", json!({ "1": MIB, "2": MIB, "3": 8 })),
        delete("A12", "/upload/{upload}/chunk/?order=3"),
        delete("A12", "/upload/{upload}/chunk/?order=3").refused(404, 1609),
        delete("A12", "/upload/{upload}/chunk/").refused(406, 1605),
        get("A14", "/upload/{upload}/details/").equals("/session/status", "uploading"),
        // The chunks are smaller than the session says; it cannot be saved any more.
        post("A13", "/upload/{upload}/complete/").refused(406, 10_522),
        get("A14", "/upload/{upload}/details/").equals("/session/status", "assembly_failed"),
        delete("A15", "/upload/{upload}/"),
        get("A14", "/upload/{upload}/details/").refused(404, 1609),
    ]);
    rows.extend(session());
    for (order, size) in [(1, MIB), (2, MIB), (3, 8)] {
        rows.push(
            post("A11", &format!("/upload/{{upload}}/chunk/?order={order}&size={size}"))
                .parts(&[], &[("chunk", &vec![0; size])]),
        );
    }
    rows.extend(vec![
        post("A13", "/upload/{upload}/complete/").status(202),
        get("A14", "/upload/{upload}/details/?wait=10").save("big", "/session/new_file_id"),
        delete("A15", "/upload/{upload}/"),
        // After success it leaves the file alone.
        get("A15", "{s}/{big}/details/").equals("/node/size", 2_097_160),
        get("A17", "/upload/details/").has(&["/sessions/0/id", "/sessions/0/status"]),
        delete("A15", "/upload/").has(&["/count"]),
        get("A17", "/upload/details/").equals("/sessions", json!([])),
    ]);
    rows
}

fn session() -> Vec<Row> {
    vec![post("A10", "/upload/").form(&SESSION).has(&["/id"]).save("upload", "/id")]
}

fn streams() -> Vec<Row> {
    let open = |extra: &[(&'static str, &str)]| {
        let fields =
            [("name", "stream.bin"), ("stream", "true"), ("action", "create"), ("instance_id", "{ws}")];
        post("A16", "/upload/").form(&[&fields[..], extra].concat()).save("upload", "/id")
    };
    vec![
        open(&[]),
        post("A16", "/upload/{upload}/stream/?hash_algo=crc32c&hash=e3069283")
            .octets(b"123456789")
            .status(201),
        get("A16", "/upload/{upload}/details/?wait=10")
            .equals("/session/size", 9)
            .save("streamed", "/session/new_file_id"),
        get("A16", "{s}/{streamed}/details/").equals("/node/crc32c", "e3069283"),
        post("A16", "/upload/{upload}/stream/").octets(b"more").refused(409, 1660),
        open(&[("max_size", "3")]),
        post("A16", "/upload/{upload}/stream/").octets(b"four").refused(406, 1605),
        open(&[]),
        post("A16", "/upload/{upload}/stream/?hash_algo=crc32c&hash=00000000")
            .octets(b"x")
            .refused(406, 10_778),
        get("A16", "/upload/{upload}/details/").equals("/session/status", "assembly_failed"),
        // The two ways do not mix.
        open(&[]),
        post("A16", "/upload/{upload}/chunk/?order=1&size=1")
            .parts(&[], &[("chunk", b"x")])
            .refused(406, 1605),
        post("A16", "/upload/{upload}/complete/").refused(406, 1605),
        post("A10", "/upload/").form(&SESSION).save("upload", "/id"),
        post("A16", "/upload/{upload}/stream/").octets(b"x").refused(406, 1605),
        post("A16", "/upload/")
            .form(&[("name", "s"), ("size", "1"), ("stream", "true"), ("action", "create")])
            .refused(406, 1605),
    ]
}

fn batches() -> Vec<Row> {
    let manifest = json!([
        { "index": 0, "filename": "a.txt", "hash_algo": "crc32c", "hash": "e3069283" },
        { "index": 1, "filename": "b.txt", "relative_path": "deep/er/" },
        { "index": 2, "filename": "c.txt", "hash_algo": "crc32c", "hash": "00000000" },
        { "index": 3, "filename": "d.txt" },
        { "index": 4, "filename": "e.bin" },
    ])
    .to_string();
    let too_many: Vec<_> = (0..201).map(|index| json!({ "index": index, "filename": "x" })).collect();
    let too_many = json!(too_many).to_string();
    vec![
        post("A17", "/upload/batch/")
            .parts(
                &[
                    ("instance_id", "{ws}"),
                    ("manifest", &manifest),
                    ("folder_id", "root"),
                    ("creator", "cli-1"),
                ],
                &[
                    ("file_0", b"123456789"),
                    ("file_1", b"deep"),
                    ("file_2", b"123456789"),
                    ("file_4", &vec![0; 4 * MIB + 1]),
                ],
            )
            .equals("/count_total", 5)
            .equals("/count_succeeded", 2)
            .equals("/count_errored", 3)
            .equals("/results/0/status", "ok")
            .equals("/results/0/node_id", json!(null))
            .equals("/results/2/status", "error")
            .equals("/results/2/error_code", 10_778)
            .equals("/results/3/error_code", 1605)
            .equals("/results/4/error_code", 1605)
            .has(&["/results/2/error_message"])
            .save("batch", "/batch_id")
            .save("upload", "/results/1/upload_id"),
        get("A17", "/upload/{upload}/details/?wait=20").save("deep", "/session/new_file_id"),
        get("A17", "{s}/inventory/?type=folder&include=path").has(&["/nodes/items/1/path"]),
        get("A17", "{s}/{deep}/details/").equals("/node/name", "b.txt"),
        get("A17", "/upload/batch/{batch}/").equals("/results/1/node_id", json!(null)),
        get("A17", "/upload/batch/{upload}/").refused(404, 1609),
        post("A17", "/upload/batch/")
            .parts(&[("instance_id", "{ws}"), ("manifest", &too_many)], &[])
            .refused(406, 1605),
        post("A17", "/upload/batch/").parts(&[("instance_id", "{ws}")], &[]).refused(406, 1605),
        get("A17", "/upload/limits/").has(&[
            "/chunk_size",
            "/size",
            "/chunks",
            "/sessions",
            "/sessions_size_max",
        ]),
        get("A17", "/upload/limits/?action=update&instance_id={ws}").refused(406, 1605),
        get("A17", "/upload/limits/extensions/").has(&["/extensions"]),
        get("A17", "/upload/algos/").has(&["/algos/0"]),
    ]
}

/// Uploads that name no place, and `addfile`.
fn places() -> Vec<Row> {
    let from = r#"{"type":"upload","upload":{"id":"{upload}"}}"#;
    let hash = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(b"loose"));
    let by_hash = json!({ "type": "hash", "hash": { "hash": hash, "hash_type": "sha256" } }).to_string();
    vec![
        post("A9", "/upload/")
            .parts(&[("name", "loose.txt"), ("size", "5"), ("action", "create")], &[("chunk", b"loose")])
            .save("upload", "/id"),
        get("A14", "/upload/{upload}/details/?wait=10")
            .equals("/session/status", "complete")
            .equals("/session/new_file_id", json!(null)),
        post("A8", "{s}/root/addfile/")
            .form(&[("name", "placed.txt"), ("from", from)])
            .equals("/node/name", "placed.txt")
            .equals("/node/size", 5)
            .save("placed", "/node/id"),
        post("A8", "{s}/root/addfile/").form(&[("from", from)]).equals("/node/name", "loose.txt"),
        delete("A15", "/upload/{upload}/"),
        get("A19", "{s}/{placed}/read/").bytes("text/plain", b"loose"),
        post("A8", "{s}/root/addfile/")
            .form(&[("name", "again.txt"), ("from", &by_hash)])
            .equals("/node/hash", hash),
        post("A8", "{s}/root/addfile/").form(&[("name", "x"), ("from", "{}")]).refused(406, 1605),
        post("A8", "{s}/root/addfile/").form(&[("name", "x"), ("from", from)]).refused(404, 1609),
    ]
}

fn web() -> Vec<Row> {
    let fields = |url: &'static str| {
        [("source_url", url), ("profile_id", "{ws}"), ("profile_type", "workspace"), ("folder_id", "root")]
    };
    let source = "/control/web-sources?url=https://example.com/logo.svg";
    vec![
        control("A25", Method::PUT, source, json!({})).octets(b"<svg/>").status(204),
        post("A25", "/web_upload/").form(&fields("https://example.com/logo.svg")).save("import", "/id"),
        get("A25", "/upload/{import}/details/?wait=10").save("imported", "/session/new_file_id"),
        get("A25", "/web_upload/{import}/details/")
            .equals("/web_upload/status", "complete")
            .equals("/web_upload/new_file_id", "{imported}"),
        get("A25", "{s}/{imported}/details/").equals("/node/name", "logo.svg").equals("/node/size", 6),
        post("A25", "/web_upload/").form(&fields("https://example.com/missing")).save("failed", "/id"),
        get("A25", "/upload/{failed}/details/?wait=10").equals("/session/status", "store_failed"),
        get("A25", "/web_upload/?status=store_failed").equals("/web_uploads/0/id", "{failed}"),
        delete("A25", "/web_upload/?id={failed}"),
        get("A25", "/web_upload/{failed}/details/").refused(404, 1609),
        post("A25", "/web_upload/").form(&fields("http://example.com/logo.svg")).refused(406, 1605),
    ]
}
