//! The time, in UTC.

use std::time::{SystemTime, UNIX_EPOCH};

/// The time in the format of RFC 3339: `2026-01-31T12:00:00Z`.
pub(crate) fn now() -> String {
    let seconds = seconds();
    let hour = seconds / 3600 % 24;
    let minute = seconds / 60 % 60;
    format!("{}T{hour:02}:{minute:02}:{:02}Z", today(), seconds % 60)
}

/// The date in the format of ISO 8601: `2026-01-31`.
pub(crate) fn today() -> String {
    let (year, month, day) = date(seconds() / 86_400);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Seconds since 1970-01-01; 0 if the clock is set to a time before it.
pub(crate) fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Year, month and day of a day counted from 1970-01-01. The computation starts years in March, so
/// that the leap day is the last one of a year.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + carry, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(11_016), (2000, 2, 29));
        assert_eq!(date(20_513), (2026, 3, 1));
        assert_eq!(date(20_819), (2027, 1, 1));
    }
}
