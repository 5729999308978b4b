//! The `image.resize` step: decode, scale, encode, all in this process.
//!
//! The EXIF orientation is applied and no other metadata is kept (a place where a photo was taken does not travel into
//! its thumbnail), except an RGB colour profile, without which a wide-gamut photo would have the wrong colours.
//! Pictures of 16 bits per channel become pictures of 8 bits; of an animation the first frame is taken.

mod decode;
mod encode;
mod geometry;

use std::io::{BufRead, Seek};

use fastio_pipeline::plan::ImageResize;

pub use decode::{MAX_DECODED_BYTES, MAX_FILE_BYTES};

/// A picture that cannot be made into another one. All but `Read` will be so each time.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// Not one of the formats that can be read.
    #[error("the file is not a JPEG, PNG, WebP or GIF picture")]
    Unsupported,
    /// One of the formats, but damaged or of a kind that the decoder does not know.
    #[error("the picture cannot be decoded: {0}")]
    Broken(String),
    /// More pixels than there is memory for.
    #[error("the picture has {width} × {height} pixels; at most {} MiB of decoded pixels are possible", MAX_DECODED_BYTES >> 20)]
    TooManyPixels {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// A file that is too large for a picture.
    #[error("the file has {size} bytes; pictures of at most {} MiB can be read", MAX_FILE_BYTES >> 20)]
    TooManyBytes {
        /// Size of the file in bytes.
        size: u64,
    },
    /// The result cannot be written in the wanted format.
    #[error("a picture of {width} × {height} pixels cannot be written as {format}: {problem}")]
    NotWritable {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Media type.
        format: &'static str,
        /// What the encoder says.
        problem: String,
    },
    /// The step asks for something that has no meaning.
    #[error("the step asks for {0}")]
    Step(&'static str),
    /// The file could not be read.
    #[error("the file cannot be read: {0}")]
    Read(std::io::Error),
}

/// Makes the picture that `resize` asks for and returns it as the bytes of a file.
///
/// Keeps a processor busy for as long as it takes: not for an async thread.
pub fn resize(source: impl BufRead + Seek, resize: &ImageResize) -> Result<Vec<u8>, PictureError> {
    let picture = decode::decode(source)?;
    let scaled = geometry::scale(picture, resize)?;
    encode::encode(scaled, resize.format, resize.quality)
}

/// Most bytes of memory that [`resize`] has in use for this picture, from the head of the file. To look at it may take
/// the whole file into memory.
pub fn memory(source: impl BufRead + Seek, resize: &ImageResize) -> Result<u64, PictureError> {
    let head = decode::head(source)?;
    let scaling = geometry::memory(&head, resize);
    Ok(head.decoding.max(scaling).saturating_add(SMALL))
}

/// Tables, rows and profiles: what does not grow with the picture.
const SMALL: u64 = 8 << 20;

/// Decoded pixels, on their way through the step.
struct Picture {
    /// RGB or RGBA, 8 bits per channel.
    pixels: ::image::DynamicImage,
    /// How the pixels have to be turned to be looked at.
    orientation: ::image::metadata::Orientation,
    /// An ICC profile for RGB.
    profile: Option<Vec<u8>>,
}

#[cfg(test)]
mod tests;
