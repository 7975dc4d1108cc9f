//! The org tree: group → head office and regional companies → departments → teams. It grows with the number of
//! people: 1,200 work in some sixty departments, 20,000 in some three hundred.

use super::COMPANY;

/// A node of the org tree.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub name: String,
    pub code: String,
    pub dn: String,
    /// Index of the node above.
    pub above: Option<usize>,
    /// Whether it was closed: nobody works here, and no entry stands for it.
    pub is_closed: bool,
    /// Names it had before.
    pub was: Vec<String>,
    /// Order among siblings.
    pub order: usize,
    /// The legal entity that it is, for the company and its subsidiaries.
    pub entity: Option<String>,
    /// Title of the head; none for a node without one.
    pub head: Option<&'static str>,
    /// Titles of those who work directly here; nobody does when empty.
    pub staff: &'static [&'static str],
    /// How many work here in proportion to others.
    pub weight: u64,
}

/// Name, code, titles of staff, teams (name, title).
type Department =
    (&'static str, &'static str, &'static [&'static str], &'static [(&'static str, &'static [&'static str])]);

const HEAD_OFFICE: &[Department] = &[
    ("总裁办公室", "CEO", &["行政秘书", "战略分析师"], &[]),
    ("财务部", "FIN", &[], &[("会计组", &["会计"]), ("报销组", &["报销专员"]), ("资金组", &["出纳"])]),
    ("人力资源部", "HR", &["人事专员"], &[("招聘组", &["招聘专员"]), ("薪酬组", &["薪酬专员"])]),
    (
        "信息技术部",
        "IT",
        &[],
        &[("运维组", &["系统管理员"]), ("开发组", &["软件工程师"]), ("信息安全组", &["安全工程师"])],
    ),
    ("法务审计部", "LAW", &["法务专员", "审计师"], &[]),
    ("质量, 安全+环保部", "QHSE", &["质量工程师", "安全员"], &[]),
    ("采购部", "PUR", &["采购专员"], &[]),
];

const REGIONS: &[(&str, &str)] = &[
    ("华东分公司", "HD"),
    ("华北分公司", "HB"),
    ("华南分公司", "HN"),
    ("西南分公司", "XN"),
    ("华中分公司", "HZ"),
    ("东北分公司", "DB"),
    ("西北分公司", "XB"),
];

/// Name, code, titles, weight; `true`: divided into numbered teams.
const REGIONAL: &[(&str, &str, &[&str], u64, bool)] = &[
    ("销售部", "SAL", &["销售代表", "客户经理"], 40, true),
    ("工程部", "ENG", &["工程师", "项目经理", "技术员"], 50, true),
    ("客户服务部", "SVC", &["客服专员"], 25, false),
    ("财务部", "FIN", &["会计", "报销专员"], 6, false),
    ("综合管理部", "ADM", &["人事专员", "行政专员"], 6, false),
    ("仓储物流部", "LOG", &["仓管员", "物流专员"], 20, false),
];

/// The tree for that many people, each node after the one above it.
pub(super) fn tree(people: usize) -> Vec<Unit> {
    let mut units = vec![Unit {
        name: "青屿集团".to_owned(),
        code: "QY".to_owned(),
        dn: COMPANY.to_owned(),
        above: None,
        is_closed: false,
        was: Vec::new(),
        order: 1,
        entity: Some("青屿集团有限公司".to_owned()),
        head: Some("总经理"),
        staff: &[],
        weight: 0,
    }];
    head_office(&mut units);
    let regions = (people / 300).clamp(1, REGIONS.len());
    let teams = (people / regions / 150).clamp(2, 40);
    for (name, code) in REGIONS.iter().take(regions) {
        let region = below(&mut units, 0, name, code, Some("区域总经理"), &[], 0);
        if let Some(unit) = units.get_mut(region) {
            unit.entity = Some(format!("青屿{}有限公司", name.trim_end_matches("分公司")));
        }
        for (name, code, staff, weight, has_teams) in REGIONAL {
            if !has_teams {
                below(&mut units, region, name, code, Some("部门经理"), staff, *weight);
                continue;
            }
            let department = below(&mut units, region, name, code, Some("部门经理"), &[], 0);
            let stem = name.trim_end_matches('部');
            for n in 1..=teams {
                let share = (weight / teams as u64).max(1);
                below(
                    &mut units,
                    department,
                    &format!("{stem}{}组", numeral(n)),
                    &n.to_string(),
                    Some("组长"),
                    staff,
                    share,
                );
            }
        }
    }
    units
}

fn head_office(units: &mut Vec<Unit>) {
    let office = below(units, 0, "集团总部", "HQ", None, &[], 0);
    for (name, code, staff, teams) in HEAD_OFFICE {
        let weight = if staff.is_empty() { 0 } else { 6 };
        let department = below(units, office, name, code, Some("部门经理"), staff, weight);
        for (n, (name, staff)) in teams.iter().enumerate() {
            below(units, department, name, &(n + 1).to_string(), Some("组长"), staff, 6);
        }
    }
}

fn below(
    units: &mut Vec<Unit>,
    above: usize,
    name: &str,
    code: &str,
    head: Option<&'static str>,
    staff: &'static [&'static str],
    weight: u64,
) -> usize {
    let (dn, prefix) = units.get(above).map(|unit| (unit.dn.clone(), unit.code.clone())).unwrap_or_default();
    let order = units.iter().filter(|unit| unit.above == Some(above)).count() + 1;
    units.push(Unit {
        name: name.to_owned(),
        code: format!("{prefix}-{code}"),
        dn: format!("ou={},{dn}", escape(name)),
        above: Some(above),
        is_closed: false,
        was: Vec::new(),
        order,
        entity: None,
        head,
        staff,
        weight,
    });
    units.len() - 1
}

/// A value inside a DN (RFC 4514 section 2.4); names here neither begin nor end with a blank.
pub(super) fn escape(value: &str) -> String {
    let mut out = String::new();
    for c in value.chars() {
        if matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Numbers up to 99 as they are written in names of teams.
fn numeral(n: usize) -> String {
    let digit = |n: usize| "零一二三四五六七八九".chars().nth(n).map(String::from).unwrap_or_default();
    let tens = match n / 10 {
        0 => String::new(),
        1 => "十".to_owned(),
        tens => format!("{}十", digit(tens)),
    };
    let ones = if n.is_multiple_of(10) { String::new() } else { digit(n % 10) };
    format!("{tens}{ones}")
}
