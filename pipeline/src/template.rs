//! Text with placeholders in braces, as in `/processed/{stem}`. A literal brace is written twice.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a placeholder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Placeholder {
    /// `{name}`: the source file's name, `beach.jpg`.
    Name,
    /// `{stem}`: the name without its last extension, `beach`.
    Stem,
    /// `{ext}`: the last extension without the dot, `jpg`; empty if there is none.
    Ext,
    /// `{output.folder}`: the folder that the results went to, `/processed/beach`.
    OutputFolder,
    /// `{results}`: the names of the results, separated by comma and space.
    Results,
    /// `{error}`: why the run failed, in one sentence.
    Error,
}

impl Placeholder {
    /// What may stand in the path of an output folder.
    pub const IN_FOLDERS: &'static [Self] = &[Self::Name, Self::Stem, Self::Ext];
    /// What may stand in the comment after success.
    pub const IN_SUCCESS: &'static [Self] =
        &[Self::Name, Self::Stem, Self::Ext, Self::OutputFolder, Self::Results];
    /// What may stand in the comment after failure.
    pub const IN_FAILURE: &'static [Self] = &[Self::Name, Self::Stem, Self::Ext, Self::Error];

    const ALL: [Self; 6] =
        [Self::Name, Self::Stem, Self::Ext, Self::OutputFolder, Self::Results, Self::Error];

    fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Stem => "stem",
            Self::Ext => "ext",
            Self::OutputFolder => "output.folder",
            Self::Results => "results",
            Self::Error => "error",
        }
    }
}

/// A template that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `{stem` without `}`, or `}` alone.
    #[error("{0:?} has a brace without its partner; write a literal brace twice")]
    Unbalanced(String),
    /// A placeholder that does not exist or has no value here.
    #[error("{template:?}: {{{found}}} is not known here; use one of {allowed}")]
    Unknown {
        /// The whole template.
        template: String,
        /// What stands in the braces.
        found: String,
        /// What may stand there.
        allowed: String,
    },
}

/// One piece of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text as it is.
    Text(String),
    /// A value of the run.
    Value(Placeholder),
}

/// A parsed template. Serialized as the text that it was parsed from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template {
    source: String,
    pieces: Vec<Piece>,
}

impl Template {
    /// Parses a template in which only `allowed` may stand.
    pub fn parse(source: &str, allowed: &[Placeholder]) -> Result<Self, TemplateError> {
        let unbalanced = || TemplateError::Unbalanced(source.to_owned());
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut rest = source;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from_brace) = rest.split_at(at);
            text.push_str(before);
            if let Some(after) = from_brace.strip_prefix("{{") {
                text.push('{');
                rest = after;
            } else if let Some(after) = from_brace.strip_prefix("}}") {
                text.push('}');
                rest = after;
            } else {
                let inner = from_brace.strip_prefix('{').ok_or_else(unbalanced)?;
                let (name, after) = inner.split_once('}').ok_or_else(unbalanced)?;
                let placeholder = allowed.iter().copied().find(|p| p.as_str() == name).ok_or_else(|| {
                    let allowed: Vec<String> =
                        allowed.iter().map(|p| format!("{{{}}}", p.as_str())).collect();
                    TemplateError::Unknown {
                        template: source.to_owned(),
                        found: name.to_owned(),
                        allowed: allowed.join(", "),
                    }
                })?;
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                pieces.push(Piece::Value(placeholder));
                rest = after;
            }
        }
        text.push_str(rest);
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(Self { source: source.to_owned(), pieces })
    }

    /// The pieces in order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The template filled in. `value` is asked for each placeholder that occurs.
    pub fn render(&self, value: impl Fn(Placeholder) -> String) -> String {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Value(placeholder) => value(*placeholder),
            })
            .collect()
    }
}

impl TryFrom<String> for Template {
    type Error = TemplateError;

    /// For plans that were checked when they were compiled: every placeholder is allowed.
    fn try_from(source: String) -> Result<Self, TemplateError> {
        Self::parse(&source, &Placeholder::ALL)
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.source
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

/// A file name split at its last dot: `("beach", "jpg")`. A leading dot is not an extension: `(".profile", "")`.
#[must_use]
pub fn split_name(name: &str) -> (&str, &str) {
    match name.rsplit_once('.') {
        Some((stem, ext)) if !stem.is_empty() => (stem, ext),
        _ => (name, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_in() {
        let template = Template::parse("/processed/{stem}/{{{ext}}}", Placeholder::IN_FOLDERS).unwrap();
        let text = template.render(|p| match p {
            Placeholder::Stem => "beach".to_owned(),
            Placeholder::Ext => "jpg".to_owned(),
            _ => unreachable!(),
        });
        assert_eq!(text, "/processed/beach/{jpg}");
    }

    #[test]
    fn mistakes_are_named_with_the_way_out() {
        let unknown = Template::parse("/out/{stam}", Placeholder::IN_FOLDERS).unwrap_err().to_string();
        assert_eq!(unknown, r#""/out/{stam}": {stam} is not known here; use one of {name}, {stem}, {ext}"#);
        for bad in ["/out/{stem", "/out/stem}", "{"] {
            let error = Template::parse(bad, Placeholder::IN_FOLDERS).unwrap_err();
            assert_eq!(error, TemplateError::Unbalanced(bad.to_owned()));
        }
        assert!(Template::parse("{error}", Placeholder::IN_SUCCESS).is_err());
    }

    #[test]
    fn names_split_at_the_last_dot() {
        assert_eq!(split_name("beach.jpg"), ("beach", "jpg"));
        assert_eq!(split_name("a.tar.gz"), ("a.tar", "gz"));
        assert_eq!(split_name(".profile"), (".profile", ""));
        assert_eq!(split_name("README"), ("README", ""));
    }
}
