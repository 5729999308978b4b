//! HTML as it grows. Text from outside enters through [`Html::text`], which escapes it.

use std::fmt::Write as _;

use super::Shown;
use crate::{api::mimetype, store::nodes::Node};

/// Types that are shown as pictures. SVG is not: it can carry scripts.
pub(super) const PICTURES: [&str; 5] = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"];

#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Markup of this program.
    pub(super) fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Anything, as text or in a quoted attribute.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for letter in text.chars() {
            match letter {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                letter => self.0.push(letter),
            }
        }
        self
    }

    pub(super) fn number(&mut self, number: impl std::fmt::Display) -> &mut Self {
        // Writing to a string does not fail.
        let _ = write!(self.0, "{number}");
        self
    }

    /// A file: picture, name, size, time, comments. `prefix` makes its id one of its own.
    pub(super) fn file(
        &mut self,
        shown: &Shown<'_>,
        prefix: &str,
        node: &Node,
        notes: &Notes<'_>,
    ) -> &mut Self {
        let Some(content) = &node.content else { return self };
        let kind = mimetype(&node.name);
        let link = format!("/files/{}/{}?v={}", shown.workspace.id, node.id, content.id);
        self.raw("<div class=file id=\"")
            .raw(prefix)
            .text(node.id.as_str())
            .raw("\"><a class=picture href=\"");
        self.text(&link).raw("\"");
        if PICTURES.contains(&kind.as_str()) {
            self.raw("><img src=\"").text(&link).raw("\" alt=\"\" loading=lazy></a>");
        } else {
            let extension = node.name.rsplit_once('.').map_or("file", |(_, extension)| extension);
            self.raw(" download=\"").text(&node.name).raw("\"><span class=kind>");
            self.text(&extension.chars().take(6).collect::<String>()).raw("</span></a>");
        }
        self.raw("<div class=what><span class=name title=\"").text(&node.name).raw("\">").text(&node.name);
        self.raw("</span><small>").text(&size(content.size)).raw(" · ").text(&content.created.time_of_day());
        if let Some(elapsed) = &notes.elapsed {
            self.raw(" · <b>").text(elapsed).raw("</b>");
        }
        if let Some(folder) = notes.folder {
            self.raw("<br>").text(folder);
        }
        self.raw("</small>");
        for comment in shown.comments_on(node.id.as_str()) {
            self.raw("<q>").text(&comment.body).raw("</q>");
        }
        self.raw("</div></div>")
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// What is said about a file beside what it is.
#[derive(Debug, Default)]
pub(super) struct Notes<'a> {
    /// How long after its source it came.
    pub(super) elapsed: Option<String>,
    pub(super) folder: Option<&'a str>,
}

/// Bytes for people.
fn size(bytes: i64) -> String {
    let units = ["kB", "MB", "GB"];
    let mut tenths = bytes;
    if bytes < 1000 {
        return if bytes == 1 { "1 byte".to_owned() } else { format!("{bytes} bytes") };
    }
    let mut unit = "";
    tenths *= 10;
    for name in units {
        if tenths < 10_000 {
            break;
        }
        tenths = (tenths + 500) / 1000;
        unit = name;
    }
    if tenths < 100 {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    } else {
        format!("{} {unit}", (tenths + 5) / 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let mut html = Html::default();
        html.text("<img src=\"x\" onerror='y'>&");
        assert_eq!(html.into_string(), "&lt;img src=&quot;x&quot; onerror=&#39;y&#39;&gt;&amp;");
    }

    #[test]
    fn sizes() {
        for (bytes, said) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1000, "1.0 kB"),
            (15_360, "15 kB"),
            (1_234_567, "1.2 MB"),
            (5_000_000_000, "5.0 GB"),
        ] {
            assert_eq!(size(bytes), said);
        }
    }
}
