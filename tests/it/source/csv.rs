//! Tables: the export of an HR system, in the encodings that such systems use, complete or not.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use yaopai::config::SourceConfig;
use yaopai::source::{self, Level, Snapshot, SourceError};
use yaopai::time::Clock;

use super::{one, read, source_of};
use crate::both;
use crate::harness::App;

const PEOPLE: &str = "工号,姓名,登录名,部门,岗位,上级,用户组\n\
    1001,王芳,wang.fang,华东区/上海/财务部,财务经理,,审批人;财务\n\
    1002,\"李,娜\",li.na,华东区/上海/财务部,会计,1001,财务\n\
    1003,𠮷野,yoshino,华东区/苏州,销售,9999,\n\
    ,,,,,,\n";

const MAPPING: &str = "
[source.csv.columns]
employeeNumber = \"工号\"
cn = \"姓名\"
uid = \"登录名\"
department = \"部门\"
title = \"岗位\"
manager = \"上级\"
groups = \"用户组\"
[source.users]
employee_number = \"employeeNumber\"
manager = \"manager\"
title = \"title\"
[source.departments]
from = \"attribute\"
attribute = \"department\"
[source.positions]
attribute = \"title\"
[source.groups]
";

fn config(keys: &str) -> SourceConfig {
    source_of(&format!("[[source]]\nname = \"hr\"\n[source.csv]\ngroups = \"groups\"\n{keys}\n{MAPPING}"))
}

fn renamed() -> SourceConfig {
    config("file = \"people.csv\"\ncomplete = \"renamed\"")
}

fn folder(bytes: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("people.csv"), bytes).unwrap();
    folder
}

async fn read_bytes(bytes: &[u8]) -> Result<Snapshot, SourceError> {
    read(&renamed(), folder(bytes).path()).await
}

fn rows(snapshot: &Snapshot) -> Vec<(&str, &str)> {
    snapshot.users.iter().map(|user| (user.external_id.as_str(), one(user, "cn"))).collect()
}

const EXPECTED: [(&str, &str); 3] = [("1001", "王芳"), ("1002", "李,娜"), ("1003", "𠮷野")];

/// LDAP-036, LDAP-061: whatever the encoding and the separator, the same people, rare characters included.
#[tokio::test]
async fn a_table_is_read_in_the_encodings_and_with_the_separators_of_hr_systems() {
    let (gb, _, lossy) = encoding_rs::GB18030.encode(PEOPLE);
    assert!(!lossy);
    let wide: Vec<u8> = [0xfeff].into_iter().chain(PEOPLE.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let quoted = PEOPLE
        .replace("审批人;财务", "\"审批人;财务\"")
        .replace("李,娜", "李，娜")
        .replace(',', ";")
        .replace('，', ",");
    for bytes in [
        PEOPLE.as_bytes().to_vec(),
        [b"\xef\xbb\xbf", PEOPLE.as_bytes()].concat(),
        gb.into_owned(),
        wide,
        PEOPLE.replace('\n', "\r\n").into_bytes(),
        quoted.into_bytes(),
    ] {
        let snapshot = read_bytes(&bytes).await.unwrap();
        assert_eq!(rows(&snapshot), EXPECTED);
        assert!(snapshot.rejected.is_empty());
        // By number, as a name; a number that is nobody's stays what it was.
        assert_eq!(one(&snapshot.users[1], "manager"), snapshot.users[0].dn);
        assert_eq!(one(&snapshot.users[2], "manager"), "9999");
        let groups: Vec<_> =
            snapshot.groups.iter().map(|group| (one(group, "cn"), group.attributes.all("member").len())).collect();
        assert_eq!(groups, [("审批人", 1), ("财务", 2)]);
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_refused_with_the_remedy() {
    for bytes in [b"\xef\xbb\xbf\xff\xff".as_slice(), b"a,b\n\xff\xff,\x81\n"] {
        let error = read_bytes(bytes).await.unwrap_err();
        assert!(error.to_string().contains("source.csv.encoding"), "{error}");
    }
    // Latin-1 letters happen to be GB 18030 as well: who knows better names the encoding.
    let folder = folder(b"\xb9\xa4\xba\xc5\n1\n");
    let error =
        read(&config("file = \"people.csv\"\ncomplete = \"renamed\"\nencoding = \"latin7-x\""), folder.path()).await;
    assert!(error.unwrap_err().to_string().contains("no encoding"));
}

/// A column that is missing, or there twice, is named; so is what there is instead.
#[tokio::test]
async fn the_header_is_checked() {
    for (header, words) in [
        (PEOPLE.replace("上级", "主管"), "no column `上级` (for manager); it has `工号`"),
        (PEOPLE.replace("岗位", "上级"), "more than one column `上级` (for manager)"),
        (PEOPLE.replace("姓名", "工号"), "工号"),
        ("工号\n1\n".to_owned(), "no column"),
        (PEOPLE.lines().next().unwrap().to_owned(), "no row"),
        (String::new(), "no column"),
    ] {
        let error = read_bytes(header.as_bytes()).await.unwrap_err();
        assert!(matches!(error, SourceError::Table { .. }) && error.to_string().contains(words), "{words}: {error}");
    }
}

/// LDAP-044: of two rows with one number neither is taken, and the account stays as it is.
#[tokio::test]
async fn a_number_in_two_rows_is_nobodys() {
    let twice = format!("{PEOPLE}1002,赵敏,zhao.min,华东区,会计,1001,\n,孙丽,sun.li,华东区,会计,1001,\n");
    let snapshot = read_bytes(twice.as_bytes()).await.unwrap();
    assert_eq!(rows(&snapshot), [EXPECTED[0], EXPECTED[2]]);
    let rejected: Vec<_> =
        snapshot.rejected.iter().map(|r| (r.external_id.as_deref(), r.code.as_str(), r.dn.as_str())).collect();
    assert_eq!(
        rejected,
        [
            (Some("1002"), "rejected:duplicate_id", "line=3"),
            (Some("1002"), "rejected:duplicate_id", "line=6"),
            (None, "rejected:no_id", "line=7"),
        ]
    );
}

/// LDAP-002: a copy under way is no shorter company.
#[tokio::test]
async fn a_file_that_is_cut_in_the_middle_of_a_row_is_refused() {
    let cut = &PEOPLE[..PEOPLE.find("会计").unwrap()];
    let error = read_bytes(cut.as_bytes()).await.unwrap_err();
    assert!(error.to_string().contains("line 3") && error.to_string().contains("copied completely"), "{error}");
}

/// LDAP-002: cut between two rows it looks whole; only the marker or the checksum knows.
#[tokio::test]
async fn a_file_is_read_only_when_it_is_known_to_be_complete() {
    let folder = folder(PEOPLE.as_bytes());
    let at = |name: &str| folder.path().join(name);
    let marker = config("file = \"people.csv\"\ncomplete = { marker = \"people.done\" }");
    let fails = async |config: &SourceConfig, words: &str| {
        let error = read(config, folder.path()).await.unwrap_err();
        let is_it = matches!(error, SourceError::Incomplete { .. }) && error.code() == "file_incomplete";
        assert!(is_it && error.to_string().contains(words), "{words}: {error}");
    };
    fails(&marker, "not there yet").await;
    std::fs::write(at("people.done"), "").unwrap();
    assert_eq!(read(&marker, folder.path()).await.unwrap().users.len(), 3);
    // Tomorrow's file under yesterday's marker.
    let later = std::fs::metadata(at("people.done")).unwrap().modified().unwrap() + Duration::from_secs(5);
    std::fs::File::options().write(true).open(at("people.csv")).unwrap().set_modified(later).unwrap();
    fails(&marker, "older than the file").await;

    let checksum = config("file = \"people.csv\"\ncomplete = { checksum = \"people.csv.sha256\" }");
    let sum = yaopai::crypto::sha256_hex(PEOPLE.as_bytes());
    std::fs::write(at("people.csv.sha256"), format!("{sum}  people.csv\n")).unwrap();
    assert_eq!(read(&checksum, folder.path()).await.unwrap().users.len(), 3);
    let shorter = &PEOPLE[..PEOPLE.find("1003").unwrap()];
    std::fs::write(at("people.csv"), shorter).unwrap();
    fails(&checksum, "checksum is not that of").await;
    std::fs::write(at("people.csv.sha256"), "soon").unwrap();
    fails(&checksum, "holds no SHA-256").await;
    std::fs::remove_file(at("people.csv.sha256")).unwrap();
    assert!(matches!(read(&checksum, folder.path()).await.unwrap_err(), SourceError::File { .. }));
}

/// There is no default for what makes a file complete, and a mapping that cannot work is refused at start.
#[test]
fn a_configuration_that_cannot_work_is_refused() {
    let parse = |keys: &str, mapping: &str| {
        let text = format!(
            "[server]\npublic_url = \"https://id.example.com\"\n[[source]]\nname = \"hr\"\n[source.csv]\n{keys}\n{mapping}"
        );
        yaopai::config::Config::parse(Path::new("yaopai.toml"), &text, &[]).unwrap_err().to_string()
    };
    let whole = "file = \"a.csv\"\ncomplete = \"renamed\"\n";
    for (keys, mapping, words) in [
        ("file = \"a.csv\"", MAPPING.to_owned(), "complete"),
        (whole, MAPPING.replace("from = \"attribute\"\nattribute = \"department\"", "from = \"ou\""), "no units"),
        (&format!("{whole}groups = \"teams\""), MAPPING.to_owned(), "none of csv.columns"),
        (&format!("{whole}separator = \"::\""), MAPPING.to_owned(), "one ASCII character"),
        (whole, MAPPING.replace("uid =", "\"登录\" ="), "no attribute name"),
    ] {
        let why = parse(keys, &mapping);
        assert!(why.contains(words), "{words}: {why}");
    }
}

#[tokio::test]
async fn the_doctor_reads_the_table() {
    let check = async |bytes: &[u8]| {
        let folder = folder(bytes);
        let findings = source::check(&renamed(), folder.path(), Clock::System.now()).await;
        findings.into_iter().max_by_key(|finding| finding.level).unwrap()
    };
    let good = check(PEOPLE.as_bytes()).await;
    assert!(good.level == Level::Good && good.text.contains("3 people, 0 departments and 2 groups"), "{good:?}");
    let bad = check(PEOPLE.replace("工号", "编号").as_bytes()).await;
    assert!(bad.level == Level::Failed && bad.text.contains("`工号`"), "{bad:?}");
}

/// A workbook with one sheet: a number, a date and text a cell.
fn workbook(sheet: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let open = "http://schemas.openxmlformats.org";
    for (name, text) in [
        (
            "[Content_Types].xml",
            format!(
                "<Types xmlns=\"{open}/package/2006/content-types\"><Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{open}/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"{open}/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{open}/spreadsheetml/2006/main\" xmlns:r=\"{open}/officeDocument/2006/relationships\"><sheets><sheet name=\"在职\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{open}/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"{open}/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!("<worksheet xmlns=\"{open}/spreadsheetml/2006/main\"><sheetData>{sheet}</sheetData></worksheet>"),
        ),
    ] {
        zip.start_file(name, stored).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn cells(line: usize, cells: &[&str]) -> String {
    let cell = |(at, text): (usize, &&str)| {
        let column = char::from(b'A' + u8::try_from(at).unwrap());
        match text.parse::<f64>() {
            Ok(number) => format!("<c r=\"{column}{line}\"><v>{number:?}</v></c>"),
            Err(_) => format!("<c r=\"{column}{line}\" t=\"inlineStr\"><is><t>{text}</t></is></c>"),
        }
    };
    format!("<row r=\"{line}\">{}</row>", cells.iter().enumerate().map(cell).collect::<String>())
}

#[tokio::test]
async fn a_workbook_is_read_like_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let header = ["工号", "姓名", "登录名", "部门", "岗位", "上级", "用户组"];
    // Numbers are stored as 1001.0.
    let sheet = [
        cells(1, &header),
        cells(2, &["1001", "王芳", "wang.fang", "华东区/上海", "经理", "", "财务"]),
        cells(3, &["1002", "李娜", "li.na", "华东区/上海", "会计", "1001", "财务"]),
    ];
    let bytes = workbook(&sheet.concat());
    std::fs::write(folder.path().join("people.xlsx"), &bytes).unwrap();
    let excel = config("file = \"people.xlsx\"\ncomplete = \"renamed\"");
    let snapshot = read(&excel, folder.path()).await.unwrap();
    assert_eq!(rows(&snapshot), [("1001", "王芳"), ("1002", "李娜")]);
    assert_eq!(one(&snapshot.users[1], "manager"), snapshot.users[0].dn);
    let other = config("file = \"people.xlsx\"\ncomplete = \"renamed\"\nsheet = \"离职\"");
    let error = read(&other, folder.path()).await.unwrap_err();
    assert!(error.to_string().contains("no sheet `离职`; there are: 在职"), "{error}");
    // Half a workbook has no directory at its end.
    std::fs::write(folder.path().join("people.xlsx"), &bytes[..bytes.len() / 2]).unwrap();
    let error = read(&excel, folder.path()).await.unwrap_err();
    assert!(matches!(error, SourceError::Table { .. }) && error.to_string().contains("copied completely"), "{error}");
    let broken = cells(4, &["1003"]).replace("<v>1003.0</v>", "<v>#REF!</v>").replace("<c ", "<c t=\"e\" ");
    std::fs::write(folder.path().join("people.xlsx"), workbook(&(sheet.concat() + &broken))).unwrap();
    let error = read(&excel, folder.path()).await.unwrap_err();
    assert!(error.to_string().contains("line 4") && error.to_string().contains("#REF!"), "{error}");
}

both!(
    /// LDAP-013: a file that is incomplete tonight disables nobody; departments, positions, managers and groups come from
    /// columns.
    a_table_becomes_people_and_an_incomplete_one_changes_nothing,
    |kind| async move {
        let folder = folder(PEOPLE.as_bytes());
        std::fs::write(folder.path().join("people.done"), "").unwrap();
        let keys = format!(
            "file = \"{0}/people.csv\"\ncomplete = {{ marker = \"{0}/people.done\" }}\ngroups = \"groups\"",
            folder.path().display()
        );
        let app = App::with_config(kind, &format!("[[source]]\nname = \"hr\"\n[source.csv]\n{keys}\n{MAPPING}")).await;
        let report = yaopai::sync::run(&app.broker, "hr", "test", &mut |_| {}).await.unwrap();
        assert_eq!((report.users.created, report.departments.created), (3, 4), "{report:?}");
        assert_eq!((report.groups.created, report.positions.created, report.members.added), (2, 3, 3), "{report:?}");
        let mut tx = app.broker.db.read().await.unwrap();
        let found: Vec<(String, String)> = tx
            .all(
                "SELECT users.login, managers.login FROM users JOIN users AS managers ON managers.id = users.manager_id",
                &[],
            )
            .await
            .unwrap();
        assert_eq!(found, [("li.na".to_owned(), "wang.fang".to_owned())]);
        drop(tx);

        std::fs::write(folder.path().join("people.csv"), "工号,姓名,登录名,部门,岗位,上级,用户组\n1001,王芳,wang.fang,,,,\n").unwrap();
        let later = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
        std::fs::File::options().write(true).open(folder.path().join("people.csv")).unwrap().set_modified(later).unwrap();
        assert!(yaopai::sync::run(&app.broker, "hr", "test", &mut |_| {}).await.is_err());
        let mut tx = app.broker.db.read().await.unwrap();
        let active: Vec<(String,)> = tx.all("SELECT login FROM users WHERE status = 'active' ORDER BY login", &[]).await.unwrap();
        assert_eq!(active.len(), 3);
    }
);
