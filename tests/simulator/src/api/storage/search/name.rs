//! How a name is matched: `name_match` and `case_sensitive`.

use super::choice;
use crate::{
    envelope::{ApiError, code},
    params::Params,
};

/// Characters of a pattern, except with `name_match=auto`.
const PATTERN_MAX: usize = 256;

/// The values of `name_match`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    /// By relevance. Here: the name contains the text.
    Auto,
    /// The whole name, with its extension or without it.
    Exact,
    Prefix,
    Contains,
    /// `*` is any run of characters, `?` one of them, in the whole name. Nothing else has a meaning.
    Glob,
}

/// What a name must be like.
#[derive(Debug)]
pub(super) struct Pattern {
    how: Match,
    text: String,
    case_sensitive: bool,
}

impl Pattern {
    pub(super) fn read(query: &Params, text: &str) -> Result<Self, ApiError> {
        let how = match choice(query, "name_match", &["auto", "exact", "prefix", "contains", "glob"])? {
            Some("exact") => Match::Exact,
            Some("prefix") => Match::Prefix,
            Some("contains") => Match::Contains,
            Some("glob") => Match::Glob,
            _ => Match::Auto,
        };
        let case_sensitive = query.flag("case_sensitive")? && how != Match::Auto;
        if how != Match::Auto {
            check(how, text)?;
        }
        let text = if case_sensitive { text.to_owned() } else { text.to_lowercase() };
        Ok(Self { how, text, case_sensitive })
    }

    pub(super) fn is_precise(&self) -> bool {
        self.how != Match::Auto
    }

    /// Letters are folded beyond ASCII; accents are kept.
    pub(super) fn matches(&self, name: &str) -> bool {
        if self.case_sensitive { self.fits(name) } else { self.fits(&name.to_lowercase()) }
    }

    fn fits(&self, name: &str) -> bool {
        match self.how {
            Match::Auto | Match::Contains => name.contains(&self.text),
            Match::Exact => {
                name == self.text || name.rsplit_once('.').is_some_and(|(stem, _)| stem == self.text)
            }
            Match::Prefix => name.starts_with(&self.text),
            Match::Glob => glob(&self.text, name),
        }
    }
}

fn check(how: Match, text: &str) -> Result<(), ApiError> {
    let wrong = |code: u32, message: &str| Err(ApiError::input(code, "search", "invalid", message, "string"));
    if text.trim().is_empty() {
        return wrong(code::BAD_INPUT, "must not be empty");
    }
    if text.chars().count() > PATTERN_MAX {
        return wrong(code::PATTERN_TOO_LONG, "must have at most 256 characters when name_match is not auto");
    }
    if how == Match::Glob && text.chars().all(|letter| matches!(letter, '*' | '?')) {
        return wrong(code::BAD_INPUT, "must have more in it than * and ?");
    }
    Ok(())
}

/// When the rest does not fit, the last `*` takes one character more.
fn glob(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern.chars(), name.chars());
    let mut again = None;
    loop {
        let here = name.clone();
        let fits = match (pattern.next(), name.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                again = Some((pattern.clone(), here.clone()));
                name = here;
                true
            }
            (Some('?'), Some(_)) => true,
            (Some(wanted), Some(letter)) => wanted == letter,
            (None, Some(_)) | (Some(_), None) => false,
        };
        if !fits {
            let Some((after, mut from)) = again.take() else { return false };
            if from.next().is_none() {
                return false;
            }
            (pattern, name) = (after.clone(), from.clone());
            again = Some((after, from));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(query: &str, name: &str) -> bool {
        let params = Params::parse(query.as_bytes());
        let pattern = Pattern::read(&params, params.required("search").unwrap()).unwrap();
        pattern.matches(name)
    }

    #[test]
    fn names_that_match_and_names_that_do_not() {
        for (query, name, expected) in [
            ("search=REPORT", "my report.pdf", true),
            ("search=REPORT&case_sensitive=true", "my report.pdf", true),
            ("search=Q4 Report&name_match=exact", "q4 report.pdf", true),
            ("search=Q4 Report.pdf&name_match=EXACT", "q4 report.pdf", true),
            ("search=Q4&name_match=exact", "q4 report.pdf", false),
            ("search=Q4 Report&name_match=exact&case_sensitive=1", "q4 report.pdf", false),
            ("search=Invoice-&name_match=prefix", "invoice-7.pdf", true),
            ("search=Invoice-&name_match=prefix", "my invoice-7.pdf", false),
            ("search=2026&name_match=contains", "a 2026 b", true),
            ("search=report*&name_match=contains", "report-2026.pdf", false),
            ("search=report*&name_match=contains", "a report* b", true),
            ("search=%C3%84NDERUNG*&name_match=glob", "änderung.docx", true),
            ("search=resume*&name_match=glob", "résumé.pdf", false),
            ("search=Quarterly*.pdf&name_match=glob", "Quarterly Report.pdf", true),
            ("search=report-*.xlsx&name_match=glob", "report-2026-q1.xlsx", true),
            ("search=*.pdf&name_match=glob", "a.pdf.txt", false),
            ("search=a?c&name_match=glob", "abc", true),
            ("search=a?c&name_match=glob", "ac", false),
            ("search=*a*b*c&name_match=glob", "xxaybzbc", true),
            ("search=[ab].txt&name_match=glob", "a.txt", false),
        ] {
            assert_eq!(matches(query, name), expected, "{query} on {name}");
        }
    }

    #[test]
    fn patterns_that_are_refused() {
        let read = |query: &str, text: &str| {
            Pattern::read(&Params::parse(query.as_bytes()), text).map_err(|error| error.code())
        };
        for how in ["exact", "prefix", "contains", "glob"] {
            let query = format!("name_match={how}");
            assert_eq!(read(&query, "  ").unwrap_err(), 1605);
            assert_eq!(read(&query, &"é".repeat(257)).unwrap_err(), 144_711);
            assert!(read(&query, &"é".repeat(256)).is_ok());
        }
        assert_eq!(read("name_match=glob", "*?*").unwrap_err(), 1605);
        assert!(read("name_match=contains", "*").is_ok());
        assert!(read("name_match=auto", &"x".repeat(2000)).is_ok());
        assert_eq!(read("name_match=regex", "x").unwrap_err(), 1605);
    }
}
