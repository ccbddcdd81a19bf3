//! From serde's data model to a [`Value`].

use super::{Value, ValueError, ValueLimits, foreign};
use indexmap::IndexMap;
use serde::{
    Serialize,
    ser::{
        self, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};
use std::cell::Cell;

/// Makes one value, so deep within others.
#[derive(Clone, Copy)]
pub(super) struct Serializer<'a> {
    limits: ValueLimits,
    depth: usize,
    /// Of all that was made so far.
    size: &'a Cell<usize>,
}

impl<'a> Serializer<'a> {
    /// One that counts in `size`, from what is there.
    pub(super) fn new(limits: &ValueLimits, size: &'a Cell<usize>) -> Self {
        Self { limits: *limits, depth: 0, size }
    }

    fn count(&self, content: usize) -> Result<(), ValueError> {
        let mut size = self.size.get();
        let counted = self.limits.count(&mut size, content);
        self.size.set(size);
        counted
    }

    fn plain(&self, value: Value, content: usize) -> Result<Value, ValueError> {
        self.count(content)?;
        Ok(value)
    }

    fn whole<N: TryInto<i64> + std::fmt::Display + Copy>(&self, number: N) -> Result<Value, ValueError> {
        match number.try_into() {
            Ok(fits) => self.plain(Value::Int(fits), 0),
            Err(_) => Err(ValueError::new(format!(
                "the number {number} is too large: whole numbers go from {} to {}",
                i64::MIN,
                i64::MAX
            ))),
        }
    }

    /// What makes the parts of a list or a map.
    fn inner(&self) -> Result<Self, ValueError> {
        self.count(0)?;
        if self.depth >= self.limits.depth {
            return Err(self.limits.too_deep());
        }
        Ok(Self { depth: self.depth + 1, ..*self })
    }

    fn list(&self, length: Option<usize>) -> Result<List<'a>, ValueError> {
        const AHEAD: usize = 1024;
        let values = Vec::with_capacity(length.unwrap_or(0).min(AHEAD));
        Ok(List { parts: self.inner()?, values, variant: None })
    }

    fn map(&self) -> Result<Map<'a>, ValueError> {
        Ok(Map { parts: self.inner()?, values: IndexMap::new(), key: None, variant: None })
    }
}

/// A list that is being made; as the content of this variant of an enum, if it's one.
pub(super) struct List<'a> {
    parts: Serializer<'a>,
    values: Vec<Value>,
    variant: Option<&'static str>,
}

/// A map that is being made.
pub(super) struct Map<'a> {
    parts: Serializer<'a>,
    values: IndexMap<String, Value>,
    key: Option<String>,
    variant: Option<&'static str>,
}

fn tagged(variant: Option<&'static str>, value: Value) -> Value {
    match variant {
        Some(variant) => Value::from_iter([(variant, value)]),
        None => value,
    }
}

impl List<'_> {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        let value = value.serialize(self.parts).map_err(|error| error.inside(self.values.len()))?;
        self.values.push(value);
        Ok(())
    }

    fn finish(self) -> Result<Value, ValueError> {
        Ok(tagged(self.variant, Value::List(self.values)))
    }
}

impl Map<'_> {
    fn put<T: Serialize + ?Sized>(&mut self, key: String, value: &T) -> Result<(), ValueError> {
        self.parts.count(key.len())?;
        let value = value.serialize(self.parts).map_err(|mut error| {
            error.path = format!(".{key}{}", error.path);
            error
        })?;
        self.values.insert(key, value);
        Ok(())
    }

    fn finish(self) -> Result<Value, ValueError> {
        Ok(tagged(self.variant, Value::Map(self.values)))
    }
}

macro_rules! plain {
    ($($method:ident($type:ty) => $way:ident;)*) => {$(
        fn $method(self, value: $type) -> Result<Value, ValueError> {
            self.$way(value)
        }
    )*};
}

impl<'a> ser::Serializer for Serializer<'a> {
    type Ok = Value;
    type Error = ValueError;
    type SerializeSeq = List<'a>;
    type SerializeTuple = List<'a>;
    type SerializeTupleStruct = List<'a>;
    type SerializeTupleVariant = List<'a>;
    type SerializeMap = Map<'a>;
    type SerializeStruct = Map<'a>;
    type SerializeStructVariant = Map<'a>;

    plain! {
        serialize_i8(i8) => whole;
        serialize_i16(i16) => whole;
        serialize_i32(i32) => whole;
        serialize_i64(i64) => whole;
        serialize_i128(i128) => whole;
        serialize_u8(u8) => whole;
        serialize_u16(u16) => whole;
        serialize_u32(u32) => whole;
        serialize_u64(u64) => whole;
        serialize_u128(u128) => whole;
    }

    fn serialize_bool(self, value: bool) -> Result<Value, ValueError> {
        self.plain(Value::Bool(value), 0)
    }

    fn serialize_f32(self, value: f32) -> Result<Value, ValueError> {
        self.plain(Value::Float(value.into()), 0)
    }

    fn serialize_f64(self, value: f64) -> Result<Value, ValueError> {
        self.plain(Value::Float(value), 0)
    }

    fn serialize_char(self, value: char) -> Result<Value, ValueError> {
        self.plain(Value::String(value.into()), value.len_utf8())
    }

    fn serialize_str(self, value: &str) -> Result<Value, ValueError> {
        self.count(value.len())?;
        Ok(Value::String(value.to_owned()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Value, ValueError> {
        self.count(value.len())?;
        Ok(Value::Bytes(value.to_owned()))
    }

    fn serialize_none(self) -> Result<Value, ValueError> {
        self.plain(Value::Null, 0)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, ValueError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, ValueError> {
        self.plain(Value::Null, 0)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Value, ValueError> {
        self.plain(Value::Null, 0)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Value, ValueError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Value, ValueError> {
        match (name, foreign::take()) {
            (foreign::TOKEN, Some(object)) => self.plain(Value::Foreign(object), 0),
            _ => value.serialize(self),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, ValueError> {
        let value = value.serialize(self.inner()?)?;
        Ok(tagged(Some(variant), value))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<List<'a>, ValueError> {
        self.list(length)
    }

    fn serialize_tuple(self, length: usize) -> Result<List<'a>, ValueError> {
        self.list(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<List<'a>, ValueError> {
        self.list(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<List<'a>, ValueError> {
        Ok(List { variant: Some(variant), ..self.inner()?.list(Some(length))? })
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Map<'a>, ValueError> {
        self.map()
    }

    fn serialize_struct(self, _: &'static str, _length: usize) -> Result<Map<'a>, ValueError> {
        self.map()
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Map<'a>, ValueError> {
        Ok(Map { variant: Some(variant), ..self.inner()?.map()? })
    }
}

macro_rules! list {
    ($($trait:ident::$method:ident;)*) => {$(
        impl $trait for List<'_> {
            type Ok = Value;
            type Error = ValueError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
                self.push(value)
            }

            fn end(self) -> Result<Value, ValueError> {
                self.finish()
            }
        }
    )*};
}

list! {
    SerializeSeq::serialize_element;
    SerializeTuple::serialize_element;
    SerializeTupleStruct::serialize_field;
    SerializeTupleVariant::serialize_field;
}

impl SerializeMap for Map<'_> {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ValueError> {
        let size = Cell::new(0);
        let made = key.serialize(Serializer::new(&ValueLimits { depth: 0, ..self.parts.limits }, &size));
        self.key = Some(match made {
            Ok(Value::String(text)) => text,
            Ok(key @ (Value::Int(_) | Value::Bool(_))) => key.to_string(),
            Ok(other) => {
                return Err(ValueError::new(format!("a map's key must be a text, not {}", other.describe())));
            }
            Err(_) => {
                return Err(ValueError::new("a map's key must be a text, not something made of others"));
            }
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        let Some(key) = self.key.take() else {
            return Err(ValueError::new("a value came before its key"));
        };
        self.put(key, value)
    }

    fn end(self) -> Result<Value, ValueError> {
        self.finish()
    }
}

macro_rules! map {
    ($($trait:ident)*) => {$(
        impl $trait for Map<'_> {
            type Ok = Value;
            type Error = ValueError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), ValueError> {
                self.put(key.to_owned(), value)
            }

            fn end(self) -> Result<Value, ValueError> {
                self.finish()
            }
        }
    )*};
}

map! { SerializeStruct SerializeStructVariant }

impl Serialize for Value {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::String(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Self::List(values) => serializer.collect_seq(values),
            Self::Map(values) => serializer.collect_map(values),
            Self::Foreign(object) => object.serialize(serializer),
        }
    }
}
