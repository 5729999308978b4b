//! What has just arrived: the newest files, each with what came after it in its name. A file counts as
//! a result of an older one when its name begins with the older one's stem and a full stop, or when a
//! folder above it has that stem as its name. This is a guess that only the page makes.

use rusqlite::Result;

use super::{
    Shown,
    html::{Html, Notes},
};
use crate::store::{
    listing::{self, Order, SortBy},
    nodes::{self, Node},
};

/// The newest files that are looked at.
const FILES: usize = 200;
const SHOWN: usize = 6;
const RESULTS: usize = 8;

/// A file, where it is, and what came of it.
struct Arrival {
    node: Node,
    path: String,
    results: Vec<(Node, String)>,
}

pub(super) fn write(shown: &Shown<'_>, html: &mut Html) -> Result<()> {
    let order = Order { by: SortBy::Updated, descending: true };
    let newest = listing::inventory(shown.rows, &shown.workspace.id, "file", order, None, FILES)?;
    let mut files = Vec::new();
    for (node, _) in newest.into_iter().rev() {
        let path = nodes::path(shown.rows, &node)?;
        files.push((node, path));
    }
    let mut arrivals = group(files);
    arrivals.reverse();
    html.raw("<section id=arrivals><h3>Latest</h3>");
    if arrivals.is_empty() {
        html.raw("<p class=empty>Nothing has arrived yet. Drop a file on a folder below.</p>");
    }
    for arrival in arrivals.iter().take(SHOWN) {
        one(shown, arrival, html);
    }
    html.raw("</section>");
    Ok(())
}

/// Results go to the newest file that they can come from. `files` are the oldest first.
fn group(files: Vec<(Node, String)>) -> Vec<Arrival> {
    let mut arrivals: Vec<Arrival> = Vec::new();
    for (node, path) in files {
        let source = arrivals.iter_mut().rev().find(|arrival| is_result(&arrival.node.name, &path));
        match source {
            Some(arrival) => arrival.results.push((node, path)),
            None => arrivals.push(Arrival { node, path, results: Vec::new() }),
        }
    }
    arrivals
}

fn is_result(source: &str, path: &str) -> bool {
    let stem = source.rsplit_once('.').map_or(source, |(stem, _)| stem);
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let named_after = name.strip_prefix(stem).is_some_and(|rest| rest.starts_with('.')) && name != source;
    !stem.is_empty() && (named_after || folder.split('/').any(|above| above == stem))
}

fn one(shown: &Shown<'_>, arrival: &Arrival, html: &mut Html) {
    let node = &arrival.node;
    html.raw("<article id=\"arrival-").text(node.id.as_str()).raw("\"><div class=source>");
    let notes = Notes { elapsed: None, folder: Some(folder(&arrival.path)) };
    html.file(shown, "source-", node, &notes).raw("</div>");
    if !arrival.results.is_empty() {
        html.raw("<div class=arrow aria-label=results></div><div class=results>");
        for (result, path) in arrival.results.iter().take(RESULTS) {
            let notes = Notes { elapsed: elapsed(node, result), folder: Some(folder(path)) };
            html.raw("<div class=result>").file(shown, "result-", result, &notes).raw("</div>");
        }
        let more = arrival.results.len().saturating_sub(RESULTS);
        if more > 0 {
            html.raw("<p class=more>and ").number(more).raw(" more</p>");
        }
        html.raw("</div>");
    }
    html.raw("</article>");
}

fn folder(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((folder, _)) => folder,
    }
}

/// How long after its source a result came.
fn elapsed(source: &Node, result: &Node) -> Option<String> {
    let (source, result) = (source.content.as_ref()?, result.content.as_ref()?);
    let tenths = (result.created.micros() - source.created.micros()) / 100_000;
    (tenths >= 0).then(|| format!("+{}.{} s", tenths / 10, tenths % 10))
}

#[cfg(test)]
mod tests {
    use super::is_result;

    #[test]
    fn results_are_known_by_name_or_folder() {
        assert!(is_result("beach.jpg", "/processed/beach/beach.web.webp"));
        assert!(is_result("clip.mp4", "/processed/clip/hls/720p_001.ts"));
        assert!(is_result("beach.jpg", "/out/beach.thumbnail.jpg"));
        assert!(!is_result("beach.jpg", "/photos/beach.jpg"));
        assert!(!is_result("beach.jpg", "/photos/beaches.jpg"));
        assert!(!is_result(".hidden", "/a/b.txt"));
    }
}
