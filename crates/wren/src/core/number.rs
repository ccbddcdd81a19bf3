//! `Num`.

use super::{check, meta, primitives};
use crate::{
    machine::{Machine, Signal, shift_left, shift_right, to_u32},
    object::Range,
    word::Word,
};

pub(super) fn bind(machine: &mut Machine) {
    let class = machine.classes.number;
    primitives(machine, meta(class), STATIC);
    primitives(machine, class, OPERATORS);
    primitives(machine, class, FUNCTIONS);
}

type Methods = &'static [(&'static str, crate::object::Primitive)];

const STATIC: Methods = &[
    ("fromString(_)", |machine, args| {
        let text = check::text(machine, args[1], "Argument")?;
        match parse(&text.lossy()) {
            Parsed::Number(number) => Ok(Word::number(number)),
            Parsed::Not => Ok(Word::NULL),
            Parsed::TooLarge => machine.fail("Number literal is too large."),
        }
    }),
    ("infinity", |_, _| Ok(Word::number(f64::INFINITY))),
    ("nan", |_, _| Ok(Word::number(f64::NAN))),
    ("pi", |_, _| Ok(Word::number(std::f64::consts::PI))),
    ("tau", |_, _| Ok(Word::number(std::f64::consts::TAU))),
    ("largest", |_, _| Ok(Word::number(f64::MAX))),
    ("smallest", |_, _| Ok(Word::number(f64::MIN_POSITIVE))),
    ("maxSafeInteger", |_, _| Ok(Word::number(9_007_199_254_740_991.0))),
    ("minSafeInteger", |_, _| Ok(Word::number(-9_007_199_254_740_991.0))),
];

const OPERATORS: Methods = &[
    ("+(_)", |machine, args| binary(machine, args, |a, b| a + b)),
    ("-(_)", |machine, args| binary(machine, args, |a, b| a - b)),
    ("*(_)", |machine, args| binary(machine, args, |a, b| a * b)),
    ("/(_)", |machine, args| binary(machine, args, |a, b| a / b)),
    ("%(_)", |machine, args| binary(machine, args, |a, b| a % b)),
    ("<(_)", |machine, args| compare(machine, args, |a, b| a < b)),
    (">(_)", |machine, args| compare(machine, args, |a, b| a > b)),
    ("<=(_)", |machine, args| compare(machine, args, |a, b| a <= b)),
    (">=(_)", |machine, args| compare(machine, args, |a, b| a >= b)),
    ("&(_)", |machine, args| bitwise(machine, args, |a, b| a & b)),
    ("|(_)", |machine, args| bitwise(machine, args, |a, b| a | b)),
    ("^(_)", |machine, args| bitwise(machine, args, |a, b| a ^ b)),
    ("<<(_)", |machine, args| bitwise(machine, args, shift_left)),
    (">>(_)", |machine, args| bitwise(machine, args, shift_right)),
    // What is no number is equal to none.
    ("==(_)", |_, args| Ok(Word::boolean(args[1].as_number() == Some(own(args))))),
    ("!=(_)", |_, args| Ok(Word::boolean(args[1].as_number() != Some(own(args))))),
    ("-", |_, args| Ok(Word::computed(-own(args)))),
    ("~", |_, args| Ok(Word::computed(f64::from(!to_u32(own(args)))))),
    ("..(_)", |machine, args| range(machine, args, true)),
    ("...(_)", |machine, args| range(machine, args, false)),
];

const FUNCTIONS: Methods = &[
    ("abs", |_, args| Ok(Word::computed(own(args).abs()))),
    ("acos", |_, args| Ok(Word::computed(own(args).acos()))),
    ("asin", |_, args| Ok(Word::computed(own(args).asin()))),
    ("atan", |_, args| Ok(Word::computed(own(args).atan()))),
    ("cbrt", |_, args| Ok(Word::computed(own(args).cbrt()))),
    ("ceil", |_, args| Ok(Word::computed(own(args).ceil()))),
    ("cos", |_, args| Ok(Word::computed(own(args).cos()))),
    ("exp", |_, args| Ok(Word::computed(own(args).exp()))),
    ("floor", |_, args| Ok(Word::computed(own(args).floor()))),
    ("log", |_, args| Ok(Word::computed(own(args).ln()))),
    ("log2", |_, args| Ok(Word::computed(own(args).log2()))),
    ("round", |_, args| Ok(Word::computed(own(args).round()))),
    ("sin", |_, args| Ok(Word::computed(own(args).sin()))),
    ("sqrt", |_, args| Ok(Word::computed(own(args).sqrt()))),
    ("tan", |_, args| Ok(Word::computed(own(args).tan()))),
    ("truncate", |_, args| Ok(Word::computed(own(args).trunc()))),
    ("fraction", |_, args| Ok(Word::computed(own(args).fract()))),
    ("sign", |_, args| {
        let number = own(args);
        Ok(Word::number(if number > 0.0 {
            1.0
        } else if number < 0.0 {
            -1.0
        } else {
            0.0
        }))
    }),
    ("isInfinity", |_, args| Ok(Word::boolean(own(args).is_infinite()))),
    ("isInteger", |_, args| {
        let number = own(args);
        Ok(Word::boolean(number.is_finite() && number.trunc() == number))
    }),
    ("isNan", |_, args| Ok(Word::boolean(own(args).is_nan()))),
    ("toString", |machine, args| Ok(machine.text(&text(own(args))))),
    ("atan(_)", |machine, args| {
        let x = check::number(machine, args[1], "x value")?;
        Ok(Word::computed(own(args).atan2(x)))
    }),
    ("pow(_)", |machine, args| {
        let power = check::number(machine, args[1], "Power value")?;
        Ok(Word::computed(own(args).powf(power)))
    }),
    ("min(_)", |machine, args| {
        let other = check::number(machine, args[1], "Other value")?;
        Ok(Word::computed(if own(args) <= other { own(args) } else { other }))
    }),
    ("max(_)", |machine, args| {
        let other = check::number(machine, args[1], "Other value")?;
        Ok(Word::computed(if own(args) > other { own(args) } else { other }))
    }),
    ("clamp(_,_)", |machine, args| {
        let least = check::number(machine, args[1], "Min value")?;
        let most = check::number(machine, args[2], "Max value")?;
        let number = own(args);
        Ok(Word::computed(if number < least {
            least
        } else if number > most {
            most
        } else {
            number
        }))
    }),
];

/// The receiver, which is a number.
fn own(args: &[Word]) -> f64 {
    args[0].as_number().unwrap_or(f64::NAN)
}

fn right(machine: &mut Machine, args: &[Word]) -> Result<f64, Signal> {
    check::number(machine, args[1], "Right operand")
}

fn binary(machine: &mut Machine, args: &[Word], of: fn(f64, f64) -> f64) -> Result<Word, Signal> {
    let right = right(machine, args)?;
    Ok(Word::computed(of(own(args), right)))
}

fn compare(machine: &mut Machine, args: &[Word], is: fn(&f64, &f64) -> bool) -> Result<Word, Signal> {
    let right = right(machine, args)?;
    Ok(Word::boolean(is(&own(args), &right)))
}

fn bitwise(machine: &mut Machine, args: &[Word], of: fn(u32, u32) -> u32) -> Result<Word, Signal> {
    let right = right(machine, args)?;
    Ok(Word::computed(f64::from(of(to_u32(own(args)), to_u32(right)))))
}

fn range(machine: &mut Machine, args: &[Word], is_inclusive: bool) -> Result<Word, Signal> {
    let to = check::number(machine, args[1], "Right hand side of range")?;
    let class = machine.classes.range;
    Ok(Word::object(machine.heap.alloc(Range::new(class, own(args), to, is_inclusive))))
}

enum Parsed {
    Number(f64),
    Not,
    TooLarge,
}

fn parse(text: &str) -> Parsed {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, text),
    };
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        let is_hex = !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        return match u64::from_str_radix(hex, 16) {
            Ok(number) if is_hex => Parsed::Number(sign * number as f64),
            Err(_) if is_hex => Parsed::TooLarge,
            _ => Parsed::Not,
        };
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit()) => {
            Parsed::TooLarge
        }
        Ok(number) => Parsed::Number(number),
        Err(_) => Parsed::Not,
    }
}

/// A number as Wren shows it: with 14 digits at most, as C's `%.14g`.
pub(crate) fn text(number: f64) -> String {
    const DIGITS: i32 = 14;
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "infinity" } else { "-infinity" }.to_owned();
    }
    if number.trunc() == number && number.abs() < 1e14 {
        let sign = if number == 0.0 && number.is_sign_negative() { "-" } else { "" };
        return format!("{sign}{}", number as i64);
    }
    let scientific = format!("{number:.*e}", DIGITS as usize - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..DIGITS).contains(&exponent) {
        let fixed = format!("{number:.*}", (DIGITS - 1 - exponent) as usize);
        return without_zeros(&fixed).to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", without_zeros(mantissa), exponent.abs())
}

/// Without the zeros behind the last digit that says something.
fn without_zeros(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_with_fourteen_digits() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-12.5, "-12.5"),
            (0.1 + 0.2, "0.3"),
            (1e14, "1e+14"),
            (99_999_999_999_999.0, "99999999999999"),
            (123_456_789_012_345.0, "1.2345678901234e+14"),
            (1e100, "1e+100"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.0 / 3.0, "0.33333333333333"),
            (f64::MAX, "1.7976931348623e+308"),
            (f64::MIN_POSITIVE, "2.2250738585072e-308"),
            (f64::INFINITY, "infinity"),
            (f64::NEG_INFINITY, "-infinity"),
            (f64::NAN, "nan"),
            (99_999_999_999_999.9, "1e+14"),
        ];
        for (number, expected) in cases {
            assert_eq!(text(number), expected);
        }
    }
}
