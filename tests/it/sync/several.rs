//! Several sources over one person: two domains, a forest, a table that only adds, and who is master of what.

use std::sync::Arc;

use tempfile::TempDir;
use yaopai::broker::Broker;
use yaopai::config::Config;
use yaopai::model::{RunState, Status, User};
use yaopai::sync::{self, Approval, RunReport};

use super::{BASE, Entry, SALES, assert_sums, group, person, unit, uuid};
use crate::both;
use crate::harness::slapd::{Options, Slapd};
use crate::harness::{Kind, broker};

const USERS: &str = "login = \"uid\"\nemployee_number = \"employeeNumber\"\nmail = \"mail\"\nmanager = \"manager\"\n\
                     title = \"title\"\nattributes = { city = \"l\" }\n";
const REST: &str = "[source.departments]\nfrom = \"ou\"\n[source.groups]\nfilter = \"(objectClass=groupOfNames)\"\n";
/// A table of cost centres.
const COSTS: &str = "[[source]]\nname = \"costs\"\n[source.csv]\nfile = \"costs.csv\"\ncomplete = \"renamed\"\n\
                     columns = { employeeNumber = \"工号\", cost = \"成本中心\", title = \"职务\", mobile = \"手机\" }\n\
                     [source.users]\nemployee_number = \"employeeNumber\"\ntitle = \"title\"\nmobile = \"mobile\"\n\
                     attributes = { cost_center = \"cost\" }\n[source.join]\ncreates = false\n";

/// An LDIF source of its own file; `more` stands before its tables.
pub(super) fn ldif(name: &str, more: &str, tables: &str) -> String {
    format!(
        "[[source]]\nname = \"{name}\"\n{more}\n[source.ldif]\nfile = \"{name}.ldif\"\n[source.users]\n{USERS}{REST}{tables}\n"
    )
}

/// Several sources over one database.
pub(super) struct Several {
    pub broker: Broker,
    folder: TempDir,
}

impl Several {
    pub async fn new(kind: Kind, sources: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("policies")).unwrap();
        let broker = broker(kind, folder.path(), Self::config(folder.path(), sources)).await;
        let several = Self { broker, folder };
        several.rules("[[rule]]\nid = \"all\"\nrole = \"employee\"\ndescription = \"everybody\"\neveryone = true\n");
        several
    }

    fn config(folder: &std::path::Path, sources: &str) -> Config {
        let text = format!("[server]\npublic_url = \"http://127.0.0.1\"\n[policies]\nfolder = \"policies\"\n{sources}");
        Config::parse(&folder.join("yaopai.toml"), &text, &[]).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Takes another configuration.
    pub fn configure(&mut self, sources: &str) {
        self.broker.config = Arc::new(Self::config(self.folder.path(), sources));
    }

    pub fn rules(&self, text: &str) {
        std::fs::write(self.folder.path().join("policies/roles.toml"), text).unwrap();
    }

    pub fn write(&self, source: &str, entries: &[Entry]) {
        let mut text = String::from("version: 1\n\n");
        for entry in entries {
            text.extend(["dn: ", &entry.dn, "\n", &entry.lines.join("\n"), "\n\n"]);
        }
        std::fs::write(self.folder.path().join(format!("{source}.ldif")), text).unwrap();
    }

    pub fn table(&self, rows: &[&str]) {
        let text = format!("工号,成本中心,职务,手机\n{}\n", rows.join("\n"));
        std::fs::write(self.folder.path().join("costs.csv"), text).unwrap();
    }

    pub async fn run(&self, source: &str) -> RunReport {
        let report = sync::run(&self.broker, source, "cli", &mut |_| {}).await.unwrap();
        assert_sums(&report);
        report
    }

    /// Writes the file and runs the sync, which must be applied.
    pub async fn applied(&self, source: &str, entries: &[Entry]) -> RunReport {
        self.write(source, entries);
        let report = self.run(source).await;
        assert_eq!(report.state, RunState::Applied, "{report:#?}");
        report
    }

    pub async fn approve(&self, report: &RunReport) -> RunReport {
        let approval = Approval { by: "user:boss", is_given: true };
        sync::apply(&self.broker, report.plan_id.unwrap(), approval).await.unwrap()
    }

    /// Nothing is left to do for any of these, in whatever order.
    pub async fn rests(&self, sources: &[&str]) {
        for source in sources.iter().chain(sources) {
            let report = self.run(source).await;
            assert_eq!(report.state, RunState::Unchanged, "{report:#?}");
        }
    }

    pub async fn user(&self, login: &str) -> User {
        let found = self.broker.db.read().await.unwrap().users().find_by_login(login).await.unwrap();
        found.unwrap_or_else(|| panic!("there is no `{login}`"))
    }

    pub async fn roles(&self, login: &str) -> Vec<String> {
        let user = self.user(login).await;
        self.broker.db.read().await.unwrap().role_grants().roles_of(user.id).await.unwrap()
    }

    async fn groups(&self, login: &str) -> Vec<String> {
        let user = self.user(login).await;
        self.broker.db.read().await.unwrap().groups().codes_of_user(user.id).await.unwrap()
    }

    async fn contributions(&self) -> i64 {
        let mut tx = self.broker.db.read().await.unwrap();
        let count: (i64,) = tx.one("SELECT COUNT(*) FROM contributions", &[]).await.unwrap();
        count.0
    }
}

const CHILD: &str = "dc=child,dc=example,dc=com";

/// A group below another base.
fn group_below(id: u32, name: &str, base: &str, members: &[&str]) -> Entry {
    let mut entry = group(id, name, members);
    entry.dn = format!("cn={name},{base}");
    entry
}

both!(
    /// LDAP-051
    two_domains_are_two_sets_of_people_that_name_each_other,
    |kind| async move {
        let qualified = ldif("child", "", "").replace("login = \"uid\"", "login = \"{uid}@child\"");
        let several = Several::new(kind, &format!("{}{qualified}", ldif("main", "", ""))).await;
        several.rules(
            "[[rule]]\nid = \"s\"\nrole = \"auditor\"\ndescription = \"auditors\"\ngroup = \"auditors\"\n\
             [[rule]]\nid = \"d\"\nrole = \"seller\"\ndescription = \"sales\"\ndepartment = \"sales\"\n",
        );
        several.applied("main", &[unit(1, "sales", BASE), person(10, "wang", SALES), person(11, "li", BASE)]).await;
        let sales = format!("ou=sales,{CHILD}");
        let wang = person(50, "wang", &sales).with("manager", &format!("cn=p11,{BASE}"));
        let auditors = group_below(60, "auditors", CHILD, &[&format!("cn=p50,{sales}"), &format!("CN=P10, {SALES}")]);
        let report = several.applied("child", &[unit(41, "sales", CHILD), wang, auditors]).await;
        assert!(report.findings.is_empty(), "{report:#?}");
        // One login name in two domains is two people; the other domain's manager and member are found by their names.
        let (main, child) = (several.user("wang").await, several.user("wang@child").await);
        assert_ne!(main.id, child.id);
        assert_eq!(child.manager_id, Some(several.user("li").await.id));
        assert_eq!(several.groups("wang").await, ["auditors"]);
        // A code in two domains means both: rules see both departments.
        assert_eq!(several.roles("wang").await, ["auditor", "seller"]);
        assert_eq!(several.roles("wang@child").await, ["auditor", "seller"]);
        assert!(several.roles("li").await.is_empty());
        several.run("main").await;
        several.rests(&["main", "child"]).await;
        assert_eq!(several.roles("wang").await, ["auditor", "seller"]);
        assert_eq!(several.contributions().await, 0);
    }
);

both!(
    /// The child domain's people come from its own source, though the parent's base covers them.
    a_forest_with_a_child_domain,
    |kind| async move {
        let parent = ldif("parent", &format!("excludes = [\"{CHILD}\"]"), "");
        let several = Several::new(kind, &format!("{parent}{}", ldif("child", "", ""))).await;
        let forest = [person(10, "wang", BASE), person(50, "li", CHILD).with("manager", &format!("cn=p10,{BASE}"))];
        let report = several.applied("parent", &forest).await;
        assert_eq!((report.users.read, report.users.created), (1, 1));
        several.applied("child", &forest[1..]).await;
        let li = several.user("li").await;
        assert_eq!((li.source.as_str(), li.manager_id), ("child", Some(several.user("wang").await.id)));
        // Whoever moves into the child domain leaves the parent's scope, and is not gone.
        let moved = person(10, "wang", CHILD);
        several.write("parent", &[moved]);
        let report = several.run("parent").await;
        assert_eq!((report.state, report.findings["moved_out_of_scope"]), (RunState::Held, 1), "{report:#?}");
    }
);

both!(
    /// LDAP-052
    a_table_adds_cost_centres_and_takes_them_back,
    |kind| async move {
        let several = Several::new(kind, &format!("{}{COSTS}", ldif("ad", "", ""))).await;
        let people = [person(1, "wang", BASE).with("title", "工程师"), person(2, "li", BASE)];
        several.applied("ad", &people).await;
        several.table(&["E1,4711,Engineer,138", "E2,4712,Clerk,139", "E9,4719,,"]);
        let report = several.run("costs").await;
        assert_eq!((report.state, report.users.created, report.users.changed), (RunState::Applied, 0, 2), "{report:#?}");
        assert_eq!(report.findings["join_nobody"], 1);
        let wang = several.user("wang").await;
        assert_eq!(wang.source, "ad");
        // The owner's title stays; what it does not say is added.
        assert_eq!((wang.title.as_deref(), wang.mobile.as_deref()), (Some("工程师"), Some("138")));
        assert_eq!(wang.attributes.0["cost_center"], ["4711"]);
        assert_eq!(several.user("li").await.title.as_deref(), Some("Clerk"));
        assert_eq!(report.masters["title"], [("ad".to_owned(), 1), ("costs".to_owned(), 1)].into());
        assert_eq!(report.masters["attributes.cost_center"]["costs"], 2);
        several.rests(&["ad", "costs"]).await;

        // The owner changes something else: what was added stays.
        several.applied("ad", &[people[0].clone().with("l", "上海"), people[1].clone()]).await;
        let wang = several.user("wang").await;
        assert_eq!((&wang.attributes.0["city"], &wang.attributes.0["cost_center"]), (&vec!["上海".to_owned()], &vec!["4711".to_owned()]));
        // Somebody joins for whom the table, which did not change, has a row.
        let more = [people[0].clone().with("l", "上海"), people[1].clone(), person(9, "zhao", BASE)];
        several.applied("ad", &more).await;
        let report = several.run("costs").await;
        assert_eq!((report.state, report.findings.len()), (RunState::Applied, 0), "{report:#?}");
        assert_eq!(several.user("zhao").await.attributes.0["cost_center"], ["4719"]);
        several.rests(&["ad", "costs"]).await;

        // Rows change and vanish: the owner's values come back, and nobody is locked out.
        several.table(&["E1,4799,Engineer,138"]);
        let report = several.run("costs").await;
        assert_eq!((report.state, report.users.absent, report.users.locked_out), (RunState::Applied, 0, 0), "{report:#?}");
        let (wang, li) = (several.user("wang").await, several.user("li").await);
        assert_eq!(wang.attributes.0["cost_center"], ["4799"]);
        assert_eq!((li.status, li.title, li.mobile), (Status::Active, None, None));
        assert!(!li.attributes.0.contains_key("cost_center"));
        assert_eq!(several.contributions().await, 2);
        several.rests(&["ad", "costs"]).await;
    }
);

both!(
    /// LDAP-052
    precedence_says_who_is_master_of_a_field,
    |kind| async move {
        let sources = format!("{}{COSTS}", ldif("ad", "", ""));
        let mut several = Several::new(kind, &format!("[precedence]\ntitle = [\"costs\", \"ad\"]\n{sources}")).await;
        let people = [person(1, "wang", BASE).with("title", "工程师"), person(2, "li", BASE).with("title", "文员")];
        several.applied("ad", &people).await;
        several.table(&["E1,4711,Engineer,", "E2,4712,,"]);
        several.run("costs").await;
        assert_eq!(several.user("wang").await.title.as_deref(), Some("Engineer"));
        // Silence gives way to the next.
        assert_eq!(several.user("li").await.title.as_deref(), Some("文员"));
        // What the owner says of a field it is not master of changes nothing, and is kept.
        several.applied("ad", &[person(1, "wang", BASE).with("title", "总工程师"), people[1].clone()]).await;
        assert_eq!(several.user("wang").await.title.as_deref(), Some("Engineer"));
        // Another precedence: nothing changed at any source, and yet it takes hold.
        several.configure(&sources);
        several.run("ad").await;
        several.run("costs").await;
        assert_eq!(several.user("wang").await.title.as_deref(), Some("总工程师"));
        several.rests(&["ad", "costs"]).await;
        several.configure(&format!("[precedence]\ntitle = [\"costs\", \"ad\"]\n{sources}"));
        several.run("costs").await;
        assert_eq!(several.user("wang").await.title.as_deref(), Some("Engineer"));
        // The row goes: the next master's value is there at once, as it is now.
        several.table(&["E2,4712,,"]);
        several.run("costs").await;
        assert_eq!(several.user("wang").await.title.as_deref(), Some("总工程师"));
        several.rests(&["costs", "ad"]).await;
    }
);

both!(
    /// LDAP-044, LDAP-047
    two_sources_claim_one_person,
    |kind| async move {
        let sources = |join: &str, guard: &str| {
            format!("{}{}", ldif("ad", "", ""), ldif("hr", "", &format!("[source.join]\n{join}\n[source.guard]\n{guard}")))
        };
        let mut several = Several::new(kind, &sources("on_owned = \"finding\"", "")).await;
        several.applied("ad", &[person(1, "wang", BASE), person(2, "li", BASE)]).await;
        let mut first = person(1, "wang.fang", BASE).with("title", "经理");
        first.lines.retain(|line| !line.starts_with("entryUUID"));
        first = first.with("entryUUID", &uuid(901));
        several.write("hr", &[first.clone()]);
        let report = several.run("hr").await;
        assert_eq!((report.users.created, report.findings["join_owned"]), (0, 1), "{report:#?}");
        // As a contributor it adds; the login and the account stay the owner's.
        several.configure(&sources("on_owned = \"contribute\"", ""));
        assert_eq!(several.run("hr").await.state, RunState::Applied);
        let wang = several.user("wang").await;
        assert_eq!((wang.source.as_str(), wang.title.as_deref()), ("ad", Some("经理")));
        // Locked out and gone there means nothing here.
        several.write("hr", &[person(7, "zhao", BASE)]);
        let report = several.run("hr").await;
        assert_eq!((report.users.created, report.users.absent), (1, 0), "{report:#?}");
        assert_eq!((several.user("wang").await.status, several.user("wang").await.title), (Status::Active, None));
        // Gone at the owner: locked out.
        several.applied("ad", &[person(2, "li", BASE)]).await;
        assert_eq!(several.user("wang").await.status, Status::Disabled);
        several.rests(&["ad", "hr"]).await;

        // Nobody joins a protected person.
        several.configure(&sources("", "protected = [\"li\"]"));
        let mut second = person(2, "l", BASE).with("title", "x");
        second.lines.retain(|line| !line.starts_with("entryUUID"));
        second = second.with("entryUUID", &uuid(902));
        several.write("hr", &[person(7, "zhao", BASE), second]);
        let report = several.run("hr").await;
        assert_eq!(report.findings["join_protected"], 1, "{report:#?}");
    }
);

both!(
    /// More than one fits: nobody is guessed.
    what_is_ambiguous_is_a_finding,
    |kind| async move {
        let costs = COSTS.replace("creates = false", "creates = false\nby = [\"mail\", \"employee_number\"]");
        let costs = costs.replace("mobile = \"mobile\"", "mail = \"mobile\"");
        let several = Several::new(kind, &format!("{}{costs}", ldif("ad", "", ""))).await;
        let shared = |id, login| person(id, login, BASE).with("mail", "office@example.com");
        several.applied("ad", &[shared(1, "wang"), shared(2, "li"), person(3, "zhao", BASE).with("mail", "Zhao@example.com")]).await;
        several.table(&["X1,1,,office@example.com", "X3,3,,zhao@EXAMPLE.com", "E2,2,,nobody@example.com"]);
        let report = several.run("costs").await;
        assert_eq!((report.findings["join_ambiguous"], report.users.changed), (1, 2), "{report:#?}");
        assert_eq!(several.user("zhao").await.attributes.0["cost_center"], ["3"]);
        assert_eq!(several.user("li").await.attributes.0["cost_center"], ["2"]);
        assert!(!several.user("wang").await.attributes.0.contains_key("cost_center"));
    }
);

both!(
    /// LDAP-016, LDAP-052: two suffixes of a real server, and what becomes of somebody who moves between them.
    two_suffixes_of_a_real_server,
    |kind| async move {
        const SECOND: &str = "dc=north,dc=test";
        let second = format!(
            "dn: {SECOND}\nobjectClass: dcObject\nobjectClass: organization\ndc: north\no: North\n\n\
             dn: ou=staff,{SECOND}\nobjectClass: organizationalUnit\nou: staff\n\n\
             dn: uid=north.one,ou=staff,{SECOND}\nobjectClass: inetOrgPerson\nuid: north.one\ncn: North One\nsn: One\n\
             employeeNumber: N1\nmail: one@north.test\n\n"
        );
        let start = move || Slapd::start(Options { second: Some((SECOND, &second)), people: 30, ..Options::default() });
        let slapd = tokio::task::spawn_blocking(start).await.unwrap();
        let first = slapd.plain();
        let north = first.replace("base_dn = \"dc=example,dc=com\"", &format!("base_dn = \"{SECOND}\""));
        assert_ne!(first, north);
        let users = "[source.users]\nlogin = \"uid\"\nemployee_number = \"employeeNumber\"\nmail = \"mail\"\nmanager = \"manager\"\n\
                     [source.departments]\nfrom = \"ou\"\n";
        let several = Several::new(
            kind,
            &format!(
                "[[source]]\nname = \"main\"\n{first}{users}[[source]]\nname = \"north\"\n{north}{users}[source.join]\n"
            ),
        )
        .await;
        assert_eq!(several.run("main").await.users.created, 30);
        assert_eq!(several.run("north").await.users.created, 1);
        // A manager of the other suffix, and an entry for somebody whom the first suffix owns.
        let mut tx = several.broker.db.read().await.unwrap();
        let people = tx.users().list_by_source("main").await.unwrap();
        let links = tx.links().list_by_source("main").await.unwrap();
        drop(tx);
        let boss = people.iter().find(|user| user.mail.is_some()).unwrap();
        let dn = &links.iter().find(|link| link.object_id == boss.id.0).unwrap().dn;
        let number = boss.employee_number.clone().unwrap();
        let modify = format!(
            "dn: uid=north.one,ou=staff,{SECOND}\nchangetype: modify\nadd: manager\nmanager: {dn}\n\n\
             dn: uid=north.two,ou=staff,{SECOND}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: north.two\ncn: Two\nsn: Two\n\
             employeeNumber: {number}\nmail: two@north.test\n\n"
        );
        slapd.modify_as(&format!("cn=admin,{SECOND}"), &modify);
        let report = several.run("north").await;
        assert_eq!((report.state, report.users.created, report.findings.len()), (RunState::Applied, 0, 0), "{report:#?}");
        assert_eq!(several.user("north.one").await.manager_id, Some(boss.id));
        assert_eq!(report.masters["mail"]["main"], 1);
        // The contributor's entry goes: nothing happens. The owner's goes: locked out, looked up in between.
        slapd.modify_as(&format!("cn=admin,{SECOND}"), &format!("dn: uid=north.two,ou=staff,{SECOND}\nchangetype: delete\n\n"));
        several.run("north").await;
        assert_eq!(several.user(&boss.login).await.status, Status::Active);
        slapd.modify(&format!("dn: {dn}\nchangetype: delete\n\n"));
        let report = several.run("main").await;
        assert_eq!((report.state, report.users.absent, report.moved_out), (RunState::Applied, 1, 0), "{report:#?}");
        assert_eq!(several.user(&boss.login).await.status_reason.as_deref(), Some("absent"));
    }
);
