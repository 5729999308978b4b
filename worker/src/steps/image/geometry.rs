//! Which pixels of the source become which pixels of the result.

use fast_image_resize::{FilterType, IntoImageView, ResizeAlg, ResizeOptions, Resizer};
use fastio_pipeline::plan::{Fit, ImageResize};
use image::metadata::Orientation;
use image::{DynamicImage, RgbImage, RgbaImage};

use super::decode::Head;
use super::{Picture, PictureError};

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Size {
    fn turned(self) -> Self {
        Self { width: self.height, height: self.width }
    }
}

/// What to take of the source and how large to make it. `taken` is the middle part, in source pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Layout {
    pub(super) taken: (f64, f64),
    pub(super) result: Size,
}

/// Lays a picture into a box. Never enlarges: a picture that is smaller than its box keeps its pixels.
pub(super) fn layout(source: Size, width: u32, height: Option<u32>, fit: Fit) -> Layout {
    let (source_width, source_height) = (f64::from(source.width), f64::from(source.height));
    let box_width = f64::from(width);
    match (fit, height.map(f64::from)) {
        (Fit::Inside, height) => {
            let by_height = height.map_or(1.0, |height| height / source_height);
            let scale = (box_width / source_width).min(by_height).min(1.0);
            Layout {
                taken: (source_width, source_height),
                result: size(source_width * scale, source_height * scale),
            }
        }
        // A box without a height has no shape that could be covered.
        (Fit::Cover, None) => layout(source, width, None, Fit::Inside),
        (Fit::Cover, Some(height)) => {
            let shape = box_width / height;
            let taken = (source_width.min(source_height * shape), source_height.min(source_width / shape));
            Layout { taken, result: size(taken.0.min(box_width), taken.1.min(height)) }
        }
    }
}

fn size(width: f64, height: f64) -> Size {
    Size { width: pixels(width), height: pixels(height) }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and u32::MAX")]
fn pixels(length: f64) -> u32 {
    length.round().clamp(1.0, f64::from(u32::MAX)) as u32
}

/// Scales with Lanczos3 and turns the result upright: turning fewer pixels is cheaper.
pub(super) fn scale(picture: Picture, resize: &ImageResize) -> Result<Picture, PictureError> {
    if resize.width == 0 || resize.height == Some(0) {
        return Err(PictureError::Step("a picture of width or height 0"));
    }
    let Picture { pixels, orientation, profile } = picture;
    let source = Size { width: pixels.width(), height: pixels.height() };
    if source.width == 0 || source.height == 0 {
        return Err(PictureError::Broken("the picture has no pixels".to_owned()));
    }
    let turned = matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    let upright = if turned { source.turned() } else { source };
    let layout = layout(upright, resize.width, resize.height, resize.fit);
    let (taken, result) = if turned {
        ((layout.taken.1, layout.taken.0), layout.result.turned())
    } else {
        (layout.taken, layout.result)
    };
    let whole = (f64::from(source.width), f64::from(source.height));
    let mut pixels =
        if result == source && taken == whole { pixels } else { resample(&pixels, taken, result)? };
    pixels.apply_orientation(orientation);
    Ok(Picture { pixels, orientation: Orientation::NoTransforms, profile })
}

/// Bytes per pixel of a result that an encoder holds at the worst next to it, measured for WebP: planes, records of
/// macroblocks, and the file. Transparency is encoded apart, from a copy of the pixels.
const ENCODING: u64 = 8;
const ENCODING_ALPHA: u64 = 15;

/// Most bytes that are in use at the same time from the decoded pixels to the encoded result.
pub(super) fn memory(head: &Head, resize: &ImageResize) -> u64 {
    let area = |width: u32, height: u32| u64::from(width).saturating_mul(u64::from(height));
    let bytes = |pixels: u64| pixels.saturating_mul(head.channels);
    let source = Size { width: head.width, height: head.height };
    // Which way round the picture is looked at is not known yet.
    let [kept, turned] = [source, source.turned()]
        .map(|upright| layout(upright, resize.width, resize.height, resize.fit).result);
    let result = area(kept.width, kept.height).max(area(turned.width, turned.height));
    // Between the two passes of a resampling, the width is that of the result already.
    let between = area(kept.width.max(turned.height), source.height);
    // Colours are multiplied by their opacity first, in a copy.
    let (copies, encoding) = if head.channels == 4 { (2, ENCODING_ALPHA) } else { (1, ENCODING) };
    let scaling = bytes(area(source.width, source.height))
        .saturating_mul(copies)
        .saturating_add(bytes(between))
        .saturating_add(bytes(result).saturating_mul(2));
    scaling.max(bytes(result).saturating_add(result.saturating_mul(encoding)))
}

fn resample(source: &DynamicImage, taken: (f64, f64), result: Size) -> Result<DynamicImage, PictureError> {
    let mut scaled = match source {
        DynamicImage::ImageRgba8(_) => DynamicImage::ImageRgba8(RgbaImage::new(result.width, result.height)),
        _ => DynamicImage::ImageRgb8(RgbImage::new(result.width, result.height)),
    };
    let left = (f64::from(source.width()) - taken.0) / 2.0;
    let top = (f64::from(source.height()) - taken.1) / 2.0;
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
        .crop(left, top, taken.0, taken.1);
    debug_assert_eq!(source.pixel_type(), scaled.pixel_type());
    Resizer::new()
        .resize(source, &mut scaled, &options)
        .map_err(|error| PictureError::Broken(format!("it cannot be scaled: {error}")))?;
    Ok(scaled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: (u32, u32), fit: Fit, width: u32, height: Option<u32>, expected: (u32, u32)) {
        let source = Size { width: source.0, height: source.1 };
        let layout = layout(source, width, height, fit);
        assert_eq!((layout.result.width, layout.result.height), expected, "{source:?} {width} {height:?}");
        assert!(layout.taken.0 <= f64::from(source.width) && layout.taken.1 <= f64::from(source.height));
    }

    #[test]
    fn inside_keeps_the_whole_picture() {
        check((6000, 4000), Fit::Inside, 1600, None, (1600, 1067));
        check((4000, 6000), Fit::Inside, 1600, None, (1600, 2400));
        check((4000, 6000), Fit::Inside, 1600, Some(1600), (1067, 1600));
        check((6000, 4000), Fit::Inside, 320, Some(320), (320, 213));
    }

    #[test]
    fn cover_fills_the_box_and_cuts_the_edges() {
        check((6000, 4000), Fit::Cover, 320, Some(320), (320, 320));
        check((4000, 6000), Fit::Cover, 320, Some(180), (320, 180));
        check((6000, 4000), Fit::Cover, 320, None, (320, 213));
        let wide = layout(Size { width: 6000, height: 4000 }, 320, Some(320), Fit::Cover);
        assert_eq!(wide.taken, (4000.0, 4000.0));
    }

    #[test]
    fn nothing_is_enlarged() {
        check((100, 50), Fit::Inside, 320, Some(320), (100, 50));
        check((100, 50), Fit::Cover, 320, Some(320), (50, 50));
        check((400, 50), Fit::Cover, 320, Some(160), (100, 50));
    }

    #[test]
    fn a_thin_picture_keeps_one_pixel() {
        check((10_000, 1), Fit::Inside, 100, None, (100, 1));
        check((1, 10_000), Fit::Inside, 100, Some(100), (1, 100));
        check((10_000, 1), Fit::Cover, 100, Some(100), (1, 1));
    }
}
