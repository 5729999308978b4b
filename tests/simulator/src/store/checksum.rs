//! Checksums that clients declare for the bytes that they upload.

use std::io;

use md5::Md5;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use sha1::Sha1;
use sha2::Sha384;

use super::blobs::{Blob, Blobs};

/// The values of `hash_algo`: those that `/upload/algos/` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    /// CRC-32C (Castagnoli), the newest of them.
    Crc32c,
}

impl Algorithm {
    const ALL: [Self; 5] = [Self::Md5, Self::Sha1, Self::Sha256, Self::Sha384, Self::Crc32c];
    pub(crate) const NAMES: [&str; 5] = ["md5", "sha1", "sha256", "sha384", "crc32c"];

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().zip(Self::ALL).find_map(|(known, own)| (known == name).then_some(own))
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Crc32c => "crc32c",
        }
    }

    /// Hexadecimal digits of a checksum.
    pub(crate) const fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha1 => 40,
            Self::Sha256 => 64,
            Self::Sha384 => 96,
            Self::Crc32c => 8,
        }
    }
}

/// A checksum in lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checksum {
    pub(crate) algorithm: Algorithm,
    pub(crate) hex: String,
}

impl Checksum {
    /// The one that the bytes have. CRC-32C and SHA-256 of every blob are known; for the others, which few
    /// clients use, the bytes are read again.
    pub(crate) async fn of(algorithm: Algorithm, blob: &Blob, blobs: &Blobs) -> io::Result<Self> {
        let hex = match algorithm {
            Algorithm::Md5 => blobs.digest::<Md5>(&blob.name).await?,
            Algorithm::Sha1 => blobs.digest::<Sha1>(&blob.name).await?,
            Algorithm::Sha256 => blob.sha256.clone(),
            Algorithm::Sha384 => blobs.digest::<Sha384>(&blob.name).await?,
            Algorithm::Crc32c => format!("{:08x}", blob.crc32c),
        };
        Ok(Self { algorithm, hex })
    }
}

/// `sha384:…`
impl ToSql for Checksum {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(format!("{}:{}", self.algorithm.as_str(), self.hex).into())
    }
}

impl FromSql for Checksum {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let (name, hex) = value.as_str()?.split_once(':').ok_or(FromSqlError::InvalidType)?;
        let algorithm = Algorithm::parse(name).ok_or(FromSqlError::InvalidType)?;
        Ok(Self { algorithm, hex: hex.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_algorithms_belong_together() {
        for (name, algorithm) in Algorithm::NAMES.into_iter().zip(Algorithm::ALL) {
            assert_eq!((algorithm.as_str(), Algorithm::parse(name)), (name, Some(algorithm)));
        }
        assert_eq!(Algorithm::parse("sha512"), None);
    }

    #[tokio::test]
    async fn checksums_of_known_bytes() {
        let directory = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(directory.path()).unwrap();
        let mut writer = blobs.create().await.unwrap();
        writer.write(b"abc").await.unwrap();
        let blob = writer.finish().await.unwrap();
        // RFC 1321 §A.5, FIPS 180-4 (examples of NIST), and RFC 3720 §B.4 for the polynomial of CRC-32C.
        for (algorithm, known) in [
            (Algorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (Algorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Algorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                Algorithm::Sha384,
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
            ),
            (Algorithm::Crc32c, "364b3fb7"),
        ] {
            let computed = Checksum::of(algorithm, &blob, &blobs).await.unwrap();
            assert_eq!((computed.hex.as_str(), computed.hex.len()), (known, algorithm.digits()));
        }
    }
}
