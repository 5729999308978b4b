//! Rows of the table: one HTTP call each, and what its answer must say.

mod run;

use reqwest::Method;
pub(crate) use run::run;
use serde_json::Value;

/// What a call sends.
enum Body {
    None,
    Form(Vec<(&'static str, String)>),
    Json(Value),
    Parts(Vec<(&'static str, Part)>),
    Octets(Vec<u8>),
}

enum Part {
    Text(String),
    File(Vec<u8>),
}

/// Where a call goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    /// The API, with the key.
    Api,
    /// The API, with another key.
    ApiAs(&'static str),
    /// The API, without any.
    WithoutKey,
    Control,
}

/// What the body of an answer must be.
enum Answer {
    Envelope {
        result: Value,
    },
    Bytes {
        kind: &'static str,
        start: Vec<u8>,
    },
    /// Shorter than it says.
    Broken,
    Anything,
}

/// One call. `{name}` in paths and bodies stands for what an earlier row has saved under that name.
pub(crate) struct Row {
    number: &'static str,
    method: Method,
    path: String,
    target: Target,
    body: Body,
    status: u16,
    code: Option<u64>,
    answer: Answer,
    header: Option<(&'static str, String)>,
    has: Vec<&'static str>,
    lacks: Vec<&'static str>,
    equals: Vec<(&'static str, Value)>,
    save: Vec<(&'static str, &'static str)>,
}

fn row(number: &'static str, method: Method, path: &str) -> Row {
    Row {
        number,
        method,
        path: path.replace("{s}", "/workspace/{ws}/storage"),
        target: Target::Api,
        body: Body::None,
        status: 200,
        code: None,
        answer: Answer::Envelope { result: true.into() },
        header: None,
        has: Vec::new(),
        lacks: Vec::new(),
        equals: Vec::new(),
        save: Vec::new(),
    }
}

pub(crate) fn get(number: &'static str, path: &str) -> Row {
    row(number, Method::GET, path)
}

pub(crate) fn post(number: &'static str, path: &str) -> Row {
    row(number, Method::POST, path)
}

pub(crate) fn patch(number: &'static str, path: &str) -> Row {
    row(number, Method::PATCH, path)
}

pub(crate) fn delete(number: &'static str, path: &str) -> Row {
    row(number, Method::DELETE, path)
}

/// A call of the control API with a JSON body.
pub(crate) fn control(number: &'static str, method: Method, path: &str, body: Value) -> Row {
    Row {
        target: Target::Control,
        answer: Answer::Anything,
        body: Body::Json(body),
        ..row(number, method, path)
    }
    .status(201)
}

/// Sets a fault for the workspace of the table.
pub(crate) fn fault(number: &'static str, mut fault: Value) -> Row {
    fault["workspace"] = "{ws}".into();
    control(number, Method::POST, "/control/faults", fault)
}

impl Row {
    /// Which line of the list it is about.
    pub(crate) fn number(&self) -> &'static str {
        self.number
    }

    pub(crate) fn form(mut self, fields: &[(&'static str, &str)]) -> Self {
        self.body = Body::Form(fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect());
        self
    }

    pub(crate) fn json(mut self, body: Value) -> Self {
        self.body = Body::Json(body);
        self
    }

    pub(crate) fn octets(mut self, bytes: &[u8]) -> Self {
        self.body = Body::Octets(bytes.to_vec());
        self
    }

    /// Text fields and then files of a multipart body.
    pub(crate) fn parts(mut self, fields: &[(&'static str, &str)], files: &[(&'static str, &[u8])]) -> Self {
        let fields = fields.iter().map(|(name, text)| (*name, Part::Text((*text).to_owned())));
        let files = files.iter().map(|(name, bytes)| (*name, Part::File(bytes.to_vec())));
        self.body = Body::Parts(fields.chain(files).collect());
        self
    }

    pub(crate) fn without_key(mut self) -> Self {
        self.target = Target::WithoutKey;
        self
    }

    pub(crate) fn with_key(mut self, key: &'static str) -> Self {
        self.target = Target::ApiAs(key);
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.header = Some((name, value.to_owned()));
        self
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn refused(mut self, status: u16, code: u64) -> Self {
        self.code = Some(code);
        self.answer = Answer::Envelope { result: false.into() };
        self.status(status)
    }

    /// `result` is this, not `true`.
    pub(crate) fn result(mut self, result: &str) -> Self {
        self.answer = Answer::Envelope { result: result.into() };
        self
    }

    pub(crate) fn bytes(mut self, kind: &'static str, start: &[u8]) -> Self {
        self.answer = Answer::Bytes { kind, start: start.to_vec() };
        self
    }

    pub(crate) fn broken(mut self) -> Self {
        self.answer = Answer::Broken;
        self
    }

    /// JSON pointers that must be there.
    pub(crate) fn has(mut self, pointers: &[&'static str]) -> Self {
        self.has.extend(pointers);
        self
    }

    /// A JSON pointer that must not be there.
    pub(crate) fn lacks(mut self, pointer: &'static str) -> Self {
        self.lacks.push(pointer);
        self
    }

    pub(crate) fn equals(mut self, pointer: &'static str, value: impl Into<Value>) -> Self {
        self.equals.push((pointer, value.into()));
        self
    }

    pub(crate) fn save(mut self, name: &'static str, pointer: &'static str) -> Self {
        self.save.push((name, pointer));
        self
    }
}
