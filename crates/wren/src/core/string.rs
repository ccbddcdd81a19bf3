//! `String`: bytes, mostly of UTF-8. Indices are of bytes; what stands at one is the code point that begins there.

use super::{check, meta, primitives};
use crate::{
    heap::Gc,
    machine::{Machine, Signal},
    object::{Range, Text},
    word::Word,
};
use memchr::memmem;

pub(super) fn bind(machine: &mut Machine) {
    let class = machine.classes.string;
    primitives(machine, meta(class), &[("fromCodePoint(_)", from_code_point), ("fromByte(_)", from_byte)]);
    primitives(machine, class, ACCESS);
    primitives(machine, class, MAKING);
}

type Methods = &'static [(&'static str, crate::object::Primitive)];

const ACCESS: Methods = &[
    ("[_]", subscript),
    ("byteAt_(_)", |machine, args| {
        let text = receiver(machine, args)?;
        let index = check::index(machine, args[1], text.len(), "Index")?;
        Ok(Word::number(f64::from(text.bytes()[index])))
    }),
    ("byteCount_", |machine, args| Ok(Word::number(receiver(machine, args)?.len() as f64))),
    ("codePointAt_(_)", |machine, args| {
        let text = receiver(machine, args)?;
        let index = check::index(machine, args[1], text.len(), "Index")?;
        Ok(Word::number(decode(&text.bytes()[index..]).map_or(-1.0, |(point, _)| f64::from(point))))
    }),
    ("contains(_)", |machine, args| {
        let (text, part) = (receiver(machine, args)?, check::text(machine, args[1], "Argument")?);
        Ok(Word::boolean(memmem::find(text.bytes(), part.bytes()).is_some()))
    }),
    ("count", |machine, args| {
        let text = receiver(machine, args)?;
        let rest = text.bytes().iter().skip(1).filter(|byte| !goes_on(**byte)).count();
        Ok(Word::number((rest + usize::from(text.len() > 0)) as f64))
    }),
    ("endsWith(_)", |machine, args| {
        let (text, part) = (receiver(machine, args)?, check::text(machine, args[1], "Argument")?);
        Ok(Word::boolean(text.bytes().ends_with(part.bytes())))
    }),
    ("startsWith(_)", |machine, args| {
        let (text, part) = (receiver(machine, args)?, check::text(machine, args[1], "Argument")?);
        Ok(Word::boolean(text.bytes().starts_with(part.bytes())))
    }),
    ("indexOf(_)", |machine, args| {
        let (text, part) = (receiver(machine, args)?, check::text(machine, args[1], "Argument")?);
        Ok(place(memmem::find(text.bytes(), part.bytes()), 0))
    }),
    ("indexOf(_,_)", |machine, args| {
        let (text, part) = (receiver(machine, args)?, check::text(machine, args[1], "Argument")?);
        let start = check::index(machine, args[2], text.len(), "Start")?;
        Ok(place(memmem::find(&text.bytes()[start..], part.bytes()), start))
    }),
    ("iterate(_)", |machine, args| iterate(machine, args, |byte| !goes_on(byte))),
    ("iterateByte_(_)", |machine, args| iterate(machine, args, |_| true)),
    ("iteratorValue(_)", |machine, args| {
        let text = receiver(machine, args)?;
        let index = check::index(machine, args[1], text.len(), "Iterator")?;
        Ok(machine.new_text(at(text.bytes(), index)))
    }),
    ("==(_)", |machine, args| {
        let text = receiver(machine, args)?;
        Ok(Word::boolean(args[1].get::<Text>().is_some_and(|other| text.equals(&other))))
    }),
    ("!=(_)", |machine, args| {
        let text = receiver(machine, args)?;
        Ok(Word::boolean(!args[1].get::<Text>().is_some_and(|other| text.equals(&other))))
    }),
    ("toString", |_, args| Ok(args[0])),
];

const MAKING: Methods = &[
    ("+(_)", |machine, args| {
        let (left, right) = (receiver(machine, args)?, check::text(machine, args[1], "Right operand")?);
        let size = left.len() + right.len();
        machine.reserve(size)?;
        let mut joined = Vec::with_capacity(size);
        joined.extend_from_slice(left.bytes());
        joined.extend_from_slice(right.bytes());
        Ok(machine.new_text(joined))
    }),
    ("*(_)", |machine, args| {
        let text = receiver(machine, args)?;
        let count =
            args[1].as_number().filter(|count| count.is_finite() && count.trunc() == *count && *count >= 0.0);
        let Some(count) = count else {
            return machine.fail("Count must be a non-negative integer.");
        };
        if text.len() == 0 {
            return Ok(args[0]);
        }
        let size = text.len() as f64 * count;
        machine.reserve(if size < usize::MAX as f64 { size as usize } else { usize::MAX })?;
        Ok(machine.new_text(text.bytes().repeat(count as usize)))
    }),
    ("split(_)", split),
    ("replace(_,_)", replace),
    ("trim()", |machine, args| trim(machine, args, None, Side::Both)),
    ("trimStart()", |machine, args| trim(machine, args, None, Side::Start)),
    ("trimEnd()", |machine, args| trim(machine, args, None, Side::End)),
    ("trim(_)", |machine, args| trim(machine, args, Some(args[1]), Side::Both)),
    ("trimStart(_)", |machine, args| trim(machine, args, Some(args[1]), Side::Start)),
    ("trimEnd(_)", |machine, args| trim(machine, args, Some(args[1]), Side::End)),
];

fn receiver(machine: &mut Machine, args: &[Word]) -> Result<Gc<Text>, Signal> {
    match args[0].get() {
        Some(text) => Ok(text),
        None => machine.fail("Receiver must be a string."),
    }
}

fn place(found: Option<usize>, from: usize) -> Word {
    Word::number(found.map_or(-1.0, |index| (index + from) as f64))
}

// UTF-8.

/// Whether a byte goes on with a code point that another began.
fn goes_on(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// The code point that begins a slice, and its length.
fn decode(bytes: &[u8]) -> Option<(u32, usize)> {
    let first = *bytes.first()?;
    let (length, bits) = match first {
        0..=0x7f => return Some((u32::from(first), 1)),
        0xc0..=0xdf => (2, first & 0x1f),
        0xe0..=0xef => (3, first & 0x0f),
        0xf0..=0xf7 => (4, first & 0x07),
        _ => return None,
    };
    let mut point = u32::from(bits);
    for index in 1..length {
        let byte = *bytes.get(index).filter(|byte| goes_on(**byte))?;
        point = point << 6 | u32::from(byte & 0x3f);
    }
    Some((point, length))
}

fn encode(point: u32) -> Vec<u8> {
    let tail = |shift: u32| 0x80 | (point >> shift & 0x3f) as u8;
    match point {
        0..=0x7f => vec![point as u8],
        0x80..=0x7ff => vec![0xc0 | (point >> 6) as u8, tail(0)],
        // Halves of pairs are no text, but a string may have any bytes.
        0x800..=0xffff => vec![0xe0 | (point >> 12) as u8, tail(6), tail(0)],
        _ => vec![0xf0 | (point >> 18) as u8, tail(12), tail(6), tail(0)],
    }
}

/// The bytes of the code point that begins at an index; the byte there, if none does.
fn at(bytes: &[u8], index: usize) -> &[u8] {
    let length = decode(&bytes[index..]).map_or(1, |(_, length)| length);
    &bytes[index..index + length]
}

fn from_code_point(machine: &mut Machine, args: &[Word]) -> Result<Word, Signal> {
    let point = check::integer(machine, args[1], "Code point")?;
    if point < 0.0 {
        return machine.fail("Code point cannot be negative.");
    }
    if point > f64::from(0x10_ffff) {
        return machine.fail("Code point cannot be greater than 0x10ffff.");
    }
    Ok(machine.new_text(encode(point as u32)))
}

fn from_byte(machine: &mut Machine, args: &[Word]) -> Result<Word, Signal> {
    let byte = check::integer(machine, args[1], "Byte")?;
    if byte < 0.0 {
        return machine.fail("Byte cannot be negative.");
    }
    if byte > 255.0 {
        return machine.fail("Byte cannot be greater than 0xff.");
    }
    Ok(machine.new_text(vec![byte as u8]))
}

fn iterate(machine: &mut Machine, args: &[Word], is_stop: fn(u8) -> bool) -> Result<Word, Signal> {
    let text = receiver(machine, args)?;
    if args[1].is_null() {
        return Ok(if text.len() == 0 { Word::FALSE } else { Word::number(0.0) });
    }
    let last = check::integer(machine, args[1], "Iterator")?;
    if last < 0.0 {
        return Ok(Word::FALSE);
    }
    let from = last as usize + 1;
    let rest = text.bytes().get(from..).unwrap_or_default();
    let next = rest.iter().position(|byte| is_stop(*byte));
    Ok(next.map_or(Word::FALSE, |offset| Word::number((from + offset) as f64)))
}

fn subscript(machine: &mut Machine, args: &[Word]) -> Result<Word, Signal> {
    let text = receiver(machine, args)?;
    if args[1].is_number() {
        let index = check::index(machine, args[1], text.len(), "Subscript")?;
        return Ok(machine.new_text(at(text.bytes(), index)));
    }
    let Some(range) = args[1].get::<Range>() else {
        return machine.fail("Subscript must be a number or a range.");
    };
    let part = check::part(machine, range, text.len())?;
    machine.reserve(part.count.saturating_add(4))?;
    let mut bytes = Vec::with_capacity(part.count);
    for index in part.indices() {
        if let Some((_, length)) = decode(&text.bytes()[index..]) {
            bytes.extend_from_slice(&text.bytes()[index..index + length]);
        }
    }
    Ok(machine.new_text(bytes))
}

// Parts.

fn split(machine: &mut Machine, args: &[Word]) -> Result<Word, Signal> {
    let text = receiver(machine, args)?;
    let Some(delimiter) = args[1].get::<Text>().filter(|delimiter| delimiter.len() > 0) else {
        return machine.fail("Delimiter must be a non-empty string.");
    };
    let finder = memmem::Finder::new(delimiter.bytes());
    let count = finder.find_iter(text.bytes()).count() + 1;
    machine.reserve(text.len().saturating_add(count.saturating_mul(64)))?;
    let mut parts = Vec::with_capacity(count);
    let mut from = 0;
    for found in finder.find_iter(text.bytes()) {
        parts.push(machine.new_text(&text.bytes()[from..found]));
        from = found + delimiter.len();
    }
    parts.push(machine.new_text(&text.bytes()[from..]));
    Ok(machine.new_list(parts))
}

fn replace(machine: &mut Machine, args: &[Word]) -> Result<Word, Signal> {
    let text = receiver(machine, args)?;
    let Some(from) = args[1].get::<Text>().filter(|from| from.len() > 0) else {
        return machine.fail("From must be a non-empty string.");
    };
    let to = check::text(machine, args[2], "To")?;
    let finder = memmem::Finder::new(from.bytes());
    let count = finder.find_iter(text.bytes()).count();
    machine.reserve(text.len().saturating_add(count.saturating_mul(to.len())))?;
    let mut result = Vec::with_capacity(text.len());
    let mut start = 0;
    for found in finder.find_iter(text.bytes()) {
        result.extend_from_slice(&text.bytes()[start..found]);
        result.extend_from_slice(to.bytes());
        start = found + from.len();
    }
    result.extend_from_slice(&text.bytes()[start..]);
    Ok(machine.new_text(result))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Start,
    End,
    Both,
}

/// Without the characters at its ends: white space, unless others are named.
fn trim(machine: &mut Machine, args: &[Word], named: Option<Word>, side: Side) -> Result<Word, Signal> {
    let text = receiver(machine, args)?;
    let named = match named {
        Some(named) => Some(check::text(machine, named, "Characters")?),
        None => None,
    };
    let characters = named.as_ref().map_or(b"\t\r\n ".as_slice(), |named| named.bytes());
    // Both are compared by code points.
    let mut wanted = Vec::new();
    let mut index = 0;
    while index < characters.len() {
        let one = at(characters, index);
        wanted.push(one);
        index += one.len();
    }
    let mut bytes = text.bytes();
    if side != Side::End {
        while !bytes.is_empty() && wanted.contains(&at(bytes, 0)) {
            bytes = &bytes[at(bytes, 0).len()..];
        }
    }
    if side != Side::Start {
        while !bytes.is_empty() {
            let start = bytes.iter().rposition(|byte| !goes_on(*byte)).unwrap_or(0);
            let last = at(bytes, start);
            if start + last.len() != bytes.len() || !wanted.contains(&last) {
                break;
            }
            bytes = &bytes[..start];
        }
    }
    machine.reserve(bytes.len())?;
    Ok(machine.new_text(bytes))
}
