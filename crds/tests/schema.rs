//! What must hold for every field of both kinds, whoever adds one.

#![allow(clippy::unwrap_used, reason = "helpers of tests are not recognised as tests")]

use fastio_crds::conditions::Reason;
use fastio_crds::{FastioWebhook, FilePipeline};
use kube::CustomResourceExt;
use serde_json::Value;

fn schemas() -> Vec<(String, Value)> {
    [FastioWebhook::crd(), FilePipeline::crd()]
        .into_iter()
        .map(|crd| {
            let value = serde_json::to_value(&crd).unwrap();
            let schema = value.pointer("/spec/versions/0/schema/openAPIV3Schema").unwrap();
            (crd.spec.names.kind.clone(), schema.clone())
        })
        .collect()
}

/// Calls `visit` with each schema below `schema`, with its path.
fn walk(path: &str, schema: &Value, visit: &mut impl FnMut(&str, &Value)) {
    visit(path, schema);
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        walk(&format!("{path}.{name}"), property, visit);
    }
    if let Some(items) = schema.get("items") {
        walk(&format!("{path}[]"), items, visit);
    }
}

#[test]
fn every_field_has_a_description() {
    for (kind, schema) in schemas() {
        walk(&kind, &schema, &mut |path, schema| {
            let item_of_scalars = path.ends_with(']') && schema.get("properties").is_none();
            let described =
                schema.get("description").and_then(Value::as_str).is_some_and(|text| text.len() > 10);
            assert!(described || item_of_scalars, "{path} has no description");
        });
    }
}

#[test]
fn every_optional_field_of_a_spec_says_its_default() {
    for (kind, schema) in schemas() {
        let spec = schema.pointer("/properties/spec").unwrap();
        walk(&format!("{kind}.spec"), spec, &mut |path, schema| {
            let required: Vec<&str> = schema
                .get("required")
                .and_then(Value::as_array)
                .map(|names| names.iter().filter_map(Value::as_str).collect())
                .unwrap_or_default();
            for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten()
            {
                let text = property.get("description").and_then(Value::as_str).unwrap_or_default();
                // A struct whose members all have defaults needs none of its own.
                let is_struct = property.get("properties").is_some();
                assert!(
                    required.contains(&name.as_str()) || is_struct || text.contains("efault"),
                    "{path}.{name} is optional and does not say what happens when it is left out"
                );
            }
        });
    }
}

#[test]
fn no_field_is_of_a_kind_that_the_api_server_does_not_check() {
    for (kind, schema) in schemas() {
        walk(&kind, &schema, &mut |path, schema| {
            let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
            assert!(!format.starts_with("uint"), "{path}: the API server does not check {format}");
            let free = schema.get("type").and_then(Value::as_str) == Some("object")
                && schema.get("properties").is_none()
                && schema.get("additionalProperties").is_none();
            assert!(!free, "{path}: whatever is in it would be pruned");
        });
        walk(&format!("{kind}.spec"), schema.pointer("/properties/spec").unwrap(), &mut |path, schema| {
            if schema.get("type").and_then(Value::as_str) == Some("array") {
                assert!(schema.get("maxItems").is_some(), "{path}: a list in a rule must be bounded");
            }
        });
    }
}

#[test]
fn every_reason_is_documented_and_no_other() {
    let page = include_str!("../../docs/conditions.md");
    let documented: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name)
        .collect();
    let known: Vec<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(
        documented, known,
        "docs/conditions.md must list the reasons of crds/src/conditions.rs in their order"
    );
}
