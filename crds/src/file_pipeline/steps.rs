//! `spec.steps`: what is made of a file.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// One step: makes one result file of one input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.image)].filter(x, x).size() == 1").message("a step must have exactly one action; the known action is `image`"))]
pub struct Step {
    /// Name of the step: part of the result's file name. Example: `thumbnail`.
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,

    /// The step whose result is the input. Default: the source file. Example: `web`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub from: Option<String>,

    /// Work on a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageStep>,
}

/// Work on a picture (JPEG, PNG, WebP, GIF).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageStep {
    /// Scale the picture to fit into a box. It is never enlarged, and turned upright as its EXIF data says.
    pub resize: Resize,
}

/// The box and the format of a scaled picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.fit != 'Cover' || has(self.height)").message("`height` must be set when `fit` is Cover: the picture is cut to the box"))]
pub struct Resize {
    /// Width of the box in pixels. Example: `1600`.
    #[schemars(range(min = 1, max = 16384))]
    pub width: i32,

    /// Height of the box in pixels. Default: as high as the picture becomes. Example: `1200`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 16384))]
    pub height: Option<i32>,

    /// `Inside`: the whole picture, as large as fits. `Cover`: the whole box, with the picture's edges cut off evenly.
    /// Default: `Inside`.
    #[serde(default)]
    pub fit: FitMode,

    /// Format of the result: `jpeg`, `png` or `webp`. Default: `webp`.
    #[serde(default)]
    pub format: ResizeFormat,

    /// Quality of JPEG and WebP, from 1 (small) to 100 (good). Default: 80.
    #[serde(default = "default_quality")]
    #[schemars(range(min = 1, max = 100))]
    pub quality: i32,
}

fn default_quality() -> i32 {
    80
}

/// How a picture meets a box of another shape.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum FitMode {
    /// The whole picture.
    #[default]
    Inside,
    /// The whole box.
    Cover,
}

/// Format of a scaled picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResizeFormat {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    #[default]
    Webp,
}
