//! A fault: its kind, and when it strikes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::kind::{ANY, Kind, Operations};

/// Fields that every kind of fault may have.
const COMMON: [&str; 7] = ["workspace", "operation", "times", "skip", "probability", "seed", "for_seconds"];

/// A fault as the control API takes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub(crate) struct Fault {
    #[serde(flatten)]
    pub(crate) kind: Kind,
    #[serde(flatten)]
    pub(crate) when: When,
}

/// When a fault strikes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct When {
    /// Id of a workspace, a share or an organisation. `None`: in every one, and in calls that are about none.
    #[serde(default)]
    pub(super) workspace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<String>,
    /// How often it still strikes; `null` is without end.
    #[serde(default)]
    pub(super) times: Option<u32>,
    /// So many occasions pass before the first one that counts.
    #[serde(default)]
    pub(super) skip: u32,
    /// The share of occasions at which it strikes.
    #[serde(default = "certain")]
    pub(super) probability: f64,
    /// Of the random numbers: the same seed makes the same choices.
    #[serde(default)]
    pub(super) seed: u64,
    /// It ends by itself after so many seconds.
    #[serde(default)]
    pub(super) for_seconds: Option<u32>,
}

const fn certain() -> f64 {
    1.0
}

/// Why something is not a fault.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAFault {
    #[error("{0}")]
    Fields(#[from] serde_json::Error),
    #[error("`status` must be from 400 to 599")]
    Status,
    #[error("`probability` must be above 0 and at most 1")]
    Probability,
    #[error("`times` must be at least 1, or null for no end")]
    Times,
    #[error("`operation` must name one, or be {ANY:?}")]
    NoOperation,
    #[error("`operation` is not a field of this kind of fault")]
    NoSuchOperation,
}

impl TryFrom<Map<String, Value>> for Fault {
    type Error = NotAFault;

    fn try_from(fields: Map<String, Value>) -> Result<Self, NotAFault> {
        let (common, own): (Map<_, _>, Map<_, _>) =
            fields.into_iter().partition(|(name, _)| COMMON.contains(&name.as_str()));
        let (counted, chance) = (common.contains_key("times"), common.contains_key("probability"));
        let kind: Kind = serde_json::from_value(Value::Object(own))?;
        let mut when: When = serde_json::from_value(Value::Object(common))?;
        if let Kind::Fail { status, .. } = &kind
            && !(400..=599).contains(status)
        {
            return Err(NotAFault::Status);
        }
        if !(when.probability > 0.0 && when.probability <= 1.0) {
            return Err(NotAFault::Probability);
        }
        if when.times == Some(0) {
            return Err(NotAFault::Times);
        }
        if !counted && !chance && when.for_seconds.is_none() && !kind.lasts() {
            when.times = Some(1);
        }
        when.operation = match (kind.operations(), when.operation) {
            (Operations::Named, None) => return Err(NotAFault::NoOperation),
            (Operations::Fixed(_), Some(_)) => return Err(NotAFault::NoSuchOperation),
            (Operations::Fixed(own), None) => own.map(str::to_owned),
            (Operations::Default(own), None) => Some(own.to_owned()),
            (Operations::Named | Operations::Default(_), Some(named)) => Some(named),
        };
        Ok(Self { kind, when })
    }
}

impl Fault {
    pub(super) fn concerns(&self, operation: Option<&str>, workspace: Option<&str>) -> bool {
        let own = self.when.operation.as_deref();
        let named = own.is_none_or(|own| own == ANY || Some(own) == operation);
        named && self.when.workspace.as_deref().is_none_or(|own| Some(own) == workspace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Fault, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn how_often_a_fault_strikes_when_nothing_is_said() {
        for (json, times) in [
            (r#"{"kind":"fail","operation":"*","status":500}"#, Some(1)),
            (r#"{"kind":"fail","operation":"*","status":500,"times":null}"#, None),
            (r#"{"kind":"fail","operation":"*","status":429,"for_seconds":5}"#, None),
            (r#"{"kind":"drop_deliveries"}"#, Some(1)),
            (r#"{"kind":"drop_deliveries","probability":0.2}"#, None),
            (r#"{"kind":"bandwidth","bytes_per_second":1000}"#, None),
            (r#"{"kind":"latency","operation":"*","milliseconds":1}"#, None),
        ] {
            assert_eq!(parse(json).unwrap().when.times, times, "{json}");
        }
    }

    #[test]
    fn what_a_fault_cannot_be_is_said_by_name() {
        for (json, said) in [
            (r#"{"kind":"drop_deliveries","time":2}"#, "unknown field `time`"),
            (r#"{"kind":"drop_deliveries","operation":"*"}"#, "`operation` is not a field"),
            (r#"{"kind":"fail","status":500}"#, "`operation` must name one"),
            (r#"{"kind":"fail","operation":"*","status":200}"#, "`status` must be from 400"),
            (r#"{"kind":"drop_deliveries","probability":0}"#, "`probability` must be above 0"),
            (r#"{"kind":"drop_deliveries","times":0}"#, "`times` must be at least 1"),
            (r#"{"kind":"explode"}"#, "unknown variant `explode`"),
        ] {
            let error = parse(json).unwrap_err();
            assert!(error.contains(said), "{json}: {error}");
        }
    }

    #[test]
    fn a_fault_is_written_as_it_was_read() {
        let json = r#"{"kind":"reset","after_bytes":7,"during":"request","operation":"upload.chunk","workspace":"1",
                       "times":2,"skip":1,"probability":0.5,"seed":9,"for_seconds":null}"#;
        let fault = parse(json).unwrap();
        let (written, read): (Value, Value) =
            (serde_json::to_value(&fault).unwrap(), serde_json::from_str(json).unwrap());
        assert_eq!(written, read);
    }
}
