//! From pixels to the bytes of a file.

use fastio_pipeline::plan::ImageFormat;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ImageEncoder, RgbImage};
use img_parts::ImageICC;
use webp::PixelLayout;

use super::{Picture, PictureError};

pub(super) fn encode(picture: Picture, format: ImageFormat, quality: u8) -> Result<Vec<u8>, PictureError> {
    let Picture { pixels, profile, .. } = picture;
    let (width, height) = (pixels.width(), pixels.height());
    let encoded = match format {
        ImageFormat::Jpeg => jpeg(pixels, profile, quality),
        ImageFormat::Png => png(&pixels, profile),
        ImageFormat::Webp => webp(&pixels, profile, quality),
    };
    let format = format.media_type();
    encoded.map_err(|problem| PictureError::NotWritable { width, height, format, problem })
}

fn jpeg(pixels: DynamicImage, profile: Option<Vec<u8>>, quality: u8) -> Result<Vec<u8>, String> {
    let pixels = on_white(pixels);
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut file, quality.clamp(1, 100));
    if let Some(profile) = profile {
        encoder.set_icc_profile(profile).map_err(|error| error.to_string())?;
    }
    encoder.encode_image(&pixels).map_err(|error| error.to_string())?;
    Ok(file)
}

/// JPEG has no transparency: what shows through is white, as on paper.
fn on_white(pixels: DynamicImage) -> RgbImage {
    let DynamicImage::ImageRgba8(pixels) = pixels else { return pixels.into_rgb8() };
    let mut opaque = RgbImage::new(pixels.width(), pixels.height());
    for (to, from) in opaque.pixels_mut().zip(pixels.pixels()) {
        let [red, green, blue, alpha] = from.0;
        to.0 = [red, green, blue].map(|channel| over_white(channel, alpha));
    }
    opaque
}

fn over_white(channel: u8, alpha: u8) -> u8 {
    let (channel, alpha) = (u16::from(channel), u16::from(alpha));
    let mixed = (channel * alpha + 255 * (255 - alpha) + 127) / 255;
    u8::try_from(mixed).unwrap_or(u8::MAX)
}

fn png(pixels: &DynamicImage, profile: Option<Vec<u8>>) -> Result<Vec<u8>, String> {
    let mut file = Vec::new();
    let mut encoder = PngEncoder::new(&mut file);
    if let Some(profile) = profile {
        encoder.set_icc_profile(profile).map_err(|error| error.to_string())?;
    }
    pixels.write_with_encoder(encoder).map_err(|error| error.to_string())?;
    Ok(file)
}

/// Longest edge of a WebP picture (RFC 9649, section 2.3: 14 bits).
const MAX_WEBP_EDGE: u32 = 16_383;

fn webp(pixels: &DynamicImage, profile: Option<Vec<u8>>, quality: u8) -> Result<Vec<u8>, String> {
    let (width, height) = (pixels.width(), pixels.height());
    if width > MAX_WEBP_EDGE || height > MAX_WEBP_EDGE {
        return Err(format!("WebP has at most {MAX_WEBP_EDGE} pixels on an edge; ask for a smaller picture"));
    }
    let layout = if pixels.color().has_alpha() { PixelLayout::Rgba } else { PixelLayout::Rgb };
    let file = webp::Encoder::new(pixels.as_bytes(), layout, width, height)
        .encode_simple(false, f32::from(quality.clamp(1, 100)))
        .map_err(|error| format!("libwebp: {error:?}"))?
        .to_vec();
    let Some(profile) = profile else { return Ok(file) };
    // libwebp's encoder knows nothing of profiles: they belong to the container around its bits.
    let mut container = img_parts::webp::WebP::from_bytes(file.into())
        .map_err(|error| format!("the colour profile cannot be added: {error}"))?;
    container.set_icc_profile(Some(profile.into()));
    Ok(container.encoder().bytes().to_vec())
}
