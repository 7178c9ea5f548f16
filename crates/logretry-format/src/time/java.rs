use super::{TimeForm, TimePiece};

/// Compiles a `SimpleDateFormat` pattern, as in Tomcat's `%{yyyy-MM-dd'T'HH:mm:ss.SSSXXX}t`. `Err` is the run of letters that is not supported.
pub(crate) fn compile_java(pattern: &str) -> Result<TimeForm, String> {
    let mut pieces = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            let quoted = &rest[1..];
            let end = quoted.find('\'').ok_or("'")?;
            // Two in a row are one.
            let text = if end == 0 { "'" } else { &quoted[..end] };
            pieces.extend(text.bytes().map(TimePiece::Literal));
            rest = &quoted[end + 1..];
            continue;
        }
        let length = rest.chars().take_while(|&char| char == first).map(char::len_utf8).sum();
        let (run, after) = rest.split_at(length);
        rest = after;
        if !first.is_ascii_alphabetic() {
            pieces.extend(run.bytes().map(TimePiece::Literal));
            continue;
        }
        pieces.push(match run {
            "yyyy" => TimePiece::Year,
            "yy" => TimePiece::ShortYear,
            "MM" => TimePiece::Month,
            "MMM" => TimePiece::MonthName,
            "MMMM" => TimePiece::MonthNameLong,
            "dd" => TimePiece::Day,
            "DDD" => TimePiece::DayOfYear,
            "HH" => TimePiece::Hour,
            "hh" => TimePiece::Hour12,
            "mm" => TimePiece::Minute,
            "ss" => TimePiece::Second,
            "SSS" => TimePiece::Fraction(3),
            "a" => TimePiece::HalfDay,
            "EEE" => TimePiece::DayName,
            "EEEE" => TimePiece::DayNameLong,
            "Z" => TimePiece::Offset,
            "XXX" => TimePiece::OffsetColon,
            "z" => TimePiece::ZoneName,
            _ => return Err(run.to_owned()),
        });
    }
    Ok(TimeForm::new(&pieces))
}
