//! Decimal digits.

/// So many digits are less than the largest number.
const SURE: usize = 19;

/// The number that is written with `digits`: nothing else stands there. No digits are 0; more than `T` can hold is none.
pub(crate) fn number<T: TryFrom<u64>>(digits: &[u8]) -> Option<T> {
    let is_sure = digits.len() <= SURE;
    let mut number = 0_u64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = if is_sure {
            number * 10 + u64::from(digit)
        } else {
            number.checked_mul(10)?.checked_add(digit.into())?
        };
    }
    T::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_is_what_the_standard_library_reads(text in "[0-9]{1,21}|[+0-9a:/-]{1,3}|18446744073709551[56][0-9]{2}") {
            let expected: Option<u64> = if text.starts_with('+') { None } else { text.parse().ok() };
            prop_assert_eq!(number(text.as_bytes()), expected);
        }
    }

    #[test]
    fn no_digits_are_nothing() {
        assert_eq!(number(b""), Some(0_u64));
    }
}
