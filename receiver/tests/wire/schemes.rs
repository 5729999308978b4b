//! Signature schemes and secrets end to end.

use fastio::signature::{BodyHex, Scheme, SecretEncoding, SigningSecret, StampedBase64, StampedHex};
use jiff::{SignedDuration, Timestamp};

use crate::world::{PATH, SECRET, Settings, event, post, status, world_with};

const HEX_SECRET: &str = "000102030405060708090a0b0c0d0e0f";

fn request(scheme: &Scheme, body: &str, at: Timestamp) -> String {
    let secret = SigningSecret::decode(HEX_SECRET, SecretEncoding::Hex).unwrap();
    let headers = scheme.sign(&secret, body.as_bytes(), at);
    let lines = headers.iter().map(|(name, value)| format!("{name}: {}\r\n", value.to_str().unwrap()));
    format!(
        "POST {PATH} HTTP/1.1\r\nHost: hooks\r\nContent-Type: application/json\r\n{}Content-Length: {}\r\n\r\n{body}",
        lines.collect::<String>(),
        body.len()
    )
}

#[tokio::test]
async fn the_configured_scheme_is_the_only_one() {
    let schemes: [Scheme; 3] =
        [BodyHex::default().into(), StampedBase64::default().into(), StampedHex::default().into()];
    let (now, event) = (Timestamp::now(), event("upload", "evt-1"));
    for configured in &schemes {
        let (scheme, encoding) = (configured.clone(), SecretEncoding::Hex);
        let world = world_with(Settings { secret: HEX_SECRET, scheme, encoding, ..Settings::default() });
        for signed_as in &schemes {
            let answer = world.ask(&request(signed_as, &event, now)).await;
            let expected = if signed_as == configured { "200" } else { "401" };
            assert_eq!(status(&answer), expected, "{signed_as:?} at {configured:?}");
        }
        let old = request(configured, &event, now - SignedDuration::from_mins(10));
        let is_stamped = *configured != schemes[0];
        assert_eq!(status(&world.ask(&old).await), if is_stamped { "401" } else { "200" });
        assert_eq!(world.started(), 1);
        let stale = world.metric("signature_failures_total").contains(r#"{reason="stale"} 1"#);
        assert_eq!(stale, is_stamped);
    }
}

#[tokio::test]
async fn without_a_usable_secret_nothing_is_accepted() {
    for (secret, encoding) in [
        ("", SecretEncoding::Raw),
        ("short", SecretEncoding::Raw),
        (SECRET, SecretEncoding::Whsec),
        ("000102030405060708090a0b0c0d0e", SecretEncoding::Hex),
    ] {
        let world = world_with(Settings { secret, encoding, ..Settings::default() });
        let answer = world.ask(&post(&event("upload", "evt-1"))).await;
        assert_eq!(status(&answer), "503", "{answer}");
        assert!(answer.contains("retry-after: 2\r\n"), "{answer}");
        assert_eq!(world.started(), 0);
    }
}
