//! What numbers do that is not the processor's own arithmetic.

/// A number as what bits are counted in: whole, modulo 2^32.
#[inline(always)]
pub(crate) fn to_u32(number: f64) -> u32 {
    // Nearly all are in its range.
    let small = number as i64;
    if small as f64 == number.trunc() { small as u32 } else { wide_to_u32(number) }
}

#[cold]
fn wide_to_u32(number: f64) -> u32 {
    if number.is_finite() { number.trunc().rem_euclid(4_294_967_296.0) as u32 } else { 0 }
}

/// As shifts have it: bits that are shifted out are gone.
pub(crate) fn shift_left(value: u32, by: u32) -> u32 {
    value.checked_shl(by).unwrap_or(0)
}

pub(crate) fn shift_right(value: u32, by: u32) -> u32 {
    value.checked_shr(by).unwrap_or(0)
}

/// As the language has it: with the sign of the left side.
#[inline(always)]
pub(crate) fn remainder(a: f64, b: f64) -> f64 {
    // Whole numbers of a size that integers have exactly are much faster as such.
    let (whole_a, whole_b) = (a as i64, b as i64);
    if whole_a as f64 == a && whole_b as f64 == b && whole_a > 0 && whole_b > 0 {
        (whole_a % whole_b) as f64
    } else {
        a % b
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_those_of_32() {
        let cases = [
            (0.0, 0),
            (1.9, 1),
            (-1.0, u32::MAX),
            (4_294_967_296.0, 0),
            (1e10, 1_410_065_408),
            (f64::NAN, 0),
        ];
        for (number, expected) in cases {
            assert_eq!(to_u32(number), expected, "{number}");
        }
        for number in [f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(to_u32(number), 0);
        }
        assert_eq!(to_u32(1e300), (1e300_f64.rem_euclid(4_294_967_296.0)) as u32);
        assert_eq!((shift_left(1, 31), shift_left(1, 32), shift_right(1 << 31, 31)), (1 << 31, 0, 1));
    }

    #[test]
    fn a_remainder_has_the_sign_of_the_left_side() {
        for (a, b) in [
            (5.0, 3.0),
            (-5.0, 3.0),
            (5.0, -3.0),
            (5.5, 2.0),
            (1e300, 7.0),
            (0.0, 3.0),
            (-0.0, 3.0),
            (6.0, 3.0),
        ] {
            assert_eq!(remainder(a, b).to_bits(), (a % b).to_bits(), "{a} % {b}");
        }
        assert!(remainder(1.0, 0.0).is_nan());
    }
}
