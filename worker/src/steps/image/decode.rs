//! From the bytes of a file to pixels, within limits.

use std::io::{BufRead, Seek, SeekFrom};

use image::{ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::{Picture, PictureError};

/// Most bytes of decoded pixels, as they come out of the file and as RGB or RGBA of 8 bits together: 178 megapixels of RGB,
/// 134 of RGBA or grey, 44 of RGBA of 16 bits. Times the number of processors, it is what the step needs of its
/// container's memory at the worst, next to the files of [`MAX_FILE_BYTES`].
pub const MAX_DECODED_BYTES: u64 = 512 << 20;

/// Largest file that is read as a picture. The JPEG decoder holds the whole file in memory.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// Longest edge in pixels: the most that JPEG and GIF can say.
const MAX_EDGE: u32 = 65_535;

pub(super) fn decode(mut source: impl BufRead + Seek) -> Result<Picture, PictureError> {
    let size = source.seek(SeekFrom::End(0)).map_err(PictureError::Read)?;
    if size > MAX_FILE_BYTES {
        return Err(PictureError::TooManyBytes { size });
    }
    source.rewind().map_err(PictureError::Read)?;
    let mut reader = ImageReader::new(source).with_guessed_format().map_err(PictureError::Read)?;
    if !reader.format().is_some_and(is_readable) {
        return Err(PictureError::Unsupported);
    }
    reader.limits(limits());
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    if memory(&decoder) > MAX_DECODED_BYTES || width > MAX_EDGE || height > MAX_EDGE {
        return Err(PictureError::TooManyPixels { width, height });
    }
    // Metadata that is damaged is no reason to refuse pixels that are not.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten().filter(|profile| is_rgb(profile));
    let pixels = DynamicImage::from_decoder(decoder).map_err(broken)?;
    let pixels = if pixels.color().has_alpha() {
        DynamicImage::ImageRgba8(pixels.into_rgba8())
    } else {
        DynamicImage::ImageRgb8(pixels.into_rgb8())
    };
    Ok(Picture { pixels, orientation, profile })
}

/// Bytes that the pixels take: as they are decoded and, if those are of another kind, once more as RGB or RGBA of 8 bits.
/// Both are there while the one is made from the other.
fn memory(decoder: &impl ImageDecoder) -> u64 {
    let (width, height) = decoder.dimensions();
    let color = decoder.color_type();
    let channels = match color {
        ColorType::Rgb8 | ColorType::Rgba8 => 0,
        color if color.has_alpha() => 4,
        _ => 3,
    };
    let converted = u64::from(width).saturating_mul(u64::from(height)).saturating_mul(channels);
    decoder.total_bytes().saturating_add(converted)
}

fn is_readable(format: ImageFormat) -> bool {
    matches!(format, ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP | ImageFormat::Gif)
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_EDGE);
    limits.max_image_height = Some(MAX_EDGE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    limits
}

/// Whether a profile describes RGB: bytes 16 to 19 name the colour space (ICC.1:2022, 7.2.6). The pixels are RGB when
/// they leave here; the profile of a picture that was CMYK or grey would only distort them.
fn is_rgb(profile: &[u8]) -> bool {
    profile.get(16..20) == Some(b"RGB ")
}

fn broken(error: ImageError) -> PictureError {
    match error {
        ImageError::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            PictureError::Read(error)
        }
        ImageError::IoError(_) => PictureError::Broken("the file ends too early".to_owned()),
        error => PictureError::Broken(error.to_string()),
    }
}
