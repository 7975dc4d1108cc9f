//! The console: runs, reports, held plans; only for those whom policy lets administer.

#![expect(clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use chrono::Duration;
use yaopai::model::PlanId;
use yaopai::{sample, sync};

use crate::both;
use crate::harness::{App, Browser, Kind, PASSWORD, person};
use crate::source::demo_mapping;

/// A broker with the sample company synchronised once, and an administrator signed in.
async fn company(kind: Kind) -> (App, Browser) {
    let app = App::with_config(kind, &demo_mapping()).await;
    write(&app, |_, _| true);
    let report = sync::run(&app.broker, "company", "cli", &mut |_| {}).await.unwrap();
    assert!(report.users.created > 100);
    let browser = Browser::new(&app.url);
    assert_eq!(browser.sign_in(sample::ADMIN.login, sample::PASSWORD).await.status, 303);
    (app, browser)
}

/// Writes the company's file, leaving out the people that `keep` (number, record) does not keep.
fn write(app: &App, keep: impl Fn(usize, &str) -> bool) {
    let ldif = sample::ldif(150, 1);
    let records =
        ldif.split("\n\n").enumerate().filter(|(number, record)| !record.contains("\nuid: ") || keep(*number, record));
    let text: Vec<&str> = records.map(|(_, record)| record).collect();
    std::fs::write(app.folder.path().join("company.ldif"), text.join("\n\n")).unwrap();
}

/// The company without every second person, the named ones excepted: far over the guard's limit.
fn halve(app: &App) {
    let named = |record: &str| sample::LOGINS.iter().any(|login| record.contains(&format!("uid: {}\n", login.login)));
    write(app, |number, record| number % 2 == 0 || named(record));
}

async fn held(app: &App) -> PlanId {
    halve(app);
    let report = sync::run(&app.broker, "company", "schedule", &mut |_| {}).await.unwrap();
    assert!(!report.held.is_empty());
    report.plan_id.unwrap()
}

both!(a_runs_report_adds_up, |kind| async move {
    let (app, browser) = company(kind).await;
    let list = browser.get("/console/runs").await;
    assert_eq!(list.texts("tbody tr").len(), 1);
    let report = browser.get(&list.attributes("tbody a", "href")[0]).await;
    assert_eq!(report.status, 200);
    let number = |column: usize| report.texts("tbody tr:first-child td.count")[column].parse::<u64>().unwrap();
    assert!(number(0) > 100);
    assert_eq!(number(0), number(1) + number(2) + number(3) + number(4), "read = new + changed + unchanged + left out");
    assert!(report.text.contains("the numbers add up"));
    assert!(report.text.contains("guard: nothing to hold"));
    for nothing in ["/console/runs/x", "/console/runs/0199aaaa-0000-7000-8000-000000000000", "/console/plans/x"] {
        assert_eq!(browser.get(nothing).await.status, 404, "{nothing}");
    }
    let chinese = browser.with_header("accept-language", "zh-CN");
    assert_eq!(chinese.get("/console/runs").await.texts("h1"), ["目录同步"]);
    // Role names as they are; findings in the reader's language, with what to do.
    assert!(report.texts("th.exact code").contains(&"it-admin".to_owned()));
    let plan = held(&app).await;
    let latest = chinese.get(&format!("/console/plans/{plan}")).await;
    let findings = latest.texts("section details");
    assert!(findings.iter().any(|kind| kind.contains("成员无法识别") && kind.contains("请在数据源中")), "{findings:?}");
    drop(app);
});

both!(a_person_is_shown_with_what_changed_and_a_role_with_its_people, |kind| async move {
    let (app, browser) = company(kind).await;
    // Another telephone number, another department's name: history with fields that differ.
    let file = app.folder.path().join("company.ldif");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("mobile: +86 14000100001", "mobile: +86 14000777777")).unwrap();
    let report = sync::run(&app.broker, "company", "cli", &mut |_| {}).await.unwrap();
    assert_eq!(report.users.changed, 1);
    let found = browser.get("/console/people?q=li.fang").await;
    let person = browser.get(&found.attributes(".rows a", "href")[0]).await;
    assert_eq!(person.status, 200, "{}", person.text);
    assert!(
        person.text.contains("+86 14000777777") && person.texts(".diff li")[0].contains("mobile"),
        "{}",
        person.text
    );
    // Departments by name from the top down, and everything that says where it comes from.
    let facts = person.texts(".facts dd");
    assert!(facts.iter().any(|fact| fact.contains("青屿集团 / 集团总部 / 财务部")), "{facts:?}");
    assert!(person.attributes(".facts a", "href").iter().all(|run| run.starts_with("/console/runs/")));
    let role = person.attributes(".rows a", "href").into_iter().find(|url| url.contains("role=finance-clerk")).unwrap();
    let holders = browser.get(&role).await;
    assert!(holders.texts("tbody tr").iter().any(|row| row.contains("li.fang") && row.contains("clerks-by-group")));
    let roles = browser.get("/console/roles").await;
    assert!(roles.texts(".rows code").contains(&"it-admin".to_owned()), "{}", roles.text);
    assert!(browser.get("/console/roles?role=nobody-has-it").await.texts(".empty").len() == 1);
    let tree = browser.get("/console/departments").await;
    assert!(tree.texts(".about")[0].contains("head: ") && tree.texts(".tree .tag").contains(&"subsidiary".to_owned()));
    drop(app);
});

both!(a_held_plan_is_looked_at_and_approved, |kind| async move {
    let (app, browser) = company(kind).await;
    let plan = held(&app).await;
    let path = format!("/console/plans/{plan}");
    let list = browser.get("/console/runs").await;
    assert_eq!(list.attributes(".notice a", "href"), [path.as_str()]);
    let page = browser.get(&path).await;
    assert!(page.texts("details summary").iter().any(|title| title.starts_with("left")), "{:?}", page.texts("summary"));
    // What the guard says stands next to the button, and only there.
    assert!(page.texts(".card > .notice.warn")[0].contains("would be locked out"));
    assert_eq!(page.texts(".notice.warn").len(), 1);
    assert_eq!(page.texts(".card button.caution"), ["Approve and apply"]);
    // The first eight of a group at once, the others on pages of their own.
    let all = page.attributes(".more a", "href");
    let left = browser.get(all.iter().find(|url| url.contains("group=left")).unwrap()).await;
    assert!(left.texts("ul.steps > li").len() > 8, "{}", left.text);
    assert!(left.attributes("form", "action").iter().all(|action| !action.contains("approve")));
    let form = page.form(&format!("{path}/approve"));

    // An old proof is not enough to lock out half the company.
    app.clock().advance(Duration::minutes(16));
    let answer = browser.post(&form).await;
    assert!(answer.location().starts_with("/login?return_to=%2Fconsole%2Fplans%2F"), "{}", answer.location());
    let answer = browser.sign_in_at(answer.location(), sample::ADMIN.login, sample::PASSWORD).await;
    assert_eq!(answer.location(), path);
    let form = browser.get(&path).await.form(&format!("{path}/approve"));
    let answer = browser.post(&form).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let report = browser.get(answer.location()).await;
    assert_eq!(report.texts("h1 .tag"), ["applied"]);
    let done = browser.get(&path).await;
    assert!(
        done.texts("header p").iter().any(|line| line.contains("approved by 赵磊")),
        "{:?}",
        done.texts("header p")
    );
    assert!(done.attributes("form", "action").iter().all(|action| !action.contains("approve")));
    let again = browser.post(&form).await;
    assert_eq!(again.status, 409);
    assert!(again.text.contains("can no longer be applied"));
});

both!(
    /// WEB-001, WEB-054
    only_administrators_see_and_decide,
    |kind| async move {
        let (app, administrator) = company(kind).await;
        let plan = held(&app).await;
        let form = administrator.get(&format!("/console/plans/{plan}")).await;
        let form = form.form(&format!("/console/plans/{plan}/approve"));
        person(&app.broker, "li.na", &["employee"]).await;
        let clerk = Browser::new(&app.url);
        clerk.sign_in("li.na", PASSWORD).await;
        let run = administrator.get("/console/runs").await.attributes("tbody a", "href")[0].clone();
        for path in ["/console/runs", &run, &format!("/console/plans/{plan}"), "/console/plans/x"] {
            let refused = clerk.get(path).await;
            assert_eq!(refused.status, 403, "{path}");
            assert!(refused.text.contains("ask an administrator"), "it says what to do");
            assert!(Browser::new(&app.url).get(path).await.location().starts_with("/login?return_to="), "{path}");
        }
        let mut own = clerk.get("/").await.form("/logout");
        own.action.clone_from(&form.action);
        assert_eq!(clerk.post(&own).await.status, 403, "with a token of their own");
        assert_eq!(clerk.post(&form).await.status, 403, "with the administrator's token");
        let cross = administrator.clone().with_header("sec-fetch-site", "cross-site");
        assert_eq!(cross.post(&form).await.status, 403, "from another site");
        let mut tx = app.broker.db.read().await.unwrap();
        let waiting = tx.plans().find(plan).await.unwrap().unwrap();
        assert_eq!(waiting.applied_at, None);
    }
);

both!(
    /// LDAP-029
    a_held_plan_is_rejected_with_a_reason,
    |kind| async move {
        let (app, browser) = company(kind).await;
        let plan = held(&app).await;
        let path = format!("/console/plans/{plan}");
        let mut form = browser.get(&path).await.form(&format!("{path}/reject"));
        assert_eq!(browser.post(&form).await.status, 400, "without a reason");
        form.fields.insert("reason".to_owned(), "<b>cut off</b>".to_owned());
        assert_eq!(browser.post(&form).await.location(), path);
        let page = browser.get(&path).await;
        assert_eq!(page.texts("h1 .tag"), ["rejected"]);
        assert!(page.texts("header p").iter().any(|line| line.contains("<b>cut off</b>")), "{:?}", page.texts("header p"));
        assert!(page.attributes("form", "action").iter().all(|action| !action.contains("approve")));
        drop(app);
    }
);
