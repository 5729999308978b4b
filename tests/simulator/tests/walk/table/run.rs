//! Making the calls, and comparing the answers.

use std::collections::BTreeMap;

use reqwest::{RequestBuilder, Response, multipart};
use serde_json::Value;

use super::{Answer, Body, Part, Row, Target};
use crate::support::{KEY, World};

/// Runs rows in order; every row that is not answered as it should be is reported with its number.
pub(crate) async fn run(world: &World, rows: Vec<Row>) -> Vec<String> {
    let mut saved = BTreeMap::from([("ws", world.workspace.clone()), ("org", world.org.clone())]);
    let mut failures = Vec::new();
    for row in rows {
        let name = format!("{}: {} {}", row.number, row.method, fill(&row.path, &saved));
        if let Err(why) = row.check(world, &mut saved).await {
            failures.push(format!("row {name}\n      {why}"));
        }
    }
    failures
}

fn fill(text: &str, saved: &BTreeMap<&'static str, String>) -> String {
    saved.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

fn fill_json(value: &Value, saved: &BTreeMap<&'static str, String>) -> Value {
    match value {
        Value::String(text) => fill(text, saved).into(),
        Value::Array(items) => items.iter().map(|item| fill_json(item, saved)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (fill(name, saved), fill_json(value, saved))).collect()
        }
        other => other.clone(),
    }
}

impl Row {
    async fn check(self, world: &World, saved: &mut BTreeMap<&'static str, String>) -> Result<(), String> {
        let response = self.request(world, saved).send().await.map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        if self.target != Target::Control {
            for header in ["x-ve-reqid", "x-ve-limit-avail", "x-ve-limit-max", "x-ve-limit-expires"] {
                if !response.headers().contains_key(header) {
                    return Err(format!("no header {header}"));
                }
            }
        }
        if status != self.status {
            let text = response.text().await.unwrap_or_default();
            return Err(format!("status {status}, not {}: {text}", self.status));
        }
        let body = match &self.answer {
            Answer::Broken => {
                return match response.bytes().await {
                    Ok(bytes) => Err(format!("{} bytes came, and nothing was missing", bytes.len())),
                    Err(_) => Ok(()),
                };
            }
            Answer::Bytes { kind, start } => return is_bytes(response, kind, start).await,
            Answer::Anything => response.json().await.unwrap_or_default(),
            Answer::Envelope { result } => {
                let body: Value = response.json().await.map_err(|error| error.to_string())?;
                if body["result"] != *result {
                    return Err(format!("`result` is not {result}: {body}"));
                }
                body
            }
        };
        self.compare(&body, saved)
    }

    fn request(&self, world: &World, saved: &BTreeMap<&'static str, String>) -> RequestBuilder {
        let path = fill(&self.path, saved);
        let url = match self.target {
            Target::Control => format!("http://{}{path}", world.simulator.address()),
            _ => world.url(&path),
        };
        let mut request = world.client.request(self.method.clone(), url);
        match self.target {
            Target::Api => request = request.bearer_auth(KEY),
            Target::ApiAs(key) => request = request.bearer_auth(key),
            Target::WithoutKey | Target::Control => {}
        }
        if let Some((name, value)) = &self.header {
            request = request.header(*name, value);
        }
        match &self.body {
            Body::None => request,
            Body::Form(fields) => {
                let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, fill(value, saved))).collect();
                request.form(&fields)
            }
            Body::Json(body) => request.json(&fill_json(body, saved)),
            Body::Octets(bytes) => {
                request.header("Content-Type", "application/octet-stream").body(bytes.clone())
            }
            Body::Parts(parts) => request.multipart(parts.iter().fold(
                multipart::Form::new(),
                |form, (name, part)| match part {
                    Part::Text(text) => form.text(*name, fill(text, saved)),
                    Part::File(bytes) => {
                        form.part(*name, multipart::Part::bytes(bytes.clone()).file_name(*name))
                    }
                },
            )),
        }
    }

    fn compare(&self, body: &Value, saved: &mut BTreeMap<&'static str, String>) -> Result<(), String> {
        if let Some(code) = self.code.filter(|code| body["error"]["code"] != *code) {
            return Err(format!("the code is not {code}: {body}"));
        }
        for pointer in &self.has {
            body.pointer(pointer).ok_or_else(|| format!("no {pointer}: {body}"))?;
        }
        for pointer in &self.lacks {
            if let Some(there) = body.pointer(pointer) {
                return Err(format!("{pointer} is {there}: {body}"));
            }
        }
        for (pointer, wanted) in &self.equals {
            let wanted = fill_json(wanted, saved);
            if body.pointer(&fill(pointer, saved)) != Some(&wanted) {
                return Err(format!("{pointer} is not {wanted}: {body}"));
            }
        }
        for (name, pointer) in &self.save {
            let value = body.pointer(pointer).and_then(Value::as_str);
            saved.insert(*name, value.ok_or_else(|| format!("no text at {pointer}: {body}"))?.to_owned());
        }
        Ok(())
    }
}

async fn is_bytes(response: Response, kind: &str, start: &[u8]) -> Result<(), String> {
    let sent = response.headers().get("content-type").and_then(|value| value.to_str().ok());
    if sent != Some(kind) {
        return Err(format!("the content type is {sent:?}, not {kind}"));
    }
    let bytes = response.bytes().await.map_err(|error| error.to_string())?;
    if bytes.starts_with(start) {
        return Ok(());
    }
    Err(format!("the bytes begin with {:?}", bytes.get(..start.len().min(bytes.len()))))
}
