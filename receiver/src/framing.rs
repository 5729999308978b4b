//! Where does a message end? Only where every HTTP implementation on the way sees the same end is it taken.
//!
//! hyper follows RFC 9112 where it has to, and forgives where it may: a line that ends in a bare line feed, two equal
//! `Content-Length`s, both ways of framing at once, a list of transfer codings. A proxy in front may forgive in another
//! way, and then the two see two different sequences of requests in the same bytes (section 11.2: request smuggling). The
//! raw head is looked at for that; what a sender of webhooks writes passes.

use http::Version;
use http::request::Parts;

/// Most digits of a length: what 64 bits hold for sure.
const MAX_DIGITS: usize = 19;

/// What is wrong with a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// The request was sent before its predecessor was answered, so nobody has seen its head from the start.
    #[error("requests must not be pipelined: wait for each answer")]
    Pipelined,
    /// A bare line feed or carriage return, or a folded line.
    #[error("the lines of the head must end in CRLF and must not be folded")]
    LineEnd,
    /// A header name that ends in a space, or a line without a name.
    #[error("a line of the head has no proper header name")]
    Name,
    /// More than one of `Content-Length` and `Transfer-Encoding`, or one of them twice.
    #[error("the length must be given once, by Content-Length or by chunked encoding")]
    TwoLengths,
    /// Something other than digits.
    #[error("Content-Length must be a decimal number")]
    Length,
    /// Something other than `chunked`.
    #[error("the only transfer encoding is chunked")]
    Encoding,
    /// None in HTTP/1.1, or several.
    #[error("the head must have exactly one Host")]
    Host,
}

/// Checks the bytes of a head, after which more may follow, against what hyper made of them.
pub fn check(bytes: &[u8], head: &Parts) -> Result<(), FramingError> {
    let Parts { method, uri, version, .. } = head;
    let mut lines = bytes.split_inclusive(|&byte| byte == b'\n');
    let first = lines.next().ok_or(FramingError::Pipelined)?;
    if line(first)? != format!("{method} {uri} {version:?}").as_bytes() {
        return Err(FramingError::Pipelined);
    }
    let (mut fields, mut lengths, mut hosts) = (0, 0, 0);
    for bytes in lines {
        let line = line(bytes)?;
        if line.is_empty() {
            let host_missing = hosts == 0 && *version == Version::HTTP_11;
            return match (lengths, hosts) {
                (2.., _) => Err(FramingError::TwoLengths),
                (_, 2..) => Err(FramingError::Host),
                _ if host_missing => Err(FramingError::Host),
                // What was seen is the end of a head that began before: `X: ` and then all of this.
                _ if fields != head.headers.len() => Err(FramingError::Pipelined),
                _ => Ok(()),
            };
        }
        fields += 1;
        let (name, value) = field(line)?;
        if name.eq_ignore_ascii_case(b"content-length") {
            lengths += 1;
            if !(1..=MAX_DIGITS).contains(&value.len()) || !value.iter().all(u8::is_ascii_digit) {
                return Err(FramingError::Length);
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            lengths += 1;
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err(FramingError::Encoding);
            }
        } else if name.eq_ignore_ascii_case(b"host") {
            hosts += 1;
        }
    }
    // hyper has seen the end of the head, so a part of it came before its predecessor was answered.
    Err(FramingError::Pipelined)
}

/// A line without its end, which must be CRLF.
fn line(bytes: &[u8]) -> Result<&[u8], FramingError> {
    let line = bytes.strip_suffix(b"\r\n").ok_or(FramingError::LineEnd)?;
    let folded = line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
    if folded || line.contains(&b'\r') { Err(FramingError::LineEnd) } else { Ok(line) }
}

/// Name and value of a field line, the value without space and tab around it.
fn field(line: &[u8]) -> Result<(&[u8], &[u8]), FramingError> {
    let colon = line.iter().position(|&byte| byte == b':').ok_or(FramingError::Name)?;
    let (name, value) = line.split_at(colon);
    if name.is_empty() || name.iter().any(u8::is_ascii_whitespace) {
        return Err(FramingError::Name);
    }
    Ok((name, value.strip_prefix(b":").unwrap_or(value).trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(head: &str) -> Result<(), FramingError> {
        of_request(head, http::Request::post("/hook"))
    }

    /// As if hyper had found all the fields that a head without defects has.
    fn of_request(head: &str, request: http::request::Builder) -> Result<(), FramingError> {
        let fields = head.split("\r\n").skip(1).take_while(|line| !line.is_empty()).count();
        let mut request = request.body(()).unwrap();
        for _ in 0..fields {
            request.headers_mut().append("x", http::HeaderValue::from_static("x"));
        }
        check(head.as_bytes(), &request.into_parts().0)
    }

    #[test]
    fn a_head_has_one_end() {
        const START: &str = "POST /hook HTTP/1.1\r\nHost: a\r\n";
        for (fields, expected) in [
            ("Content-Length: 3\r\n\r\nabc", Ok(())),
            ("Content-Length:3 \r\n\r\nab\nc", Ok(())),
            ("Transfer-Encoding: Chunked\r\n\r\n", Ok(())),
            ("\r\n", Ok(())),
            ("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", Err(FramingError::TwoLengths)),
            ("transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n", Err(FramingError::TwoLengths)),
            ("Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", Err(FramingError::TwoLengths)),
            ("Content-Length: 3, 3\r\n\r\nabc", Err(FramingError::Length)),
            ("Content-Length: +3\r\n\r\nabc", Err(FramingError::Length)),
            ("Content-Length: 0x3\r\n\r\nabc", Err(FramingError::Length)),
            ("Content-Length: \r\n\r\nabc", Err(FramingError::Length)),
            ("Content-Length: 10000000000000000000\r\n\r\nabc", Err(FramingError::Length)),
            ("Transfer-Encoding: gzip, chunked\r\n\r\n", Err(FramingError::Encoding)),
            ("Transfer-Encoding: identity\r\n\r\n", Err(FramingError::Encoding)),
            ("Transfer-Encoding: \u{b}chunked\r\n\r\n", Err(FramingError::Encoding)),
            ("Transfer-Encoding : chunked\r\n\r\n", Err(FramingError::Name)),
            ("no colon\r\n\r\n", Err(FramingError::Name)),
            (": x\r\n\r\n", Err(FramingError::Name)),
            ("X: a\nContent-Length: 3\r\n\r\nabc", Err(FramingError::LineEnd)),
            ("X: a\rb\r\n\r\n", Err(FramingError::LineEnd)),
            ("X: a\r\n b\r\n\r\n", Err(FramingError::LineEnd)),
            ("\n", Err(FramingError::LineEnd)),
            ("Host: b\r\n\r\n", Err(FramingError::Host)),
            ("X: a\r\n", Err(FramingError::Pipelined)),
        ] {
            assert_eq!(of(&format!("{START}{fields}")), expected, "{fields:?}");
        }
        assert_eq!(of("POST /hook HTTP/1.1\r\n\r\n"), Err(FramingError::Host));
        assert_eq!(of("GET /other HTTP/1.1\r\nHost: a\r\n\r\n"), Err(FramingError::Pipelined));
        assert_eq!(of("POST /hook HTTP/1.1\nHost: a\r\n\r\n"), Err(FramingError::LineEnd));
        assert_eq!(of(""), Err(FramingError::Pipelined));
        let old = "POST /hook HTTP/1.0\r\nContent-Length: 3\r\n\r\n";
        assert_eq!(of_request(old, http::Request::post("/hook").version(Version::HTTP_10)), Ok(()));
    }

    #[test]
    fn a_head_that_began_before_is_not_taken_for_its_end() {
        let seen = "POST /hook HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
        // hyper saw "POST /hook HTTP/1.1\r\nX: " in front of it.
        let head = http::Request::post("/hook")
            .header("x", "POST /hook HTTP/1.1")
            .header("host", "a")
            .header("content-length", "3");
        let head = head.body(()).unwrap().into_parts().0;
        assert_eq!(check(seen.as_bytes(), &head), Err(FramingError::Pipelined));
    }
}
