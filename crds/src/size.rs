//! Sizes of files and disks in manifests.

use std::fmt;
use std::str::FromStr;

/// A number of bytes, from a Kubernetes quantity without fractions: `1048576`, `1Ki`, `20Gi`. Binary units only, so that nobody
/// confuses `G` and `Gi`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(u64);

/// A text that is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no size; give a whole number of bytes, or one with Ki, Mi, Gi or Ti, as in 20Gi")]
pub struct SizeError(String);

impl Size {
    /// The size in bytes.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let error = || SizeError(text.to_owned());
        let (digits, factor) = [("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("Ti", 1_u64 << 40)]
            .into_iter()
            .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))
            .unwrap_or((text, 1));
        // `parse` would take a sign.
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(error());
        }
        digits.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).map(Self).ok_or_else(error)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_whole_numbers_with_binary_units() {
        for (text, bytes) in [("0", 0), ("7", 7), ("1Ki", 1024), ("20Gi", 20 << 30), ("2Ti", 2 << 40)] {
            assert_eq!(text.parse::<Size>().map(Size::bytes), Ok(bytes), "{text}");
        }
        for text in ["", "Gi", "-1", "+1", "1.5Gi", "1G", "1 Gi", "99999999Ti"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
