//! What is sent: events in the guide's form, signed as it says.

use std::io::Write;

use hmac::digest::InvalidLength;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Events that differ in nothing but their id.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    before_id: String,
    run: String,
    after_id: &'static str,
}

impl Events {
    /// Events of one kind. `run` is in each id.
    pub(crate) fn new(run: &str, kind: &str) -> Self {
        // The guide's example, with the ids of the real service.
        let before_id = format!(
            r#"{{"eventType":"{kind}","workspaceId":"1234567890123456789","fileId":"2ltsu-q4mja-cuv7p-gc5yd-lxnsj-wee4","fileName":"quarterly-report.pdf","fileSize":2400000,"userId":"9876543210987654321","timestamp":"2026-02-14T10:30:00Z","eventId":""#
        );
        Self { before_id, run: run.to_owned(), after_id: r#""}"# }
    }

    /// The id of an event.
    pub(crate) fn id(&self, number: u64) -> String {
        format!("evt-{}-{number:08}", self.run)
    }

    /// The event as JSON text.
    pub(crate) fn json(&self, number: u64) -> Vec<u8> {
        [self.before_id.as_bytes(), self.id(number).as_bytes(), self.after_id.as_bytes()].concat()
    }
}

/// Makes requests out of events. Signing costs less than a microsecond, so it happens when a request is sent.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    events: Events,
    head: String,
    keyed: Hmac<Sha256>,
}

impl Delivery {
    /// Requests to `host` and `path`.
    pub(crate) fn new(host: &str, path: &str, secret: &str, events: Events) -> Result<Self, InvalidLength> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: fastio-bench\r\nContent-Type: application/json\r\n"
        );
        Ok(Self { events, head, keyed: Hmac::new_from_slice(secret.as_bytes())? })
    }

    /// The bytes of a whole request.
    pub(crate) fn request(&self, number: u64) -> std::io::Result<Vec<u8>> {
        let body = self.events.json(number);
        let signature = hex::encode(self.keyed.clone().chain_update(&body).finalize().into_bytes());
        let mut request = Vec::with_capacity(1024);
        write!(
            request,
            "{}Fastio-Signature: sha256={signature}\r\nContent-Length: {}\r\n\r\n",
            self.head,
            body.len()
        )?;
        request.extend_from_slice(&body);
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The signature is Python's.
    #[test]
    fn a_request_is_signed_over_its_body() {
        let delivery = Delivery::new("h", "/p", "a secret", Events::new("r1", "upload")).unwrap();
        let request = String::from_utf8(delivery.request(7).unwrap()).unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /p HTTP/1.1\r\nHost: h\r\n"), "{head}");
        assert!(head.ends_with(&format!("\r\nContent-Length: {}", body.len())), "{head}");
        assert!(body.ends_with(r#","eventId":"evt-r1-00000007"}"#), "{body}");
        assert!(
            head.contains(concat!(
                "Fastio-Signature: sha256=",
                "a82212b13d0cb4fa17e6c2c06597ad2638c037ebdd331df7cd2e70b79f94dcdb"
            )),
            "{head}"
        );
        serde_json::from_str::<serde_json::Value>(body).unwrap();
    }
}
