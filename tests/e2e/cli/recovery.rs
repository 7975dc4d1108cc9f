//! `yaopai recovery new`: another one-time password, beside a broker that runs or before the first start.

use super::pages::Browser;
use super::{done, misused, nowhere_in};
use crate::process::Installation;

/// The password in what was printed.
fn password(text: &str) -> String {
    let (_, rest) = text.split_once("with the password ").unwrap_or_else(|| panic!("no password in: {text}"));
    rest.lines().next().unwrap().to_owned()
}

async fn sign_in(installation: &Installation, password: &str) -> u16 {
    let browser = Browser::new(&format!("http://127.0.0.1:{}", installation.port));
    browser.sign_in("recovery", password).await.status.as_u16()
}

#[tokio::test]
async fn a_new_password_works_once_and_the_one_before_no_more() {
    let installation = Installation::new();
    let broker = installation.start();
    let first = password(&broker.log());
    let told = done(&installation, &["recovery", "new"]);
    let address = format!("sign in once at http://127.0.0.1:{}/login as `recovery`", installation.port);
    assert!(told.contains(&address) && told.contains("It is not shown again"), "{told}");
    let second = password(&told);
    assert_eq!(sign_in(&installation, &first).await, 403, "the one before");
    assert_eq!(sign_in(&installation, &second).await, 303);
    assert_eq!(sign_in(&installation, &second).await, 403, "once is once");
    let third = password(&done(&installation, &["recovery", "new"]));
    let browser =
        Browser::new(&format!("http://127.0.0.1:{}", installation.port)).with_header("accept-language", "zh-CN");
    let page = browser.get("/login").await;
    assert_eq!(page.attributes("html", "lang"), ["zh-CN"]);
    let refusal = browser.post(&page.form("/login").with("login", "recovery").with("password", &second)).await;
    assert_eq!(refusal.status, 403);
    assert_eq!(browser.sign_in("recovery", &third).await.status, 303);
    nowhere_in(&installation.path("data"), &[&first, &second, &third]);
    let export = done(&installation, &["audit", "export"]);
    assert!([&first, &second, &third].iter().all(|password| !export.contains(password.as_str())));
    assert_eq!(export.matches("password_renewed").count(), 2, "{export}");
    let log = broker.log();
    assert!(!log.contains(&second) && !log.contains(&third), "{log}");
}

#[tokio::test]
async fn a_password_made_before_the_first_start_is_the_one() {
    let installation = Installation::new();
    let made = password(&done(&installation, &["recovery", "new"]));
    let broker = installation.start();
    assert!(!broker.log().contains("with the password"), "{}", broker.log());
    assert_eq!(sign_in(&installation, &made).await, 303);
    misused(&installation.run(&["recovery", "old"]), &["old"]);
}
