//! JSON that means one thing: an object in which a member stands twice is refused, at every depth (RFC 7515 section 4,
//! RFC 8725 section 2.4), because two readers could believe two different values.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The text is no JSON, or an object has a member twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the text is no JSON, or a member stands twice")]
pub struct JsonError;

/// Reads JSON strictly.
///
/// # Errors
/// [`JsonError`].
pub fn strict_json(text: &[u8]) -> Result<Value, JsonError> {
    serde_json::from_slice::<Strict>(text).map(|Strict(value)| value).map_err(|_| JsonError)
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without repeated members")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("no number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(value)) = seq.next_element()? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((name, Strict(value))) = entries.next_entry::<String, Strict>()? {
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom("a member stands twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::{JsonError, strict_json};

    /// OAUTH-068, GW-040
    #[test]
    fn a_member_stands_once() {
        let good = br#"{"a":[1,-2,1.5,true,null,"x",{"a":{}}],"b":18446744073709551615}"#;
        assert_eq!(strict_json(good), Ok(serde_json::from_slice(good).unwrap()));
        let deep = "[".repeat(100_000);
        for bad in
            [r#"{"a":1,"a":1}"#, r#"{"x":[{"a":1,"b":2,"a":3}]}"#, r#"{"a":1,"\u0061":2}"#, "{}x", "1e999", &deep]
        {
            assert_eq!(strict_json(bad.as_bytes()), Err(JsonError), "{}", &bad[..bad.len().min(30)]);
        }
    }
}
