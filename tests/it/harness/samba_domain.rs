//! The people and groups of the Active Directory domain of the tests, as LDIF.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::samba::{DOMAIN, PASSWORD};

/// Entries that groups may have as members, none of them a person with an account: more than Windows sends at once.
pub const CONTACTS: usize = 1_600;
/// Members of the group `partners`, among them.
pub const PARTNERS: usize = 40;

/// What is changed once it is filled: the name that Windows gives a domain controller's LDAP server by itself.
pub const CHANGES: &str = "dn: CN=DC1,OU=Domain Controllers,DC=corp,DC=example,DC=com
changetype: modify
add: servicePrincipalName
servicePrincipalName: ldap/dc1.corp.example.com
";

/// Name of one of the entries.
pub fn contact(n: usize) -> String {
    format!("CN=contact-{n:04},OU=accounts,{DOMAIN}")
}

/// Everything that is added to the fresh domain.
pub fn ldif() -> String {
    let mut text = String::new();
    let staff = format!("OU=青屿集团,{DOMAIN}");
    let (east, sales) = (format!("OU=华东分公司,{staff}"), format!("OU=销售部,OU=华东分公司,{staff}"));
    for (dn, name) in [(&staff, "青屿集团"), (&east, "华东分公司"), (&sales, "销售部")] {
        entry(&mut text, dn, &[("objectClass", "organizationalUnit"), ("ou", name)]);
    }
    entry(&mut text, &format!("OU=accounts,{DOMAIN}"), &[("objectClass", "organizationalUnit")]);
    let mut person = |name: &str, cn: &str, above: &str, more: &[(&str, &str)]| {
        let principal = format!("{name}@corp.example.com");
        let password: Vec<u8> = format!("\"{PASSWORD}\"").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let password = STANDARD.encode(password);
        let mut attributes = vec![
            ("objectClass", "user"),
            ("sAMAccountName", name),
            ("userPrincipalName", principal.as_str()),
            ("displayName", cn),
            ("unicodePwd:", password.as_str()),
        ];
        if !more.iter().any(|(name, _)| *name == "userAccountControl") {
            attributes.push(("userAccountControl", "512"));
        }
        attributes.extend(more);
        entry(&mut text, &format!("CN={},{above}", cn.replace(',', "\\,")), &attributes);
    };
    person("reader", "reader", &format!("OU=accounts,{DOMAIN}"), &[]);
    person("wang.fang", "王芳", &sales, &[("mail", "wang.fang@corp.example.com"), ("employeeNumber", "1001")]);
    let manager = format!("CN=王芳,{sales}");
    person("li.na", "李娜", &sales, &[("manager", &manager), ("employeeNumber", "1002")]);
    person("smith", "Smith, John", &east, &[("employeeNumber", "1003")]);
    person("disabled", "已停用", &sales, &[("userAccountControl", "514")]);
    person("expired", "已到期", &sales, &[("accountExpires", "132000000000000000")]);
    person("later", "将到期", &sales, &[("accountExpires", "150000000000000000")]);
    person("fresh", "新同事", &sales, &[("pwdLastSet", "0")]);
    person("moving", "调动中", &sales, &[]);
    person("leaving", "离职中", &sales, &[]);
    let contacts: Vec<String> = (0..CONTACTS).map(contact).collect();
    for dn in &contacts {
        entry(&mut text, dn, &[("objectClass", "contact")]);
    }
    let mut group = |name: &str, members: &[String]| {
        let members: Vec<_> = members.iter().map(|member| ("member", member.as_str())).collect();
        let attributes = [&[("objectClass", "group"), ("sAMAccountName", name)], members.as_slice()].concat();
        entry(&mut text, &format!("CN={name},OU=accounts,{DOMAIN}"), &attributes);
    };
    group("buyers", &[format!("CN=李娜,{sales}")]);
    group("approvers", &[format!("CN=王芳,{sales}"), format!("CN=buyers,OU=accounts,{DOMAIN}")]);
    group("partners", contacts.get(..PARTNERS).unwrap());
    text
}

/// One record; a name that ends in a colon has its value in base64 already.
fn entry(text: &mut String, dn: &str, attributes: &[(&str, &str)]) {
    let mut line = |name: &str, value: &str| {
        let _ = if value.is_ascii() {
            writeln!(text, "{name}: {value}")
        } else {
            writeln!(text, "{name}:: {}", STANDARD.encode(value))
        };
    };
    line("dn", dn);
    for (name, value) in attributes {
        line(name, value);
    }
    text.push('\n');
}
