//! Rows 9 to 17 again, for `hash` and `hash_algo`: every algorithm, in every way to upload.

use serde_json::json;

use crate::table::{Row, delete, get, post};

const BYTES: &[u8] = b"123456789";
const CRC32C: &str = "e3069283";
/// By the `*sum` commands of GNU coreutils.
const KNOWN: [(&str, &str); 4] = [
    ("md5", "25f9e794323b453885f5181f1b624d0b"),
    ("sha1", "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
    ("sha256", "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
    (
        "sha384",
        "eb455d56d2c1a69de64e832011f3393d45f3fa31d6842f21af92d2fe469c499da5e3179847334a18479c8d1dedea1be3",
    ),
];
const SHA512: &str = "d9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274ad27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85";

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = vec![
        get("A17", "/upload/algos/").equals("/algos", json!(["md5", "sha1", "sha256", "sha384", "crc32c"])),
    ];
    for (algorithm, hash) in KNOWN.into_iter().chain([("crc32c", CRC32C)]) {
        let wrong = format!("0{}", hash.get(1..).unwrap_or_default());
        rows.extend(in_one_call(algorithm, hash, &wrong));
        rows.extend(in_chunks(algorithm, hash, &wrong));
        rows.extend(as_a_stream(algorithm, hash, &wrong));
        rows.extend(of_the_whole(algorithm, hash, &wrong));
    }
    rows.extend(batch());
    rows.extend(malformed());
    rows
}

const NEW: [(&str, &str); 5] = [
    ("name", "sum.bin"),
    ("action", "create"),
    ("instance_id", "{ws}"),
    ("folder_id", "root"),
    ("profile_type", "workspace"),
];

/// Opens a session of nine bytes.
fn open(extra: &[(&'static str, &str)]) -> Row {
    post("A10", "/upload/").form(&[&NEW[..], &[("size", "9")], extra].concat()).save("upload", "/id")
}

fn chunk(query: &str) -> Row {
    post("A11", &format!("/upload/{{upload}}/chunk/?order=1&size=9{query}")).parts(&[], &[("chunk", BYTES)])
}

fn in_one_call(algorithm: &str, hash: &str, wrong: &str) -> Vec<Row> {
    let call = |hash: &str| {
        let declared = [("size", "9"), ("hash_algo", algorithm), ("hash", hash)];
        post("A9", "/upload/").parts(&[&NEW[..], &declared].concat(), &[("chunk", BYTES)])
    };
    vec![
        call(hash).save("upload", "/id"),
        get("A14", "/upload/{upload}/details/?wait=10").equals("/session/status", "complete"),
        call(wrong).refused(406, 10_778),
    ]
}

fn in_chunks(algorithm: &str, hash: &str, wrong: &str) -> Vec<Row> {
    vec![
        open(&[]),
        chunk(&format!("&hash_algo={algorithm}&hash={hash}")),
        delete("A15", "/upload/{upload}/"),
        open(&[]),
        chunk(&format!("&hash_algo={algorithm}&hash={wrong}")).refused(406, 10_778),
        get("A14", "/upload/{upload}/details/").equals("/session/status", "assembly_failed"),
    ]
}

fn as_a_stream(algorithm: &str, hash: &str, wrong: &str) -> Vec<Row> {
    let open =
        || post("A16", "/upload/").form(&[&NEW[..], &[("stream", "true")]].concat()).save("upload", "/id");
    let stream = |hash: &str| {
        post("A16", &format!("/upload/{{upload}}/stream/?hash_algo={algorithm}&hash={hash}")).octets(BYTES)
    };
    vec![open(), stream(hash).status(201), open(), stream(wrong).refused(406, 10_778)]
}

/// Declared when the session is opened, checked when the file is put together.
fn of_the_whole(algorithm: &str, hash: &str, wrong: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for (hash, status) in [(hash, "complete"), (wrong, "assembly_failed")] {
        let declared = [("hash_algo", algorithm), ("hash", hash)];
        let ended = || get("A14", "/upload/{upload}/details/?wait=10").equals("/session/status", status);
        rows.extend([
            post("A16", "/upload/")
                .form(&[&NEW[..], &[("stream", "true")], &declared].concat())
                .save("upload", "/id"),
            post("A16", "/upload/{upload}/stream/").octets(BYTES).status(201),
            ended(),
        ]);
        // The CRC-32C of the whole is known from those of the chunks, and refuses `complete`.
        if algorithm != "crc32c" {
            let complete = post("A13", "/upload/{upload}/complete/").status(202);
            rows.extend([open(&declared), chunk(""), complete, ended()]);
        }
    }
    rows
}

fn batch() -> Vec<Row> {
    let [_, (_, sha1), ..] = KNOWN;
    let manifest = json!([
        { "index": 0, "filename": "sum-0.bin", "hash_algo": "sha1", "hash": sha1 },
        { "index": 1, "filename": "sum-1.bin", "hash_algo": "sha1", "hash": "0".repeat(40) },
    ]);
    let fields = [("instance_id", "{ws}"), ("manifest", &*manifest.to_string())];
    vec![
        post("A17", "/upload/batch/")
            .parts(&fields, &[("file_0", BYTES), ("file_1", BYTES)])
            .equals("/results/0/status", "ok")
            .equals("/results/1/error_code", 10_778),
    ]
}

fn malformed() -> Vec<Row> {
    let [(_, md5), ..] = KNOWN;
    let upper = md5.to_uppercase();
    [
        ("hash_algo=sha512", SHA512),
        ("hash_algo=md5", CRC32C),
        ("hash_algo=md5", &upper),
        ("hash_algo=md5", ""),
        ("", md5),
    ]
    .into_iter()
    .flat_map(|(algorithm, hash)| [open(&[]), chunk(&format!("&{algorithm}&hash={hash}")).refused(406, 1605)])
    .collect()
}
