//! Chromium through our pages: what a person does and sees, in both languages, wide and narrow, light and dark.
//!
//! Screenshots are left in `target/e2e/screenshots`, the pictures of the README in `target/e2e/pictures`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use yaopai::crypto::hash_password;
use yaopai::model::{Attributes, RoleGrant, Status, User, UserId};
use yaopai::random::Rng;
use yaopai::sample;
use yaopai::store::{Db, Json};

use crate::process::{Installation, free_port};

pub const LOGIN: &str = "wang.fang";
pub const PASSWORD: &str = "Lantern-42-河";
const SECRET: &str = "a-secret-of-the-test-that-is-long-enough";

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An installation with one person and the applications of a small company; gives the ports of the first two.
fn company() -> (Installation, [u16; 2]) {
    let installation = Installation::new();
    let ports = [free_port(), free_port()];
    let mut text = installation.smallest().replace("[server]\n", "[server]\norganisation = \"青屿集团\"\n");
    let applications = [
        ("oa", "协同办公 OA", "审批、公文、日程与会议室", ports[0]),
        ("expense", "费用报销", "差旅申请、报销单据与付款进度", ports[1]),
        ("mail", "企业邮箱", "邮件、日历与通讯录", 1),
        ("crm", "Customer relations", "Accounts, quotations and contracts", 1),
        ("learning", "在线学习", "课程、考试与证书", 1),
    ];
    for (id, name, description, port) in applications {
        let _ = write!(
            text,
            "\n[[application]]\nid = \"{id}\"\nname = \"{name}\"\ndescription = \"{description}\"\n\
             launch_url = \"http://127.0.0.1:{port}/\"\nsecret = {{ value = \"{SECRET}\" }}\n\
             redirect_uris = [\"http://127.0.0.1:{port}/callback\"]\n"
        );
    }
    installation.configure(&text);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(hire(&installation.sqlite()));
    (installation, ports)
}

/// Writes the person into the database, as a sync would have.
pub async fn hire(url: &str) {
    if let Some(file) = url.strip_prefix("sqlite://") {
        std::fs::create_dir_all(Path::new(file).parent().unwrap()).unwrap();
    }
    let db = Db::open(url, 1).await.unwrap();
    db.migrate().await.unwrap();
    let rng = Rng::system();
    let now = yaopai::time::Clock::System.now();
    let user = User {
        id: UserId::new(&rng, now),
        source: "company".to_owned(),
        login: LOGIN.to_owned(),
        login_key: LOGIN.to_owned(),
        employee_number: Some("10042".to_owned()),
        display_name: "王芳".to_owned(),
        given_name: Some("芳".to_owned()),
        family_name: Some("王".to_owned()),
        mail: None,
        mobile: None,
        title: Some("信息技术部 · 系统工程师".to_owned()),
        department_id: None,
        position_id: None,
        manager_id: None,
        attributes: Json(Attributes::new()),
        password_hash: Some(hash_password(&rng, PASSWORD).unwrap()),
        status: Status::Active,
        status_reason: None,
        disabled_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
        starts_on: None,
        ends_on: None,
        assignments: Vec::new(),
    };
    let roles = ["employee", "it-admin"].map(|role| RoleGrant {
        user_id: user.id,
        role: role.to_owned(),
        rule: "test".to_owned(),
        run_id: None,
        granted_at: now,
        scope: String::new(),
    });
    let mut tx = db.write().await.unwrap();
    tx.users().upsert(&[user]).await.unwrap();
    tx.role_grants().insert(&roles).await.unwrap();
    tx.commit().await.unwrap();
    db.close().await;
}

fn chromium() -> PathBuf {
    let known = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    let found = known.iter().map(PathBuf::from).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("Chromium is not installed: run `make setup`"))
}

/// An installation with the demo company: applied once, then half of it gone and the plan held.
fn held() -> Installation {
    let installation = Installation::new();
    let mapping = std::fs::read_to_string(repository().join("deploy/demo/source.toml")).unwrap();
    let head = installation.smallest().replace("[server]\n", "[server]\norganisation = \"青屿集团\"\n");
    installation.configure(&format!("{head}\n{mapping}"));
    let whole = sample::ldif(1200, 1);
    let file = installation.path("company.ldif");
    std::fs::write(&file, &whole).unwrap();
    let sync = || installation.run(&["sync", "run", "--source", "company"]);
    let first = sync();
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let is_named = |record: &str| sample::LOGINS.iter().any(|one| record.contains(&format!("uid: {}\n", one.login)));
    let stays =
        |number: usize, record: &str| !record.contains("\nuid: ") || number.is_multiple_of(2) || is_named(record);
    let half = whole.split("\n\n").enumerate().filter(|(number, record)| stays(*number, record));
    let half: Vec<&str> = half.map(|(_, record)| record).collect();
    std::fs::write(&file, half.join("\n\n")).unwrap();
    let second = sync();
    assert_eq!(second.status.code(), Some(2), "{}", String::from_utf8_lossy(&second.stderr));
    installation
}

/// Runs the script on a company.
fn walk() {
    let (installation, ports) = company();
    let _running = installation.start();
    let settings = json!({
        "base": format!("http://127.0.0.1:{}", installation.port),
        "screenshots": repository().join("target/e2e/screenshots"),
        "pictures": repository().join("target/e2e/pictures"),
        "chromium": chromium(),
        "login": LOGIN,
        "password": PASSWORD,
        "applications": [
            { "id": "oa", "name": "协同办公 OA", "secret": SECRET, "port": ports[0] },
            { "id": "expense", "name": "费用报销", "secret": SECRET, "port": ports[1] },
        ],
    });
    drive(&installation, &settings);
}

/// What an application of others is registered with.
fn travel(port: u16) -> String {
    format!(
        "\n[[application]]\nid = \"travel\"\nname = \"Wanderlust Travel 漫游差旅\"\nsecret = {{ value = \"{SECRET}\" }}\n\
         redirect_uris = [\"http://127.0.0.1:{port}/callback\"]\n\
         scopes = [\"openid\", \"profile\", \"email\", \"phone\", \"org\", \"offline_access\", \"trip:book\"]\n\
         [application.identity]\nconsent = \"once\"\n\
         [application.identity.scope_texts.\"trip:book\"]\nen = \"Book trips and hotels for you\"\n\
         zh-CN = \"为您预订行程和酒店\"\n\
         [application.identity.claims]\nboss = \"manager\"\nstaff = {{ template = \"{{display_name}} ({{employee_number}})\" }}\n"
    )
}

/// OAUTH-018, OIDC-046, WEB-011, WEB-019
#[test]
fn chromium_is_asked_to_agree_and_sees_what_an_application_would_be_told() {
    let (installation, ports) = company();
    let text = std::fs::read_to_string(installation.path("yaopai.toml")).unwrap() + &travel(ports[0]);
    installation.configure(&text);
    let _running = installation.start();
    let test_logins: Vec<String> = (0..4)
        .map(|_| {
            let output = installation.run(&["app", "test-login", "travel"]);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().lines().next().unwrap().to_owned()
        })
        .collect();
    let settings = json!({
        "base": format!("http://127.0.0.1:{}", installation.port),
        "screenshots": repository().join("target/e2e/screenshots"),
        "chromium": chromium(),
        "login": LOGIN,
        "password": PASSWORD,
        "applications": [{ "id": "oa", "name": "协同办公 OA", "secret": SECRET, "port": ports[0] }],
        "test_logins": test_logins,
    });
    drive(&installation, &settings);
}

/// OIDC-093: what the frames of the page after signing out load, and how the page looks, wide and narrow.
#[test]
fn chromium_tells_applications_in_frames() {
    let (installation, ports) = company();
    let mut text = std::fs::read_to_string(installation.path("yaopai.toml")).unwrap();
    for port in ports {
        let callback = format!("redirect_uris = [\"http://127.0.0.1:{port}/callback\"]\n");
        let told = format!(
            "{callback}post_logout_redirect_uris = [\"http://127.0.0.1:{port}/left\"]\n\
             logout = {{ frontchannel_logout_uri = \"http://127.0.0.1:{port}/bye\" }}\n"
        );
        text = text.replace(&callback, &told);
    }
    installation.configure(&text);
    let _running = installation.start();
    let settings = json!({
        "base": format!("http://127.0.0.1:{}", installation.port),
        "screenshots": repository().join("target/e2e/screenshots"),
        "chromium": chromium(),
        "login": LOGIN,
        "password": PASSWORD,
        "frames": true,
        "applications": [
            { "id": "oa", "name": "协同办公 OA", "secret": SECRET, "port": ports[0] },
            { "id": "expense", "name": "费用报销", "secret": SECRET, "port": ports[1] },
        ],
    });
    drive(&installation, &settings);
}

/// Runs the script with its settings.
fn drive(installation: &Installation, settings: &serde_json::Value) {
    let folder = repository().join("tests/e2e/browser");
    assert!(folder.join("node_modules/playwright-core").exists(), "playwright is not installed: run `make setup`");
    let file = installation.path("walk.json");
    std::fs::write(&file, settings.to_string()).unwrap();
    let output = Command::new("node")
        .arg("walk.mjs")
        .arg(&file)
        .current_dir(&folder)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("node: {error}: run `make setup`"));
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    println!("{}", said(&output.stdout));
    assert!(output.status.success(), "{}\n{}", said(&output.stdout), said(&output.stderr));
}

/// OAUTH-021, WEB-011, WEB-012, WEB-019
#[test]
fn chromium_walks_through_every_page() {
    walk();
}

#[test]
fn chromium_looks_at_a_run_and_at_a_held_plan() {
    let installation = held();
    let _running = installation.start();
    let settings = json!({
        "base": format!("http://127.0.0.1:{}", installation.port),
        "screenshots": repository().join("target/e2e/screenshots"),
        "chromium": chromium(),
        "login": sample::ADMIN.login,
        "password": sample::PASSWORD,
        "console": true,
    });
    drive(&installation, &settings);
}

/// OAUTH-107, OAUTH-018
#[test]
fn chromium_connects_a_device_and_answers_a_request() {
    let installation = Installation::new();
    let text = installation.smallest().replace("[server]\n", "[server]\norganisation = \"青屿集团\"\n");
    let asker = format!(
        "\n[[application]]\nid = \"screen\"\nname = \"会议室屏幕\"\nsecret = {{ value = \"{SECRET}\" }}\n\
         grant_types = [\"urn:ietf:params:oauth:grant-type:device_code\", \"urn:openid:params:grant-type:ciba\"]\n\
         scopes = [\"openid\", \"profile\", \"offline_access\", \"room:book\"]\n"
    );
    installation.configure(&format!("{text}{asker}"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(hire(&installation.sqlite()));
    let _running = installation.start();
    let settings = json!({
        "base": format!("http://127.0.0.1:{}", installation.port),
        "screenshots": repository().join("target/e2e/screenshots"),
        "chromium": chromium(),
        "login": LOGIN,
        "password": PASSWORD,
        "asker": { "id": "screen", "secret": SECRET },
    });
    drive(&installation, &settings);
}
