//! How deliveries are signed, from the command line.

use fastio::signature::{
    BodyHex, SameHeaderError, Scheme, SecretEncoding, StampedBase64, StampedHex, Tolerance,
};
use http::HeaderName;

/// How deliveries are signed.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct SigningArgs {
    /// How deliveries are signed: `sha256=<hex>` over the body, `t=<unix>,v1=<base64>` over timestamp and body, or
    /// `sha256=<hex>` over timestamp and body with the timestamp in a header of its own.
    #[arg(long, env = "FASTIO_SIGNATURE_SCHEME", value_enum, default_value_t)]
    signature_scheme: SchemeName,

    /// Header of the signature. Default: `Fastio-Signature`, and `X-Fastio-Signature` for stamped-hex.
    #[arg(long, env = "FASTIO_SIGNATURE_HEADER", value_name = "NAME")]
    signature_header: Option<HeaderName>,

    /// Header of the timestamp, for stamped-hex only. Default: `X-Fastio-Timestamp`.
    #[arg(long, env = "FASTIO_TIMESTAMP_HEADER", value_name = "NAME")]
    timestamp_header: Option<HeaderName>,

    /// How the signing secret is written in its file: raw, hex, base64, or whsec (`whsec_` and base64).
    #[arg(long, env = "FASTIO_SECRET_ENCODING", value_name = "ENCODING", default_value = "raw")]
    pub secret_encoding: SecretEncoding,

    /// How far a signature's timestamp may be from now, in the past and in the future. A body-hex signature has none.
    #[arg(long, env = "FASTIO_SIGNATURE_TOLERANCE", value_name = "SECONDS", default_value = "300", value_parser = tolerance)]
    signature_tolerance: Tolerance,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum SchemeName {
    #[default]
    BodyHex,
    StampedBase64,
    StampedHex,
}

/// Arguments that do not go together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// A timestamp header where the scheme has none.
    #[error(
        "--timestamp-header is for --signature-scheme stamped-hex only: leave it out, or choose that scheme"
    )]
    NoTimestampHeader,
    /// One header for two things.
    #[error("--signature-header and --timestamp-header: {0}")]
    SameHeader(#[from] SameHeaderError),
}

fn tolerance(text: &str) -> Result<Tolerance, String> {
    let seconds: u32 =
        text.parse().map_err(|_| format!("must be 1 to {} seconds", Tolerance::MAX_SECONDS))?;
    Tolerance::from_seconds(seconds).map_err(|error| error.to_string())
}

impl SigningArgs {
    /// The scheme that every delivery must be signed in.
    pub fn scheme(&self) -> Result<Scheme, SigningError> {
        if self.timestamp_header.is_some() && self.signature_scheme != SchemeName::StampedHex {
            return Err(SigningError::NoTimestampHeader);
        }
        let tolerance = self.signature_tolerance;
        Ok(match self.signature_scheme {
            SchemeName::BodyHex => {
                let header = self.signature_header.clone();
                header.map_or_else(BodyHex::default, |header| BodyHex { header }).into()
            }
            SchemeName::StampedBase64 => {
                let header = self.signature_header.clone();
                StampedBase64 { header: header.unwrap_or(StampedBase64::default().header), tolerance }.into()
            }
            SchemeName::StampedHex => {
                let default = StampedHex::default();
                let header = self.signature_header.as_ref().unwrap_or(default.header());
                let timestamp_header = self.timestamp_header.as_ref().unwrap_or(default.timestamp_header());
                StampedHex::new(header.clone(), timestamp_header.clone(), tolerance)?.into()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use http::HeaderName;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        signing: SigningArgs,
    }

    fn scheme(line: &str) -> Result<Scheme, SigningError> {
        let line = std::iter::once("x").chain(line.split_whitespace());
        Line::try_parse_from(line).unwrap().signing.scheme()
    }

    #[test]
    fn every_scheme_has_its_names() {
        let name = HeaderName::from_static;
        let minute = Tolerance::from_seconds(60).unwrap();
        for (line, expected) in [
            ("", BodyHex::default().into()),
            (
                "--signature-scheme body-hex --signature-header X-Hub",
                BodyHex { header: name("x-hub") }.into(),
            ),
            ("--signature-scheme stamped-base64", StampedBase64::default().into()),
            (
                "--signature-scheme stamped-base64 --signature-header X-A --signature-tolerance 60",
                StampedBase64 { header: name("x-a"), tolerance: minute }.into(),
            ),
            ("--signature-scheme stamped-hex", StampedHex::default().into()),
            (
                "--signature-scheme stamped-hex --signature-header X-A --timestamp-header X-B --signature-tolerance 60",
                StampedHex::new(name("x-a"), name("x-b"), minute).unwrap().into(),
            ),
        ] {
            assert_eq!(scheme(line), Ok(expected), "{line}");
        }
        assert_eq!(scheme("--timestamp-header X-B"), Err(SigningError::NoTimestampHeader));
        let same = scheme("--signature-scheme stamped-hex --timestamp-header X-Fastio-Signature");
        assert!(matches!(same, Err(SigningError::SameHeader(_))));
        for line in ["--signature-tolerance=0", "--signature-tolerance=x", "--secret-encoding=rot13"] {
            assert!(Line::try_parse_from(["x", line]).is_err(), "{line}");
        }
    }
}
