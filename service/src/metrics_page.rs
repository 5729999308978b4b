//! `docs/metrics.md` against what a program registers, for the tests of the programs.

use std::collections::BTreeMap;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

const PAGE: &str = include_str!("../../docs/metrics.md");

/// Types by name, without the `_total` of counters. `None`: a family without a series, whose type nobody can see.
type Metrics = BTreeMap<String, Option<String>>;

/// What differs between a program's registry and the tables of the page's sections with these headings, one line each.
#[must_use]
pub fn differences(headings: &[&str], registry: &Registry) -> Vec<String> {
    let mut lines = Vec::new();
    let mut listed = BTreeMap::new();
    for heading in headings {
        match section(heading) {
            Some(section) => listed.extend(table(section)),
            None => lines.push(format!("docs/metrics.md has no section \"{heading}\"")),
        }
    }
    let mut registered = registered(registry);
    registered.extend(exported(registry));
    for (name, kind) in &registered {
        match (kind, listed.get(name)) {
            (_, None) => lines.push(format!("not in docs/metrics.md: {name}")),
            (Some(kind), Some(listed)) if kind != listed => {
                lines.push(format!("{name} is a {kind}, and in docs/metrics.md a {listed}"));
            }
            _ => {}
        }
    }
    let gone = listed.keys().filter(|name| !registered.contains_key(*name));
    lines.extend(gone.map(|name| format!("only in docs/metrics.md: {name}")));
    lines
}

fn section(heading: &str) -> Option<&'static str> {
    PAGE.split("\n## ").skip(1).find_map(|section| section.strip_prefix(heading)?.strip_prefix('\n'))
}

/// Rows of a table: name and type are its first cells. A counter is scraped with `_total`; whatever is listed without it
/// cannot be found among what there is.
fn table(section: &str) -> impl Iterator<Item = (String, String)> {
    section.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        let (kind, _) = rest.split_once(" |")?;
        let name = match kind {
            "counter" => name.strip_suffix("_total").map_or(format!("{name} without _total"), str::to_owned),
            _ => name.to_owned(),
        };
        Some((name, kind.to_owned()))
    })
}

/// Everything that is registered. A family without a series is not encoded and a registry cannot be asked for its names, so
/// they are taken from what it shows of itself: each prefix, and the names below it.
fn registered(registry: &Registry) -> Metrics {
    const PREFIX: &str = "Registry { prefix: ";
    const NAME: &str = "Descriptor { name: \"";
    let shown = format!("{registry:?}");
    let mut metrics = Metrics::new();
    for below in shown.split(PREFIX).skip(1) {
        let prefix = below
            .strip_prefix("Some(Prefix(\"")
            .and_then(|prefix| prefix.split_once('"'))
            .map_or(String::new(), |(prefix, _)| format!("{prefix}_"));
        for descriptor in below.split(NAME).skip(1) {
            let name = descriptor.split('"').next().unwrap_or_default();
            let unit = descriptor.split("unit: ").nth(1).unwrap_or_default();
            let unit = match unit.strip_prefix("Some(").and_then(|unit| unit.split_once(')')) {
                Some((unit, _)) => format!("_{}", unit.to_lowercase()),
                None => String::new(),
            };
            metrics.insert(format!("{prefix}{name}{unit}"), None);
        }
    }
    metrics
}

/// What a scrape shows now, with the metrics of collectors.
fn exported(registry: &Registry) -> Metrics {
    let mut text = String::new();
    if let Err(error) = encode(&mut text, registry) {
        return [(format!("the registry cannot be encoded: {error}"), None)].into();
    }
    text.lines()
        .filter_map(|line| {
            let (name, kind) = line.strip_prefix("# TYPE ")?.split_once(' ')?;
            Some((name.to_owned(), Some(kind.to_owned())))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::family::Family;
    use prometheus_client::metrics::gauge::Gauge;
    use prometheus_client::metrics::histogram::Histogram;
    use prometheus_client::registry::Unit;

    use super::*;

    type Empty<M> = Family<Vec<(String, String)>, M, fn() -> M>;

    #[test]
    fn a_metric_too_many_one_too_few_and_one_of_another_type_are_named() {
        let mut registry = Registry::default();
        registry.register("jobs", "Not on the page", Empty::new_with_constructor(Counter::<u64>::default));
        let api = registry.sub_registry_with_prefix("fastio").sub_registry_with_prefix("api");
        api.register("requests", "A counter there", Gauge::<i64>::default());
        let seconds: Empty<Histogram> = Family::new_with_constructor(|| Histogram::new([1.0]));
        api.register_with_unit("request_duration", "A family that is still empty", Unit::Seconds, seconds);
        assert_eq!(
            differences(&["Calls of Fast.io", "Nothing"], &registry),
            [
                "docs/metrics.md has no section \"Nothing\"",
                "fastio_api_requests is a gauge, and in docs/metrics.md a counter",
                "not in docs/metrics.md: jobs",
                "only in docs/metrics.md: fastio_api_rate_limit_wait_seconds",
            ]
        );
    }

    #[test]
    fn alerts_use_metrics_that_are_listed() {
        let listed: BTreeMap<_, _> = table(PAGE).collect();
        let alerts: String =
            PAGE.split("```promql").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        let words = alerts.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let ours = ["fastio_", "temporal_", "controller_runtime_"];
        let used: Vec<_> = words.filter(|word| ours.iter().any(|prefix| word.starts_with(prefix))).collect();
        assert!(used.len() >= 5, "{used:?}");
        for name in used {
            let of = |suffix: &str, kind: &str| {
                let family = name.strip_suffix(suffix).and_then(|family| listed.get(family));
                family.is_some_and(|listed| listed == kind)
            };
            let histogram = ["_bucket", "_sum", "_count"].iter().any(|suffix| of(suffix, "histogram"));
            assert!(histogram || of("_total", "counter") || of("", "gauge"), "{name}");
        }
    }
}
