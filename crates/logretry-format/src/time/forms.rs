use super::{TimeForm, TimePiece, compile};

/// Forms that have names.
impl TimeForm {
    /// `22/Nov/2026:06:41:40 +0000`: nginx `$time_local`, Apache `%t` between its brackets.
    pub(crate) fn clf() -> Self {
        compile("%d/%b/%Y:%H:%M:%S %z").unwrap_or_else(|_| Self::new(&[]))
    }

    /// `2026-11-22T06:41:40+00:00`: nginx `$time_iso8601`.
    pub(crate) fn iso() -> Self {
        let mut pieces = compile("%Y-%m-%dT%H:%M:%S").map(|form| form.pieces.to_vec()).unwrap_or_default();
        pieces.push(TimePiece::OffsetColon);
        Self::new(&pieces)
    }

    /// `1795329862.130`: nginx `$msec`.
    pub(crate) fn epoch_with_millis() -> Self {
        Self::new(&[TimePiece::Epoch(0), TimePiece::Literal(b'.'), TimePiece::Fraction(3)])
    }

    /// `1795329862`.
    pub(crate) fn epoch() -> Self {
        Self::new(&[TimePiece::Epoch(0)])
    }

    /// `2026-11-22T06:41:40.123456Z`, always in UTC.
    pub(crate) fn iso_with_fraction(digits: usize) -> Self {
        compile(&format!("%Y-%m-%dT%H:%M:%S.%{digits}fZ")).unwrap_or_else(|_| Self::new(&[]))
    }

    /// `2026-11-22T06:41:40.123+00:00`.
    pub(crate) fn iso_with_offset(fraction: &str) -> Option<Self> {
        let mut pieces = compile(&format!("%Y-%m-%dT%H:%M:%S.{fraction}")).ok()?.pieces.to_vec();
        pieces.push(TimePiece::OffsetColon);
        Some(Self::new(&pieces))
    }

    /// `22/Nov/2026:06:41:42.866`: HAProxy `%tr`.
    pub(crate) fn clf_with_millis_without_zone() -> Self {
        compile("%d/%b/%Y:%H:%M:%S.%3f").unwrap_or_else(|_| Self::new(&[]))
    }
}
