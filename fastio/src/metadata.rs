//! Facts: typed values that are attached to a file, for our own marker. Source: agent guide v1.41.
//!
//! The guide gives paths, types and rules (a user's values outrank the AI's, all or nothing), but not the shape of the
//! bodies. So the request uses the plainest one, a map whose values have the JSON type of the fact, and the reply is read
//! in every shape that the service uses for such things elsewhere.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::client::Reply;
use crate::storage::storage;
use crate::{Client, NodeId, Result, WorkspaceId};

impl Client {
    /// The facts of a node as text: `GET /workspace/{ws}/storage/{node}/metadata/facts/`. Lists and objects are left out.
    pub async fn facts(&self, ws: &WorkspaceId, node: &NodeId) -> Result<BTreeMap<String, String>> {
        let call = self.get("metadata.facts", &storage(ws, &[node.as_str(), "metadata", "facts"]));
        read_facts(&call.reply().await?)
    }

    /// Sets facts as text, all or none: `POST /workspace/{ws}/storage/{node}/metadata/facts/`. Others stay.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctests/simulated.rs"));
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let simulated = Simulated::start().await?;
    /// # let (client, ws) = (simulated.client()?, &simulated.workspace);
    /// # let node = &simulated.file("thumbnail.jpg", "a").await?;
    /// use std::collections::BTreeMap;
    ///
    /// // A result says what it was made from, so that nobody takes it for a new source.
    /// let marker = BTreeMap::from([("made_from".to_owned(), "3abcd-efghi".to_owned())]);
    /// client.set_facts(ws, node, &marker).await?;
    /// assert_eq!(client.facts(ws, node).await?, marker);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_facts(
        &self,
        ws: &WorkspaceId,
        node: &NodeId,
        facts: &BTreeMap<String, String>,
    ) -> Result<()> {
        if facts.is_empty() {
            return Ok(());
        }
        self.post("metadata.set_facts", &storage(ws, &[node.as_str(), "metadata", "facts"]))
            .json(json!({ "facts": facts }))
            .done()
            .await
    }
}

pub(crate) fn read_facts(reply: &Reply) -> Result<BTreeMap<String, String>> {
    let fields = reply.fields()?;
    let facts = fields.get("items").or_else(|| fields.get("facts"));
    read(facts).ok_or_else(|| reply.broken("the facts are neither a map nor a list of facts"))
}

/// `{"key": "value"}`, `{"key": {"type": …, "value": …}}` or `[{"field": …, "value": …}]`.
fn read(facts: Option<&Value>) -> Option<BTreeMap<String, String>> {
    let pairs: Vec<(&str, &Value)> = match facts {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Object(map)) => map.iter().map(|(key, value)| (key.as_str(), value)).collect(),
        Some(Value::Array(list)) => list.iter().map(named).collect::<Option<_>>()?,
        Some(_) => return None,
    };
    Some(pairs.into_iter().filter_map(|(key, value)| Some((key.to_owned(), text(value)?))).collect())
}

fn named(fact: &Value) -> Option<(&str, &Value)> {
    let key = ["field", "key", "name"].iter().find_map(|key| fact.get(key))?;
    Some((key.as_str()?, fact))
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Object(fact) => match fact.get("value")? {
            Value::Object(_) => None,
            plain => text(plain),
        },
        Value::Null | Value::Array(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::client::stub::{KEY, Stub, json, reply};
    use crate::{Client, ErrorClass, NodeId, WorkspaceId};

    fn place() -> (WorkspaceId, NodeId) {
        ("1234567890123456789".parse().unwrap(), "2ltsu-q4mja-cuv7p-gc5yd-lxnsj-wee4".parse().unwrap())
    }

    async fn read(client: &Client) -> BTreeMap<String, String> {
        let (ws, node) = place();
        client.facts(&ws, &node).await.unwrap()
    }

    #[tokio::test]
    async fn facts_are_read_in_every_shape() {
        let stub = Stub::start([
            json(r#"{"result":true,"facts":{"source":"v1","depth":2}}"#),
            json(r#"{"result":true,"facts":{"source":{"type":"string","value":"v1"},"depth":{"type":"int","value":2}}}"#),
            json(r#"{"result":true,"facts":[{"key":"source","type":"string","value":"v1"},{"name":"depth","value":2}]}"#),
            json(
                r#"{"result":true,"count":2,"items":[{"field":"source","value":"v1","declared_type":"string"},
                    {"field":"depth","value":2,"declared_type":"int","source":"user"}]}"#,
            ),
            json(r#"{"result":true,"facts":{"source":"v1","depth":"2","list":[1],"deep":{"value":{"a":1}},"none":null}}"#),
        ])
        .await;
        let client = stub.client();
        let expected =
            BTreeMap::from([("source", "v1"), ("depth", "2")].map(|(k, v)| (k.to_owned(), v.to_owned())));
        for _ in 0..5 {
            assert_eq!(read(&client).await, expected);
        }
    }

    #[tokio::test]
    async fn no_facts_are_an_empty_map_and_nonsense_is_broken() {
        let stub = Stub::start([
            json(r#"{"result":true}"#),
            json(r#"{"result":true,"facts":[]}"#),
            json(r#"{"result":true,"facts":"x"}"#),
        ])
        .await;
        let client = stub.client();
        assert!(read(&client).await.is_empty());
        assert!(read(&client).await.is_empty());
        let (ws, node) = place();
        assert_eq!(client.facts(&ws, &node).await.unwrap_err().class(), ErrorClass::Broken);
    }

    #[tokio::test]
    async fn facts_are_written_as_typed_text() {
        let stub = Stub::start([
            json(r#"{"result":true}"#),
            reply(406, &[], r#"{"result":false,"error":{"code":1605}}"#),
        ])
        .await;
        let client = stub.client();
        let (ws, node) = place();
        let marker = BTreeMap::from([("source_version".to_owned(), "3abc".to_owned())]);
        client.set_facts(&ws, &node, &BTreeMap::new()).await.unwrap();
        client.set_facts(&ws, &node, &marker).await.unwrap();
        let asked = &stub.requests()[0];
        assert_eq!(
            asked.line(),
            "POST /current/workspace/1234567890123456789/storage/2ltsu-q4mja-cuv7p-gc5yd-lxnsj-wee4/metadata/facts/"
        );
        assert_eq!(asked.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
        assert_eq!(asked.text(), r#"{"facts":{"source_version":"3abc"}}"#);
        assert_eq!(client.set_facts(&ws, &node, &marker).await.unwrap_err().class(), ErrorClass::Invalid);
    }
}
