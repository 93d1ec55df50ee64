//! Reading JSON that a server wrote: nothing in it can panic, and a field of an unexpected type reads as absent instead
//! of spoiling the event around it. The readers are for serde's `deserialize_with`, together with `default`:
//!
//! ```
//! # use serde::Deserialize;
//! #[derive(Default, Deserialize)]
//! #[serde(default)]
//! struct Delta {
//!     #[serde(deserialize_with = "benchhost_sdk::json::text")]
//!     content: String,
//! }
//! let delta: Delta = benchhost_sdk::json::parse(r#"{"content": null, "new": 1}"#).unwrap();
//! assert_eq!(delta.content, "");
//! ```

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Why a text is not the JSON that was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What and where, for people.
    pub message: String,
    /// The text ends before the document does: it may have been cut.
    pub incomplete: bool,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

/// Parses a document. White space around it is allowed; a lone surrogate escape (`\ud83d` without its partner, seen from
/// servers that cut text between tokens) becomes U+FFFD.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).or_else(|error| {
        let fault = || Fault { message: error.to_string(), incomplete: error.is_eof() };
        match without_lone_surrogates(text) {
            Some(repaired) => serde_json::from_str(&repaired).map_err(|_| fault()),
            None => Err(fault()),
        }
    })
}

/// The text with every lone surrogate escape replaced by `\ufffd`; `None` when it has none.
fn without_lone_surrogates(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let unit = |at: usize| -> Option<u32> {
        let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            at += 1;
            continue;
        }
        match unit(at) {
            Some(0xD800..=0xDBFF) if matches!(unit(at + 6), Some(0xDC00..=0xDFFF)) => at += 12,
            Some(0xD800..=0xDFFF) => {
                out.push_str(&text[copied..at]);
                out.push_str("\\ufffd");
                at += 6;
                copied = at;
            }
            // Any other escape is a backslash and at least one more byte.
            _ => at += 2,
        }
    }
    if copied == 0 {
        return None;
    }
    out.push_str(&text[copied..]);
    Some(out)
}

/// A text; null and every other type read as empty.
pub fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    from.deserialize_any(Loose::<String>::new())
}

/// A count; a float is cut, a text of digits is read, whatever does not fit reads as `None`.
pub fn count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    from.deserialize_any(Loose::<Option<u32>>::new())
}

/// True for `true`; every other value is false.
pub fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    from.deserialize_any(Loose::<bool>::new())
}

/// An object; every other type reads as the default.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    from.deserialize_any(Loose::<Object<T>>::new()).map(|o| o.0)
}

/// An object, if it is one.
pub fn maybe_object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    from.deserialize_any(Loose::<Maybe<T>>::new()).map(|o| o.0)
}

/// A list of objects; elements of another type read as the default, and anything but a list as empty.
pub fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    let list = from.deserialize_any(Loose::<List<Object<T>>>::new())?;
    Ok(list.0.into_iter().map(|o| o.0).collect())
}

/// A list of token ids; what is not an id is left out.
pub fn ids<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u32>, D::Error> {
    let list = from.deserialize_any(Loose::<List<Id>>::new())?;
    Ok(list.0.into_iter().filter_map(|id| id.0).collect())
}

/// How a type is made from each kind of JSON value; what it does not name reads as the default.
trait FromAny<'de>: Default {
    fn from_text(_: &str) -> Self {
        Self::default()
    }
    fn from_number(_: f64) -> Self {
        Self::default()
    }
    fn from_bool(_: bool) -> Self {
        Self::default()
    }
    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

struct Loose<T>(PhantomData<T>);

impl<T> Loose<T> {
    const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, T: FromAny<'de>> Visitor<'de> for Loose<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_str<E>(self, v: &str) -> Result<T, E> {
        Ok(T::from_text(v))
    }
    fn visit_u64<E>(self, v: u64) -> Result<T, E> {
        Ok(T::from_number(v as f64))
    }
    fn visit_i64<E>(self, v: i64) -> Result<T, E> {
        Ok(T::from_number(v as f64))
    }
    fn visit_f64<E>(self, v: f64) -> Result<T, E> {
        Ok(T::from_number(v))
    }
    fn visit_bool<E>(self, v: bool) -> Result<T, E> {
        Ok(T::from_bool(v))
    }
    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::from_list(list)
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::from_map(map)
    }
}

impl FromAny<'_> for String {
    fn from_text(text: &str) -> Self {
        text.to_owned()
    }
}

impl FromAny<'_> for bool {
    fn from_bool(value: bool) -> Self {
        value
    }
}

/// Every `u32` is exact in an `f64`, so one path serves whole numbers and floats.
fn whole(number: f64) -> Option<u32> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
    (0.0..=f64::from(u32::MAX)).contains(&number).then_some(number as u32)
}

impl FromAny<'_> for Option<u32> {
    fn from_text(text: &str) -> Self {
        text.trim().parse().ok()
    }
    fn from_number(number: f64) -> Self {
        whole(number)
    }
}

#[derive(Default)]
struct Id(Option<u32>);

impl FromAny<'_> for Id {
    fn from_number(number: f64) -> Self {
        Self(whole(number))
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Loose::<Self>::new())
    }
}

#[derive(Default)]
struct Object<T>(T);

impl<'de, T: Deserialize<'de> + Default> FromAny<'de> for Object<T> {
    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Self)
    }
}

struct Maybe<T>(Option<T>);

impl<T> Default for Maybe<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> FromAny<'de> for Maybe<T> {
    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|value| Self(Some(value)))
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Loose::<Self>::new())
    }
}

struct List<T>(Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> FromAny<'de> for List<T> {
    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let Some(first) = list.next_element()? else { return Ok(Self::default()) };
        // Room for one, which is what nearly every list has; then it grows with what is really there, because a size
        // hint from outside is not believed.
        let mut out = vec![first];
        while let Some(element) = list.next_element()? {
            out.push(element);
        }
        Ok(Self(out))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Inner {
        #[serde(deserialize_with = "count")]
        n: Option<u32>,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Outer {
        #[serde(deserialize_with = "text")]
        s: String,
        #[serde(deserialize_with = "count")]
        n: Option<u32>,
        #[serde(deserialize_with = "flag")]
        b: bool,
        #[serde(deserialize_with = "object")]
        o: Inner,
        #[serde(deserialize_with = "maybe_object")]
        m: Option<Inner>,
        #[serde(deserialize_with = "objects")]
        l: Vec<Inner>,
        #[serde(deserialize_with = "ids")]
        t: Vec<u32>,
    }

    fn read(json: &str) -> Outer {
        parse(json).unwrap()
    }

    #[test]
    fn expected_types_are_read() {
        let got =
            read(r#"{"s":"x","n":7,"b":true,"o":{"n":1},"m":{},"l":[{"n":2},{}],"t":[1,2],"new":[{}]}"#);
        let inner = |n| Inner { n };
        let (o, m, l) = (inner(Some(1)), Some(inner(None)), vec![inner(Some(2)), inner(None)]);
        assert_eq!(got, Outer { s: "x".into(), n: Some(7), b: true, o, m, l, t: vec![1, 2] });
    }

    #[test]
    fn every_other_type_reads_as_absent() {
        for value in
            ["null", "{}", "[]", "[1,\"a\",{}]", "{\"q\":[1]}", "-5", "1e300", "true", "\"w\"", "0.5"]
        {
            let json = format!(
                r#"{{"s":{value},"n":{value},"b":{value},"o":{value},"m":{value},"l":{value},"t":{value}}}"#
            );
            let got = parse::<Outer>(&json);
            assert!(got.is_ok(), "{json}: {got:?}");
            assert_eq!(got.unwrap().m.is_some(), value.starts_with('{'), "{json}");
        }
        assert_eq!(read(r#"{"n":"12"}"#).n, Some(12));
        assert_eq!(read(r#"{"n":3.0}"#).n, Some(3));
        assert_eq!(read(r#"{"n":4294967296}"#).n, None);
        assert_eq!(read(r#"{"t":[1,null,"x",-1,2]}"#).t, [1, 2]);
    }

    #[test]
    fn surrogate_pairs_are_one_character_and_a_lone_one_is_replaced() {
        assert_eq!(read(r#"{"s":"\ud83d\ude00"}"#).s, "😀");
        assert_eq!(read(r#"{"s":"a\ud83d"}"#).s, "a\u{fffd}");
        assert_eq!(read(r#"{"s":"\ude00b\\ud83d"}"#).s, "\u{fffd}b\\ud83d");
        assert_eq!(read(r#"{"s":"\ud83dé\ud83d\ude00"}"#).s, "\u{fffd}é😀");
        assert_eq!(parse::<String>(r#""\ud83d\ud83d""#).unwrap(), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn a_cut_document_is_told_from_a_wrong_one() {
        assert!(parse::<Outer>(r#"{"s":"ab"#).unwrap_err().incomplete);
        assert!(parse::<Outer>(r#"{"s":"ab\ud8"#).unwrap_err().incomplete);
        assert!(!parse::<Outer>("{'s'}").unwrap_err().incomplete);
        assert!(!parse::<Outer>("{} {}").unwrap_err().incomplete);
    }

    #[test]
    fn every_prefix_of_a_document_is_a_fault_and_never_a_panic() {
        let json = r#"{"s":"é\ud83d\ude00\ud83d","n":1,"l":[{"n":2}],"t":[1]}"#;
        for end in (0..json.len()).filter(|end| json.is_char_boundary(*end)) {
            assert!(parse::<Outer>(&json[..end]).is_err());
        }
        let deep = "[".repeat(100_000);
        assert!(parse::<Outer>(&format!("{{\"s\":{deep}")).is_err());
    }
}
