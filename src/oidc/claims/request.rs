//! The `claims` parameter (OpenID Connect Core 1.0 section 5.5): single claims, asked for by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Bytes of the parameter at the most.
const MAX: usize = 8_192;
/// Claims asked for in one place at the most.
const MOST: usize = 64;

/// What is asked of one claim. Members that nobody defined are ignored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::oidc) struct Wanted {
    /// The application cannot do without.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    /// The one value it wants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The values it wants one of, the best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
}

impl Wanted {
    /// Whether a value is what was asked for; anything is where nothing in particular was.
    pub fn accepts(&self, value: &Value) -> bool {
        match &self.value {
            Some(one) => one == value,
            None => self.values.is_empty() || self.values.contains(value),
        }
    }

    /// The values asked for, the best first.
    pub fn listed(&self) -> Vec<&Value> {
        self.value.iter().chain(&self.values).collect()
    }
}

/// The parameter, read.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::oidc) struct ClaimsRequest {
    /// For the ID token.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub id_token: BTreeMap<String, Wanted>,
    /// For `UserInfo`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub userinfo: BTreeMap<String, Wanted>,
}

impl ClaimsRequest {
    /// Reads the parameter.
    ///
    /// # Errors
    /// What is wrong with it, in words that may be sent to the application.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAX {
            return Err("claims is longer than 8192 bytes");
        }
        let whole: Map<String, Value> = serde_json::from_str(text).map_err(|_| "claims is no JSON object")?;
        let place = |name: &str| match whole.get(name) {
            None | Some(Value::Null) => Ok(BTreeMap::new()),
            Some(Value::Object(members)) => members.iter().map(wanted).collect(),
            Some(_) => Err("a member of claims is no object"),
        };
        let read = Self { id_token: place("id_token")?, userinfo: place("userinfo")? };
        if read.id_token.len() > MOST || read.userinfo.len() > MOST {
            return Err("claims asks for more than 64 claims");
        }
        Ok(read)
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.id_token.is_empty() && self.userinfo.is_empty()
    }

    /// The document as a grant keeps it; none when nothing is asked for.
    pub fn stored(&self) -> Option<Value> {
        if self.is_empty() { None } else { serde_json::to_value(self).ok() }
    }

    /// The document of a grant.
    pub fn of(stored: Option<&Value>) -> Self {
        stored.and_then(|stored| serde_json::from_value(stored.clone()).ok()).unwrap_or_default()
    }
}

/// `null` asks for a claim without more.
fn wanted((name, value): (&String, &Value)) -> Result<(String, Wanted), &'static str> {
    let wanted = match value {
        Value::Null => Wanted::default(),
        Value::Object(_) => serde_json::from_value(value.clone()).map_err(|_| "a claim is asked for in a wrong way")?,
        _ => return Err("a claim is asked for in a wrong way"),
    };
    if wanted.value.is_some() && !wanted.values.is_empty() {
        return Err("a claim is asked for with value and values");
    }
    Ok((name.clone(), wanted))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::ClaimsRequest;

    /// OIDC-056
    #[test]
    fn the_parameter_is_read_as_the_standard_writes_it() {
        let text = r#"{"userinfo":{"given_name":{"essential":true},"nickname":null,"http://x.example/y":null},
            "id_token":{"auth_time":{"essential":true},"acr":{"values":["a","b"]},"sub":{"value":"1"}},"other":7}"#;
        let read = ClaimsRequest::read(text).unwrap();
        assert!(read.userinfo["given_name"].essential && !read.userinfo["nickname"].essential);
        assert!(read.id_token["acr"].accepts(&json!("b")) && !read.id_token["acr"].accepts(&json!("c")));
        assert!(!read.id_token["sub"].accepts(&json!("2")) && read.id_token["auth_time"].accepts(&json!(7)));
        assert_eq!(ClaimsRequest::of(read.stored().as_ref()), read);
        assert!(ClaimsRequest::read("{}").unwrap().stored().is_none());
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let many: serde_json::Map<String, serde_json::Value> =
            (0..65).map(|number| (format!("c{number}"), json!(null))).collect();
        for bad in [
            "",
            "x",
            "[]",
            "null",
            r#"{"userinfo":[]}"#,
            r#"{"userinfo":"name"}"#,
            r#"{"id_token":{"name":true}}"#,
            r#"{"id_token":{"name":{"essential":"yes"}}}"#,
            r#"{"id_token":{"acr":{"values":"a"}}}"#,
            r#"{"id_token":{"acr":{"value":"a","values":["b"]}}}"#,
            &json!({ "userinfo": many }).to_string(),
            &format!("{{\"userinfo\":{{\"{}\":null}}}}", "a".repeat(9_000)),
            &"[".repeat(5_000),
        ] {
            assert!(ClaimsRequest::read(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
            let _ = ClaimsRequest::read(&text);
        }
    }
}
