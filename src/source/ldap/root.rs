//! The root DSE (RFC 4512 section 5.1): what a server says about itself, read once a connection where it is needed.

use std::collections::BTreeMap;

use ldap3::Scope;

use super::answer;
use super::connect::Connection;
use super::search::{Search, page};
use crate::source::error::SourceError;

/// What the server says about itself: attribute in lower case → values.
#[derive(Clone, Debug, Default)]
pub(super) struct Root(BTreeMap<String, Vec<String>>);

impl Root {
    /// Asks the server. Operational attributes are asked for as well (RFC 3673); Active Directory sends all anyway.
    pub async fn read(connection: &mut Connection) -> Result<Self, SourceError> {
        let attributes = ["*".to_owned(), "+".to_owned()];
        let search = Search { base: "", scope: Scope::Base, filter: "(objectClass=*)", attributes: &attributes };
        let mut found = BTreeMap::new();
        let mut take = |raw: crate::source::collect::Raw| {
            let text = |value: Vec<u8>| String::from_utf8(value).ok();
            found = raw.values.into_iter().map(|(k, v)| (k, v.into_iter().filter_map(text).collect())).collect();
        };
        let (result, _) = page(connection, search, None, &mut take).await?;
        if result.rc != 0 {
            return Err(answer::search_failed("", &result));
        }
        Ok(Self(found))
    }

    /// Every value of an attribute, named in lower case.
    pub fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// The first value of an attribute, named in lower case.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.all(name).first().map(String::as_str)
    }

    /// Whether a control is supported.
    pub fn has_control(&self, oid: &str) -> bool {
        self.all("supportedcontrol").iter().any(|control| control == oid)
    }

    /// Product and version as far as the server tells.
    pub fn product(&self) -> String {
        let is_ad = self.all("supportedcapabilities").iter().any(|oid| oid == "1.2.840.113556.1.4.800");
        let is_openldap = self.all("objectclass").iter().any(|class| class == "OpenLDAProotDSE");
        match (self.first("vendorname"), self.first("vendorversion")) {
            (Some(vendor), _) if is_ad => format!("Active Directory by {vendor}"),
            (None, _) if is_ad => "Active Directory".to_owned(),
            (_, Some(version)) if version.contains("389") => version.to_owned(),
            (Some(vendor), Some(version)) => format!("{vendor} {version}"),
            (Some(vendor), None) => vendor.to_owned(),
            (None, Some(version)) => version.to_owned(),
            (None, None) if is_openldap => "OpenLDAP".to_owned(),
            (None, None) => "a server that does not say what it is".to_owned(),
        }
    }
}
