use std::io::Cursor;

use fastio_pipeline::plan::{Fit, ImageFormat as Format};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, GenericImageView, ImageEncoder, ImageReader, Rgb, RgbImage, Rgba, RgbaImage};

use super::*;

const RED: [u8; 3] = [200, 30, 30];
const BLUE: [u8; 3] = [30, 30, 200];

/// The left half red, the right half blue: whichever way it is turned, that shows.
fn halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| Rgb(if x < width / 2 { RED } else { BLUE }))
}

fn file(picture: impl Into<DynamicImage>, format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A JPEG whose EXIF data say how it has to be turned (CIPA DC-008, tag 0x0112).
fn jpeg_with_orientation(picture: &RgbImage, orientation: u8) -> Vec<u8> {
    let mut exif = b"MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.set_exif_metadata(exif).unwrap();
    encoder.encode_image(picture).unwrap();
    bytes
}

fn step(width: u32, height: Option<u32>, fit: Fit, format: Format) -> ImageResize {
    ImageResize { width, height, fit, format, quality: 80 }
}

fn run(bytes: &[u8], step: &ImageResize) -> Result<DynamicImage, PictureError> {
    let result = resize(Cursor::new(bytes), step)?;
    let reader = ImageReader::new(Cursor::new(result)).with_guessed_format().unwrap();
    let expected = match step.format {
        Format::Jpeg => image::ImageFormat::Jpeg,
        Format::Png => image::ImageFormat::Png,
        Format::Webp => image::ImageFormat::WebP,
    };
    assert_eq!(reader.format(), Some(expected));
    Ok(reader.decode().unwrap())
}

#[track_caller]
fn assert_near(picture: &DynamicImage, x: u32, y: u32, expected: [u8; 3]) {
    let Rgba([red, green, blue, _]) = picture.get_pixel(x, y);
    let near = [red, green, blue].iter().zip(expected).all(|(a, b)| a.abs_diff(b) < 24);
    assert!(near, "at {x},{y}: {:?}, expected {expected:?}", [red, green, blue]);
}

#[test]
fn every_format_becomes_every_format() {
    use image::ImageFormat::{Gif, Jpeg, Png, WebP};
    for from in [Jpeg, Png, WebP, Gif] {
        let source = file(halves(600, 400), from);
        for to in [Format::Jpeg, Format::Png, Format::Webp] {
            let result = run(&source, &step(320, None, Fit::Inside, to)).unwrap();
            assert_eq!(result.dimensions(), (320, 213), "{from:?} to {to:?}");
            assert_near(&result, 40, 100, RED);
            assert_near(&result, 280, 100, BLUE);
        }
    }
}

#[test]
fn cover_takes_the_middle() {
    let result =
        run(&file(halves(600, 200), image::ImageFormat::Png), &step(100, Some(100), Fit::Cover, Format::Png));
    let result = result.unwrap();
    assert_eq!(result.dimensions(), (100, 100));
    assert_near(&result, 10, 50, RED);
    assert_near(&result, 90, 50, BLUE);
}

#[test]
fn small_pictures_are_not_enlarged() {
    let source = file(halves(60, 40), image::ImageFormat::Png);
    assert_eq!(run(&source, &step(320, None, Fit::Inside, Format::Webp)).unwrap().dimensions(), (60, 40));
}

#[test]
fn photos_are_turned_upright() {
    let picture = halves(600, 400);
    // Where the left side of the stored pixels is after the turn, for each orientation.
    for (orientation, size, red_at, blue_at) in [
        (1, (300, 200), (30, 100), (270, 100)),
        (2, (300, 200), (270, 100), (30, 100)),
        (3, (300, 200), (270, 100), (30, 100)),
        (6, (300, 450), (150, 40), (150, 400)),
        (8, (300, 450), (150, 400), (150, 40)),
    ] {
        let source = jpeg_with_orientation(&picture, orientation);
        let result = run(&source, &step(300, None, Fit::Inside, Format::Jpeg)).unwrap();
        assert_eq!(result.dimensions(), size, "orientation {orientation}");
        assert_near(&result, red_at.0, red_at.1, RED);
        assert_near(&result, blue_at.0, blue_at.1, BLUE);
    }
    let cover =
        run(&jpeg_with_orientation(&picture, 6), &step(100, Some(200), Fit::Cover, Format::Png)).unwrap();
    assert_eq!(cover.dimensions(), (100, 200));
    assert_near(&cover, 50, 20, RED);
}

#[test]
fn transparency_stays_where_the_format_has_it() {
    let source = file(RgbaImage::from_pixel(64, 64, Rgba([200, 30, 30, 0])), image::ImageFormat::Png);
    for format in [Format::Png, Format::Webp] {
        let result = run(&source, &step(32, None, Fit::Inside, format)).unwrap();
        assert_eq!(result.get_pixel(16, 16).0[3], 0, "{format:?}");
    }
    let opaque = run(&source, &step(32, None, Fit::Inside, Format::Jpeg)).unwrap();
    assert_near(&opaque, 16, 16, [255, 255, 255]);
}

/// The head of an ICC profile is enough to tell its colour space.
fn profile(space: [u8; 4]) -> Vec<u8> {
    let mut profile = vec![0; 132];
    profile[16..20].copy_from_slice(&space);
    profile
}

fn profile_of(file: &[u8]) -> Option<Vec<u8>> {
    let reader = ImageReader::new(Cursor::new(file)).with_guessed_format().unwrap();
    image::ImageDecoder::icc_profile(&mut reader.into_decoder().unwrap()).unwrap()
}

#[test]
fn colour_profiles_travel_if_they_still_describe_the_pixels() {
    for alpha in [false, true] {
        for (space, kept) in [(*b"RGB ", true), (*b"CMYK", false), (*b"GRAY", false)] {
            let mut source = Vec::new();
            let mut encoder = PngEncoder::new(&mut source);
            encoder.set_icc_profile(profile(space)).unwrap();
            let picture = DynamicImage::ImageRgb8(halves(64, 48));
            let picture = if alpha {
                let mut picture = picture.into_rgba8();
                picture.put_pixel(5, 5, Rgba([0, 0, 0, 9]));
                DynamicImage::ImageRgba8(picture)
            } else {
                picture
            };
            picture.write_with_encoder(encoder).unwrap();
            for format in [Format::Jpeg, Format::Png, Format::Webp] {
                let step = step(32, None, Fit::Inside, format);
                let result = resize(Cursor::new(&source), &step).unwrap();
                assert_eq!(profile_of(&result), kept.then(|| profile(space)), "{space:?} {format:?} {alpha}");
                assert_eq!(run(&source, &step).unwrap().dimensions(), (32, 24));
            }
        }
    }
}

#[test]
fn lower_quality_is_smaller() {
    let noisy = RgbImage::from_fn(300, 300, |x, y| {
        Rgb([x * 7, y * 13, x * y].map(|channel| channel.to_le_bytes()[0]))
    });
    let source = file(noisy, image::ImageFormat::Png);
    for format in [Format::Jpeg, Format::Webp] {
        let size = |quality| {
            let step = ImageResize { quality, ..step(200, None, Fit::Inside, format) };
            resize(Cursor::new(&source), &step).unwrap().len()
        };
        assert!(size(20) < size(90), "{format:?}");
    }
}

#[test]
fn what_is_no_picture_is_refused_with_a_sentence() {
    let whole = file(halves(600, 400), image::ImageFormat::Png);
    let half = &whole[..whole.len() / 2];
    let step = step(100, None, Fit::Inside, Format::Webp);
    for (bytes, expected) in [
        (&b""[..], "not a JPEG, PNG, WebP or GIF"),
        (b"%PDF-1.7 something", "not a JPEG, PNG, WebP or GIF"),
        (b"II\x2a\x00\x08\x00\x00\x00", "not a JPEG, PNG, WebP or GIF"),
        (b"\xff\xd8\xff\xe0nonsense", "cannot be decoded"),
        (b"\x89PNG\r\n\x1a\n", "cannot be decoded"),
        (b"GIF89a", "cannot be decoded"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "cannot be decoded"),
        (half, "cannot be decoded"),
    ] {
        let error = resize(Cursor::new(bytes), &step).unwrap_err().to_string();
        assert!(error.contains(expected), "{:?}: {error}", bytes.get(..8));
    }
}

/// A PNG of a few bytes that claims to be huge.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    bomb_of(width, height, [8, 6])
}

/// The same with its bits per channel and its colour type (PNG, third edition, 11.2.1).
fn bomb_of(width: u32, height: u32, kind: [u8; 2]) -> Vec<u8> {
    let mut header = Vec::from(*b"IHDR");
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend(kind);
    header.extend([0, 0, 0]);
    let mut bytes = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0d".to_vec();
    bytes.extend(&header);
    bytes.extend(crc32(&header).to_be_bytes());
    bytes.extend(b"\x00\x00\x00\x00IDAT\x35\xaf\x06\x1e");
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    })
}

#[test]
fn huge_pictures_are_refused_before_memory_is_taken() {
    let step = step(100, None, Fit::Inside, Format::Webp);
    for (width, height) in [(60_000, 60_000), (65_536, 1), (2_000_000_000, 2_000_000_000)] {
        let error = resize(Cursor::new(bomb(width, height)), &step).unwrap_err();
        let refused = matches!(error, PictureError::TooManyPixels { .. } | PictureError::Broken(_));
        assert!(refused, "{width} × {height}: {error}");
    }
    let error = resize(Cursor::new(bomb(60_000, 60_000)), &step).unwrap_err().to_string();
    assert_eq!(error, "the picture has 60000 × 60000 pixels; at most 512 MiB of decoded pixels are possible");
}

#[test]
fn pixels_count_before_and_after_they_become_rgb() {
    let step = step(100, None, Fit::Inside, Format::Webp);
    // What each decodes to is below the limit: grey, grey with alpha, RGB and RGBA of 16 bits.
    for (edge, kind) in [(20_000, [8, 0]), (15_000, [8, 4]), (9_000, [16, 2]), (8_000, [16, 6])] {
        let error = resize(Cursor::new(bomb_of(edge, edge, kind)), &step).unwrap_err();
        assert!(matches!(error, PictureError::TooManyPixels { .. }), "{kind:?}: {error}");
    }
    // A photo of 102 megapixels needs no conversion. The file has no pixels, which is another matter.
    let error = resize(Cursor::new(bomb_of(11_648, 8_736, [8, 2])), &step).unwrap_err();
    assert!(matches!(error, PictureError::Broken(_)), "{error}");
}

#[test]
fn webp_has_a_longest_edge() {
    let source = file(RgbImage::new(17_000, 2), image::ImageFormat::Png);
    let error = resize(Cursor::new(source), &step(17_000, None, Fit::Inside, Format::Webp)).unwrap_err();
    assert!(error.to_string().contains("at most 16383 pixels on an edge"), "{error}");
}

#[test]
fn a_box_of_nothing_is_refused() {
    let source = file(halves(6, 4), image::ImageFormat::Png);
    let error = resize(Cursor::new(source), &step(0, None, Fit::Inside, Format::Png)).unwrap_err();
    assert!(matches!(error, PictureError::Step(_)), "{error}");
}

#[test]
fn memory_is_known_from_the_head_of_a_file() {
    let thumb = step(100, None, Fit::Inside, Format::Webp);
    let needed = |source: &[u8], step| memory(Cursor::new(source), step).unwrap() / 1_000_000;
    // Three bytes for a pixel, and once more for the height times the new width.
    assert_eq!(needed(&bomb_of(4_000, 3_000, [8, 2]), &thumb), 36 + 8 + 1);
    // Grey is there as grey and as RGB; 16 bits are there as 16 and as 8.
    assert_eq!(needed(&bomb_of(4_000, 3_000, [8, 0]), &thumb), 48 + 8);
    assert_eq!(needed(&bomb_of(4_000, 3_000, [16, 6]), &thumb), 144 + 8);
    // Transparency takes a copy with the colours multiplied.
    assert_eq!(needed(&bomb_of(4_000, 3_000, [8, 6]), &thumb), 96 + 2 + 8);
    // A result as large as its source.
    let whole = step(4_000, None, Fit::Inside, Format::Webp);
    assert_eq!(needed(&bomb_of(4_000, 3_000, [8, 2]), &whole), 144 + 8);
    let jpeg = file(halves(1_000, 1_000), image::ImageFormat::Jpeg);
    assert_eq!(needed(&jpeg, &thumb), 9 + 8);
    assert!(matches!(memory(Cursor::new(b"%PDF"), &thumb), Err(PictureError::Unsupported)));
    let huge = memory(Cursor::new(bomb(60_000, 60_000)), &thumb);
    assert!(matches!(huge, Err(PictureError::TooManyPixels { .. })));
}
