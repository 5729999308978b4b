//! From the bytes of a file to pixels, within limits.

use std::io::{BufRead, Seek, SeekFrom};

use image::{ColorType, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::{Picture, PictureError};

/// Most bytes of decoded pixels, as they come out of the file and as RGB or RGBA of 8 bits together: 178 megapixels of RGB,
/// 134 of RGBA or grey, 44 of RGBA of 16 bits.
pub const MAX_DECODED_BYTES: u64 = 512 << 20;

/// Largest file that is read as a picture. The JPEG decoder holds the whole file in memory.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// Longest edge in pixels: the most that JPEG and GIF can say.
const MAX_EDGE: u32 = 65_535;

/// What the head of a file says about the memory that its pixels take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Channels after decoding, of 8 bits each.
    pub(super) channels: u64,
    /// Most bytes that are in use at the same time until the pixels are decoded.
    pub(super) decoding: u64,
}

/// Reads the head of a file. Of a JPEG it takes the whole file into memory for that.
pub(super) fn head(source: impl BufRead + Seek) -> Result<Head, PictureError> {
    let (reader, format, size) = open(source)?;
    let decoder = checked(reader)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width).saturating_mul(u64::from(height));
    let working = size.saturating_add(pixels.saturating_mul(working_bytes(format)));
    Ok(Head {
        width,
        height,
        channels: if decoder.color_type().has_alpha() { 4 } else { 3 },
        decoding: memory(&decoder).max(decoder.total_bytes().saturating_add(working)),
    })
}

/// Bytes per pixel that a decoder holds at the worst next to the pixels that it gives.
fn working_bytes(format: ImageFormat) -> u64 {
    match format {
        // Coefficients of 16 bits for three channels, if it is progressive.
        ImageFormat::Jpeg => 6,
        // Planes of an opaque picture and of its transparency, or one more frame of an animation.
        ImageFormat::WebP => 8,
        // A palette's index and one more frame.
        ImageFormat::Gif => 5,
        // Decoded row by row.
        _ => 0,
    }
}

pub(super) fn decode(source: impl BufRead + Seek) -> Result<Picture, PictureError> {
    let (reader, _, _) = open(source)?;
    let mut decoder = checked(reader)?;
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

/// A reader for the file, with its format and its size in bytes.
fn open<R: BufRead + Seek>(mut source: R) -> Result<(ImageReader<R>, ImageFormat, u64), PictureError> {
    let size = source.seek(SeekFrom::End(0)).map_err(PictureError::Read)?;
    if size > MAX_FILE_BYTES {
        return Err(PictureError::TooManyBytes { size });
    }
    source.rewind().map_err(PictureError::Read)?;
    let mut reader = ImageReader::new(source).with_guessed_format().map_err(PictureError::Read)?;
    let format = reader.format().filter(|format| is_readable(*format)).ok_or(PictureError::Unsupported)?;
    reader.limits(limits());
    Ok((reader, format, size))
}

/// A decoder of pixels for which there is memory.
fn checked<'a, R: BufRead + Seek + 'a>(
    reader: ImageReader<R>,
) -> Result<impl ImageDecoder + 'a, PictureError> {
    let decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    if memory(&decoder) > MAX_DECODED_BYTES || width > MAX_EDGE || height > MAX_EDGE {
        return Err(PictureError::TooManyPixels { width, height });
    }
    Ok(decoder)
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
