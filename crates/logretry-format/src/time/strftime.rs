use super::{TimeForm, TimePiece};

/// Compiles what stands in Apache's `%{…}t`: strftime conversions, or one of `sec`, `msec`, `usec`, `msec_frac`, `usec_frac`; either
/// behind `begin:` or `end:`; `%3f` and the like, as in Envoy's `START_TIME`, are fractions. `Err` is the conversion that is not supported.
pub(crate) fn compile(text: &str) -> Result<TimeForm, String> {
    let text = text.strip_prefix("begin:").or_else(|| text.strip_prefix("end:")).unwrap_or(text);
    let whole = match text {
        "sec" => Some(TimePiece::Epoch(0)),
        "msec" => Some(TimePiece::Epoch(3)),
        "usec" => Some(TimePiece::Epoch(6)),
        "msec_frac" => Some(TimePiece::Fraction(3)),
        "usec_frac" => Some(TimePiece::Fraction(6)),
        _ => None,
    };
    if let Some(piece) = whole {
        return Ok(TimeForm::new(&[piece]));
    }
    let mut pieces = Vec::new();
    push(text, &mut pieces)?;
    Ok(TimeForm::new(&pieces))
}

fn push(text: &str, pieces: &mut Vec<TimePiece>) -> Result<(), String> {
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char != '%' {
            pieces.extend(char.encode_utf8(&mut [0; 4]).bytes().map(TimePiece::Literal));
            continue;
        }
        let letter = chars.next().ok_or("%")?;
        pieces.push(match letter {
            'Y' => TimePiece::Year,
            'y' => TimePiece::ShortYear,
            'm' => TimePiece::Month,
            'd' => TimePiece::Day,
            'e' => TimePiece::SpacedDay,
            'j' => TimePiece::DayOfYear,
            'H' => TimePiece::Hour,
            'I' => TimePiece::Hour12,
            'M' => TimePiece::Minute,
            'S' => TimePiece::Second,
            'p' => TimePiece::HalfDay,
            'b' | 'h' => TimePiece::MonthName,
            'B' => TimePiece::MonthNameLong,
            'a' => TimePiece::DayName,
            'A' => TimePiece::DayNameLong,
            'z' => TimePiece::Offset,
            'Z' => TimePiece::ZoneName,
            's' => TimePiece::Epoch(0),
            '3' | '6' | '9' if chars.next() == Some('f') => {
                TimePiece::Fraction(usize::from(letter as u8 - b'0'))
            }
            'f' => TimePiece::Fraction(9),
            '%' => TimePiece::Literal(b'%'),
            't' => TimePiece::Literal(b'\t'),
            'n' => TimePiece::Literal(b'\n'),
            'T' => {
                push("%H:%M:%S", pieces)?;
                continue;
            }
            'R' => {
                push("%H:%M", pieces)?;
                continue;
            }
            'F' => {
                push("%Y-%m-%d", pieces)?;
                continue;
            }
            'D' => {
                push("%m/%d/%y", pieces)?;
                continue;
            }
            _ => return Err(format!("%{letter}")),
        });
    }
    Ok(())
}
