//! Values made of Rust's own types, and back; and what is said where that fails.

use super::*;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u32,
    items: Vec<Item>,
    note: Option<String>,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Item {
    name: String,
    price: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Plain,
    Wrapped(u8),
    Pair(i8, i8),
    Named { of: String },
}

fn order() -> Order {
    Order {
        id: 7,
        items: vec![
            Item { name: "tea".to_owned(), price: 2.5 },
            Item { name: "milk".to_owned(), price: 1.0 },
        ],
        note: None,
        kind: Kind::Named { of: "gift".to_owned() },
    }
}

/// What goes in comes back, and is the same as through JSON.
fn check_round_trip<T>(value: T)
where
    T: Serialize + DeserializeOwned + PartialEq + fmt::Debug,
{
    let made = to_value(&value).unwrap();
    assert_eq!(from_value::<T>(&made).unwrap(), value, "{made}");
    let json = serde_json::to_string(&value).unwrap();
    assert_eq!(serde_json::to_string(&made).unwrap(), json, "as serde_json has it");
    let through_json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(from_value::<T>(&through_json).unwrap(), value, "{json}");
}

#[test]
fn what_goes_in_comes_back() {
    check_round_trip(order());
    check_round_trip(());
    check_round_trip((1_u8, "two".to_owned(), [3.5, 4.0]));
    check_round_trip(vec![Kind::Plain, Kind::Wrapped(3), Kind::Pair(-1, 1)]);
    check_round_trip(BTreeMap::from([(1_u32, true), (20, false)]));
    check_round_trip(BTreeMap::from([("a".to_owned(), Some(i64::MIN)), ("b".to_owned(), None)]));
    check_round_trip('x');
    check_round_trip(i64::MAX);
}

#[test]
fn numbers_that_json_has_not_are_kept() {
    let made = to_value(&f64::INFINITY).unwrap();
    assert_eq!(from_value::<f64>(&made).unwrap(), f64::INFINITY);
    assert!(from_value::<f64>(&to_value(&f64::NAN).unwrap()).unwrap().is_nan());
    assert_eq!(from_value::<f64>(&Value::Int(3)).unwrap(), 3.0, "a whole number serves as any");
}

#[test]
fn a_list_serves_for_a_struct_and_bytes_for_numbers() {
    let item: Item = from_value(&Value::from_iter([Value::from("tea"), Value::from(2.5)])).unwrap();
    assert_eq!(item.name, "tea");
    assert_eq!(from_value::<Vec<u8>>(&Value::Bytes(vec![1, 2])).unwrap(), [1, 2]);
}

/// What is wrong with `arguments` for a function that takes a `T`.
#[track_caller]
fn check_error<T: DeserializeOwned + fmt::Debug>(arguments: Value, expected: &str) {
    assert_eq!(from_arguments::<T>(&arguments).unwrap_err().to_string(), expected);
}

#[test]
fn errors_say_where_and_what() {
    let mut value = to_value(&order()).unwrap();
    if let Value::Map(fields) = &mut value
        && let Some(Value::List(items)) = fields.get_mut("items")
    {
        items[1] = Value::from_iter([("name", Value::from(5)), ("price", Value::from(1.0))]);
    }
    check_error::<Order>(value, "at .items[1].name: a string is wanted, not the number 5");
    check_error::<Item>(Value::from_iter([("name", Value::from("tea"))]), "\"price\" is missing");
    check_error::<(u8, u8)>(Value::from_iter([Value::from(1)]), "a tuple of size 2 is wanted, not 1 values");
    let three = Value::from_iter([1, 2, 3].map(Value::from));
    check_error::<(u8, u8)>(three, "2 values are wanted, not 3");
    check_error::<String>(Value::from_iter([Value::from(1)]), "at [0]: a string is wanted, not the number 1");
    check_error::<[u8; 2]>(Value::Bytes(vec![1, 2, 3]), "2 values are wanted, not 3");
    check_error::<u8>(Value::from(300), "a u8 is wanted, not the number 300");
    check_error::<Kind>(Value::from("Torn"), "one of Plain, Wrapped, Pair, Named is wanted, not \"Torn\"");
    check_error::<Kind>(Value::from("Wrapped"), "at .Wrapped: the variant \"Wrapped\" needs a content");
    check_error::<bool>(
        Value::from("x".repeat(100)),
        &format!("a boolean is wanted, not the text \"{}\"…", "x".repeat(40)),
    );
}

#[test]
fn arguments_may_come_alone_or_not_at_all() {
    let one = Value::from_iter([Value::from("README.md")]);
    assert_eq!(from_arguments::<String>(&one).unwrap(), "README.md");
    assert_eq!(from_arguments::<(String,)>(&one).unwrap().0, "README.md");
    assert_eq!(from_arguments::<Vec<String>>(&one).unwrap(), ["README.md"]);
    assert_eq!(from_arguments::<Option<u8>>(&Value::no_arguments()).unwrap(), None);
    from_arguments::<()>(&Value::no_arguments()).unwrap();
}

#[test]
fn what_is_too_deep_or_too_large_is_refused() {
    let limits = ValueLimits { depth: 2, size: 1000 };
    assert!(to_value_within(&[[1]], &limits).is_ok());
    let error = to_value_within(&[[[1]]], &limits).unwrap_err().to_string();
    assert!(error.starts_with("at [0][0]: it's too deep: at most 2"), "{error}");
    let error = to_value_within(&"x".repeat(1001), &limits).unwrap_err().to_string();
    assert_eq!(error, "it's too large: it may take at most 1000 bytes in all");
    assert!(to_value_within(&vec![(); 100], &limits).is_err(), "many small ones are large as well");
    let error = to_value(&u64::MAX).unwrap_err().to_string();
    assert!(error.starts_with("the number 18446744073709551615 is too large"), "{error}");
    let error = to_value(&BTreeMap::from([((1, 2), 3)])).unwrap_err().to_string();
    assert!(error.starts_with("a map's key must be a text"), "{error}");
}

#[test]
fn a_value_that_was_built_too_deep_is_refused_and_dropped() {
    // An interpreter of Rust is slow, and has a stack that is as small.
    let depth = if cfg!(miri) { 1_000 } else { 1_000_000 };
    let deep = (0..depth).fold(Value::Null, |inner, _| Value::List(vec![inner]));
    assert!(ValueLimits::default().check(&deep).is_err());
    deep.discard();
}
