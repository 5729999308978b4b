//! Where the service is.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// Base URL of the API: scheme, host and the prefix of every path.
///
/// `https` is what the service speaks. `http` is accepted for a service inside the same cluster; the key then crosses
/// the network readable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// Why a text is not a base URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaseUrlError {
    /// Not a URL.
    #[error("{text:?} is not a URL ({source}): give one such as https://api.fast.io/current")]
    Url {
        /// What was given, from behind a user name and password that it may have.
        text: String,
        /// What is wrong with it.
        source: url::ParseError,
    },
    /// Neither `https` nor `http`.
    #[error("the scheme {0:?} cannot be used: give a URL that starts with https://")]
    Scheme(String),
    /// User name, password, query or fragment.
    #[error("the base URL must not have a {0}: give scheme, host and path alone")]
    Part(&'static str),
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        let mut url = Url::parse(text).map_err(|source| {
            let text = text.rsplit('@').next().unwrap_or_default().to_owned();
            BaseUrlError::Url { text, source }
        })?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(BaseUrlError::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::Part("user name or password"));
        }
        if url.query().is_some() {
            return Err(BaseUrlError::Part("query"));
        }
        if url.fragment().is_some() {
            return Err(BaseUrlError::Part("fragment"));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl BaseUrl {
    /// The URL of a path below the base, each segment percent-encoded, with the slash that every route ends in.
    pub(crate) fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        // Cannot fail: `from_str` lets only URLs with a host pass, and those have path segments.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments).push("");
        }
        url
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_slash_makes_no_difference() {
        for text in
            ["https://api.fast.io/current", "https://api.fast.io/current/", "https://api.fast.io/current//"]
        {
            let base: BaseUrl = text.parse().unwrap();
            assert_eq!(base.to_string(), "https://api.fast.io/current");
            assert_eq!(
                base.join(&["user", "auth", "check"]).as_str(),
                "https://api.fast.io/current/user/auth/check/"
            );
        }
        let bare: BaseUrl = "http://10.0.0.1:8080".parse().unwrap();
        assert_eq!(bare.to_string(), "http://10.0.0.1:8080");
        assert_eq!(bare.join(&["upload"]).as_str(), "http://10.0.0.1:8080/upload/");
    }

    #[test]
    fn segments_cannot_leave_their_place() {
        let base: BaseUrl = "https://api.fast.io/current".parse().unwrap();
        let url = base.join(&["workspace", "a/../b?c#d", "x,y"]);
        assert_eq!(url.as_str(), "https://api.fast.io/current/workspace/a%2F..%2Fb%3Fc%23d/x,y/");
    }

    #[test]
    fn what_is_not_a_base_is_refused_with_the_way_out() {
        let error = |text: &str| text.parse::<BaseUrl>().unwrap_err().to_string();
        assert!(error("api.fast.io/current").contains("https://api.fast.io/current"));
        assert!(error("ftp://api.fast.io").contains("\"ftp\""));
        assert!(error("https://me:secret@api.fast.io").contains("user name or password"));
        assert!(!error("https://me:secret@api.fast.io").contains("secret"));
        assert!(!error("https://me:secret@api fast io").contains("secret"));
        assert!(error("https://api.fast.io/current?x=1").contains("query"));
        assert!(error("https://api.fast.io/current#x").contains("fragment"));
    }
}
