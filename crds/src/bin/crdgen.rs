//! Writes the CRDs as YAML: `crdgen DIRECTORY…`. With `--check` nothing is written and a difference is an error.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use fastio_crds::{FastioWebhook, FilePipeline};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::{Value, json};

const HEADER: &str = "# Generated from crds/src by `make generate`. Do not edit.\n";

fn main() -> ExitCode {
    let (flags, directories): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    let check = flags.iter().any(|flag| flag == "--check");
    if directories.is_empty() || flags.iter().any(|flag| flag != "--check") {
        eprintln!("usage: crdgen [--check] DIRECTORY…");
        return ExitCode::from(2);
    }
    match run(&directories.iter().map(PathBuf::from).collect::<Vec<_>>(), check) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("crdgen: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(directories: &[PathBuf], check: bool) -> Result<(), Box<dyn Error>> {
    for crd in [FastioWebhook::crd(), FilePipeline::crd()] {
        let file = format!("{}.yaml", crd.spec.names.plural);
        let text = format!("{HEADER}{}", serde_saphyr::to_string(&with_status_default(&crd)?)?);
        for directory in directories {
            write(&directory.join(&file), &text, check)?;
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str, check: bool) -> Result<(), Box<dyn Error>> {
    if check {
        if std::fs::read_to_string(path)? != text {
            return Err(format!("{} is not what crds/src says; run `make generate`", path.display()).into());
        }
    } else {
        std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// A new object is `observedGeneration: -1` before the operator has seen it, so that nobody who reads kstatus takes it for
/// finished (as every Flux CRD does). The derive macro cannot say that.
fn with_status_default(crd: &CustomResourceDefinition) -> Result<Value, Box<dyn Error>> {
    let mut value = serde_json::to_value(crd)?;
    let versions =
        value.pointer_mut("/spec/versions").and_then(Value::as_array_mut).ok_or("a CRD has versions")?;
    for version in versions {
        let status = version
            .pointer_mut("/schema/openAPIV3Schema/properties/status")
            .and_then(Value::as_object_mut)
            .ok_or("a version has a status")?;
        status.insert("default".to_owned(), json!({"observedGeneration": -1}));
    }
    Ok(value)
}
