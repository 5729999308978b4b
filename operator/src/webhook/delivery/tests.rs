use super::*;

fn ingress(origin: Origin) -> Ingress {
    let url = "https://hooks.example/v1/hooks/u".parse().unwrap();
    Ingress { url, receivers: 2, signature: Signature::default(), origin }
}

fn by_hand() -> Origin {
    let secret = SecretKeyReference { name: "hand".to_owned(), key: "secret".to_owned() };
    Origin::ByHand { secret, values: Vec::new() }
}

/// Name, how the feed is followed, whether there is a receiver, whether it is removed.
fn of(delivery: &Delivery, found: Option<&Found>, attempted: bool) -> (&'static str, Follow, bool, bool) {
    after(delivery, found, Past { attempted, ..Past::default() })
}

fn after(delivery: &Delivery, found: Option<&Found>, past: Past) -> (&'static str, Follow, bool, bool) {
    let route = decide(delivery, found, past);
    assert!(!(route.ingress().is_some() && route.drops_receiver()));
    assert!(!(route.registers().is_some() && route.deregisters()));
    (route.name(), route.follow(), route.ingress().is_some(), route.drops_receiver())
}

#[test]
fn what_a_spec_says_is_done_whatever_the_service_says() {
    let forbidden = Found::Forbidden { why: "no".to_owned(), marked: None };
    for found in [None, Some(&Found::Unsupported), Some(&forbidden), Some(&Found::Marked(Vec::new()))] {
        for attempted in [false, true] {
            let of = |delivery| of(&delivery, found, attempted);
            let registered = || ingress(Origin::Registered);
            assert_eq!(of(Delivery::Pull), ("Pull", Follow::Live, false, true));
            assert_eq!(of(Delivery::Push(registered())), ("Push", Follow::None, true, false));
            assert_eq!(of(Delivery::Both(registered())), ("Both", Follow::Net, true, false));
            assert_eq!(of(Delivery::Auto(ingress(by_hand()))), ("Both", Follow::Net, true, false));
        }
    }
}

#[test]
fn auto_pushes_where_it_can_and_never_tears_down_what_worked() {
    let auto = Delivery::Auto(ingress(Origin::Registered));
    let marked = Found::Marked(Vec::new());
    let forbidden = Found::Forbidden { why: "no".to_owned(), marked: None };
    for (found, attempted, expected) in [
        (Some(&marked), false, ("Both", Follow::Net, true, false)),
        (Some(&marked), true, ("Both", Follow::Net, true, false)),
        (Some(&Found::Unsupported), false, ("Pull", Follow::Live, false, true)),
        (Some(&Found::Unsupported), true, ("Pull", Follow::Live, true, false)),
        (Some(&forbidden), false, ("Pull", Follow::Live, false, true)),
        (Some(&forbidden), true, ("Pull", Follow::Live, true, false)),
        (None, false, ("Pull", Follow::Live, false, false)),
        (None, true, ("Both", Follow::Net, true, false)),
    ] {
        assert_eq!(of(&auto, found, attempted), expected, "{found:?} {attempted}");
    }
}

fn past(delivery: &str, id: Option<&str>) -> Past {
    Past::of(Some(&FastioWebhookStatus {
        delivery: Some(delivery.to_owned()),
        webhook_id: id.map(str::to_owned),
        signing_key_fingerprint: Some("abc".to_owned()),
        ..FastioWebhookStatus::default()
    }))
}

#[test]
fn the_feed_goes_on_until_push_is_there() {
    let push = Delivery::Push(ingress(Origin::Registered));
    let net = ("Both", Follow::Net, true, false);
    for (delivery, id, expected) in [
        ("Pull", None, net),
        // What the first round has written.
        ("Both", None, net),
        ("Both", Some("w1"), ("Push", Follow::None, true, false)),
        ("Push", None, ("Push", Follow::None, true, false)),
    ] {
        assert_eq!(after(&push, None, past(delivery, id)), expected, "{delivery} {id:?}");
    }
}

#[test]
fn an_outage_of_the_service_changes_nothing() {
    let auto = Delivery::Auto(ingress(Origin::Registered));
    assert_eq!(after(&auto, None, past("Both", Some("w1"))), ("Both", Follow::Net, true, false));
    assert_eq!(after(&auto, None, past("Pull", Some("w1"))), ("Pull", Follow::Live, false, false));
}

#[test]
fn a_webhook_by_hand_replaces_one_that_was_registered() {
    let found = Found::Marked(Vec::new());
    for delivery in [Delivery::Push(ingress(by_hand())), Delivery::Both(ingress(by_hand()))] {
        let route = decide(&delivery, Some(&found), Past { attempted: true, ..Past::default() });
        assert!(route.deregisters() && route.registers().is_none() && route.drops_signing_secret());
    }
}
