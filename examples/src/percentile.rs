//! What measurements add up to.

use std::time::Duration;

/// The value that so many per cent of these do not exceed, in milliseconds; 0 if there are none.
#[must_use]
pub fn percentile(percent: usize, values: impl Iterator<Item = Duration>) -> f64 {
    let mut values: Vec<Duration> = values.collect();
    values.sort_unstable();
    let place = (values.len() * percent).div_ceil(100).saturating_sub(1);
    values.get(place).copied().map_or(0.0, ms)
}

/// In milliseconds.
#[must_use]
pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_do_not_exceed_it() {
        let values = || (1..=200).rev().map(Duration::from_millis);
        let of = |percent| format!("{:.1}", percentile(percent, values()));
        assert_eq!((of(50), of(99), of(100)), ("100.0".to_owned(), "198.0".to_owned(), "200.0".to_owned()));
        assert_eq!(format!("{:.1}", percentile(99, values().take(3))), "200.0");
        assert_eq!(format!("{:.1}", percentile(99, std::iter::empty())), "0.0");
    }
}
