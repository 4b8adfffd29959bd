use ringback_model::Millis;

/// The longest duration of the language: a year.
pub(super) const LONGEST: Millis = Millis(8760 * 3_600_000);

const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];

#[derive(Debug, PartialEq, Eq)]
pub(super) enum DurationError {
    NotOne,
    TooLong,
}

/// Reads `250ms`, `5s`, `3m` or `2h`.
pub(super) fn parse(text: &str) -> Result<Millis, DurationError> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(DurationError::NotOne)?;
    if number.is_empty() {
        return Err(DurationError::NotOne);
    }
    let number: u64 = number.parse().map_err(|_| DurationError::TooLong)?;
    match number.checked_mul(*factor).map(Millis) {
        Some(duration) if duration <= LONGEST => Ok(duration),
        _ => Err(DurationError::TooLong),
    }
}

/// Writes a duration in the largest unit that leaves nothing over.
#[must_use]
pub fn duration_text(duration: Millis) -> String {
    let (unit, factor) = UNITS
        .iter()
        .rev()
        .find(|(_, factor)| duration.0 != 0 && duration.0.is_multiple_of(*factor))
        .unwrap_or(&UNITS[1]);
    format!("{}{unit}", duration.0 / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_units() {
        for (text, millis) in [("250ms", 250), ("5s", 5000), ("3m", 180_000), ("2h", 7_200_000), ("0s", 0)] {
            assert_eq!(parse(text), Ok(Millis(millis)), "{text}");
            assert_eq!(duration_text(Millis(millis)), text);
        }
    }

    #[test]
    fn what_is_none() {
        for text in ["", "5", "s", "5 s", "5d", "-5s", "1.5s", "5S", "٣s"] {
            assert_eq!(parse(text), Err(DurationError::NotOne), "{text}");
        }
        for text in ["8761h", "18446744073709551615h", "18446744073709551616ms"] {
            assert_eq!(parse(text), Err(DurationError::TooLong), "{text}");
        }
    }
}
