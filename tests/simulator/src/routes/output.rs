//! `output`: how much an answer tells.

use crate::{envelope::ApiError, params::Params};

const LEVELS: [&str; 3] = ["terse", "standard", "full"];

/// Levels below `full`, which is the default, for which a source says what is in the answer. In a search of storage the
/// level is that of `content_snippet`, which is null here.
const KNOWN: [(&str, &[&str]); 3] = [
    ("events.search", &["terse"]),
    ("events.details", &["terse"]),
    ("storage.search", &["terse", "standard"]),
];

/// The level that is asked for. Tokens that are none of the known ones are ignored, as by the service.
pub(crate) fn level(query: &Params) -> Option<&'static str> {
    levels(query).next()
}

fn levels(query: &Params) -> impl Iterator<Item = &'static str> {
    tokens(query).filter_map(|token| LEVELS.into_iter().find(|level| *level == token))
}

fn tokens(query: &Params) -> impl Iterator<Item = &str> {
    query.optional("output").unwrap_or_default().split(',').map(str::trim)
}

/// Two levels at once are refused by the service. A level whose fields no source lists, and answers in Markdown, are
/// refused by the simulator: more than was asked for would hide a mistake of the caller.
pub(super) fn check(operation: &str, query: &Params) -> Result<(), ApiError> {
    if levels(query).count() > 1 {
        return Err(ApiError::invalid("output", "must name one level of detail", "string"));
    }
    let known = KNOWN.iter().find(|(name, _)| *name == operation).map_or(&[][..], |(_, levels)| levels);
    match level(query) {
        Some(level) if level != "full" && !known.contains(&level) => {
            Err(ApiError::invalid("output", &format!("is not simulated as {level} for this call"), "full"))
        }
        _ if tokens(query).any(|token| token == "markdown") => {
            Err(ApiError::invalid("output", "is not simulated as markdown", "full"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_level_that_is_known() {
        let check = |operation: &str, output: &str| {
            check(operation, &Params::parse(format!("output={output}").as_bytes())).is_ok()
        };
        for good in ["", "full", "colourful", "full,colourful"] {
            assert!(check("storage.details", good), "{good}");
        }
        for bad in ["terse", "standard", "terse,full", "full,full", "markdown", "full,markdown"] {
            assert!(!check("storage.details", bad), "{bad}");
        }
        assert!(check("events.search", "terse") && !check("events.search", "standard"));
        assert!(check("storage.search", "standard"));
    }
}
