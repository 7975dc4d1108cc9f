//! What a failure of Kerberos means, with the remedy. The numbers are those of MIT's `krb5.h`, which are the error codes
//! of RFC 4120 section 7.5.9 above a base.

use crate::text::Fault;

/// `ERROR_TABLE_BASE_krb5`.
const BASE: i64 = -1_765_328_384;

/// The message of a minor status.
fn code(minor: i32) -> &'static str {
    match i64::from(minor) - BASE {
        // NAME_EXP, KEY_EXP, CLIENT_REVOKED
        1 => "kerberos-account-expired",
        18 => "kerberos-revoked",
        23 => "kerberos-key-expired",
        6 => "kerberos-unknown-principal",
        7 => "kerberos-unknown-service",
        // PREAUTH_FAILED, AP_ERR_BAD_INTEGRITY, KRB5_PREAUTH_FAILED
        24 | 31 | 210 => "kerberos-old-key",
        37 => "kerberos-skew",
        // AP_ERR_MODIFIED, KRB5KRB_AP_WRONG_PRINC
        41 | 144 => "kerberos-another-server",
        // ETYPE_NOSUPP, KRB5_CONFIG_ETYPE_NOSUPP
        14 | 237 => "kerberos-encryption",
        // WRONG_REALM, KRB5_REALM_UNKNOWN, KRB5_KDC_UNREACH, KRB5_REALM_CANT_RESOLVE
        68 | 154 | 156 | 220 => "kerberos-no-kdc",
        // KRB5_KT_NOTFOUND, KRB5_KT_IOERR, KRB5_CC_NOTFOUND, KRB5_FCC_NOFILE
        181 | 184 | 141 | 195 => "kerberos-keytab",
        // KRB5_CONFIG_CANTOPEN, KRB5_CONFIG_BADFORMAT
        135 | 136 => "kerberos-krb5-config",
        _ => "kerberos-other",
    }
}

/// Why it failed: `minor` is the mechanism's number, `said` its words.
pub(super) fn of(minor: i32, said: &str, principal: &str, service: &str) -> Fault {
    Fault::new(code(minor)).with("said", said.trim()).with("principal", principal).with("service", service)
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::text::Language;

    #[test]
    fn each_number_has_its_own_words_in_both_languages() {
        for (minor, english, chinese) in [
            (-1_765_328_378, "knows no principal", "没有"),
            (-1_765_328_377, "knows no service", "没有"),
            (-1_765_328_361, "expired", "过期"),
            (-1_765_328_366, "disabled, locked or expired", "停用"),
            (-1_765_328_383, "expiry date", "到期"),
            (-1_765_328_360, "export the keytab anew", "重新导出"),
            (-1_765_328_174, "export the keytab anew", "重新导出"),
            (-1_765_328_347, "clocks", "时钟"),
            (-1_765_328_343, "another account", "另一个账号"),
            (-1_765_328_370, "encryption", "加密"),
            (-1_765_328_228, "KDC", "KDC"),
            (-1_765_328_164, "KDC", "KDC"),
            (-1_765_328_203, "keytab", "keytab"),
            (-1_765_328_248, "krb5.conf", "krb5.conf"),
            (5, "because", "because"),
        ] {
            let fault = of(minor, "because ", "svc@EXAMPLE.COM", "ldap/dc1@EXAMPLE.COM");
            let (en, zh) = (fault.words(Language::En), fault.words(Language::Zh));
            assert!(en.contains(english) && zh.contains(chinese), "{minor}: {en} / {zh}");
        }
    }
}
