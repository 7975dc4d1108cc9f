//! What people are called: common family names and given characters with their pinyin, and a few names that are hard
//! on software (a rare character, a middle dot, an apostrophe, a comma).

use std::collections::HashMap;

use super::company::Draw;

/// Family names, the most common first.
const FAMILY: &[(&str, &str)] = &[
    ("王", "wang"),
    ("李", "li"),
    ("张", "zhang"),
    ("刘", "liu"),
    ("陈", "chen"),
    ("杨", "yang"),
    ("黄", "huang"),
    ("赵", "zhao"),
    ("吴", "wu"),
    ("周", "zhou"),
    ("徐", "xu"),
    ("孙", "sun"),
    ("马", "ma"),
    ("朱", "zhu"),
    ("胡", "hu"),
    ("郭", "guo"),
    ("何", "he"),
    ("林", "lin"),
    ("高", "gao"),
    ("罗", "luo"),
    ("郑", "zheng"),
    ("梁", "liang"),
    ("谢", "xie"),
    ("宋", "song"),
    ("唐", "tang"),
    ("许", "xu"),
    ("韩", "han"),
    ("冯", "feng"),
    ("邓", "deng"),
    ("曹", "cao"),
    ("彭", "peng"),
    ("曾", "zeng"),
    ("肖", "xiao"),
    ("田", "tian"),
    ("董", "dong"),
    ("潘", "pan"),
    ("袁", "yuan"),
    ("蔡", "cai"),
    ("蒋", "jiang"),
    ("余", "yu"),
    ("于", "yu"),
    ("杜", "du"),
    ("叶", "ye"),
    ("程", "cheng"),
    ("魏", "wei"),
    ("苏", "su"),
    ("吕", "lv"),
    ("丁", "ding"),
    ("任", "ren"),
    ("沈", "shen"),
    ("姚", "yao"),
    ("卢", "lu"),
    ("姜", "jiang"),
    ("崔", "cui"),
    ("欧阳", "ouyang"),
    ("上官", "shangguan"),
    ("司马", "sima"),
];

/// Characters of given names.
const GIVEN: &[(&str, &str)] = &[
    ("伟", "wei"),
    ("敏", "min"),
    ("丽", "li"),
    ("强", "qiang"),
    ("军", "jun"),
    ("杰", "jie"),
    ("娟", "juan"),
    ("勇", "yong"),
    ("艳", "yan"),
    ("涛", "tao"),
    ("明", "ming"),
    ("超", "chao"),
    ("秀", "xiu"),
    ("霞", "xia"),
    ("平", "ping"),
    ("刚", "gang"),
    ("桂", "gui"),
    ("英", "ying"),
    ("华", "hua"),
    ("玉", "yu"),
    ("兰", "lan"),
    ("红", "hong"),
    ("梅", "mei"),
    ("鑫", "xin"),
    ("宇", "yu"),
    ("浩", "hao"),
    ("凯", "kai"),
    ("健", "jian"),
    ("俊", "jun"),
    ("帆", "fan"),
    ("雪", "xue"),
    ("婷", "ting"),
    ("慧", "hui"),
    ("佳", "jia"),
    ("思", "si"),
    ("雨", "yu"),
    ("欣", "xin"),
    ("怡", "yi"),
    ("晨", "chen"),
    ("辰", "chen"),
    ("子", "zi"),
    ("轩", "xuan"),
    ("文", "wen"),
    ("博", "bo"),
    ("志", "zhi"),
    ("海", "hai"),
    ("波", "bo"),
    ("宁", "ning"),
    ("国", "guo"),
    ("庆", "qing"),
    ("春", "chun"),
    ("龙", "long"),
    ("飞", "fei"),
    ("鹏", "peng"),
    ("斌", "bin"),
    ("云", "yun"),
    ("洁", "jie"),
    ("琳", "lin"),
    ("瑞", "rui"),
    ("嘉", "jia"),
    ("睿", "rui"),
    ("梓", "zi"),
    ("涵", "han"),
    ("诗", "shi"),
    ("琪", "qi"),
    ("颖", "ying"),
    ("楠", "nan"),
    ("岚", "lan"),
    ("锋", "feng"),
    ("毅", "yi"),
    ("峰", "feng"),
    ("晓", "xiao"),
    ("东", "dong"),
    ("立", "li"),
    ("永", "yong"),
    ("建", "jian"),
    ("成", "cheng"),
    ("康", "kang"),
    ("安", "an"),
    ("若", "ruo"),
    ("清", "qing"),
    ("远", "yuan"),
    ("航", "hang"),
    ("璐", "lu"),
];

/// Names that break careless software: family name, given name, name as shown, login.
const HARD: &[(&str, &str, &str, &str)] = &[
    ("𠮷", "野", "𠮷野", "ji.ye"),
    ("买买提", "阿依古丽", "阿依古丽·买买提", "ayiguli.maimaiti"),
    ("O'Brien", "Seán", "Seán O'Brien, Jr. (外籍专家)", "sean.obrien"),
    ("王", "䶮", "王䶮", "wang.yan"),
    ("<script>", "李", "李<script>alert('工号')</script>", "li.script"),
    ("=SUM(A1)", "赵", "=SUM(A1) 赵", "zhao.sum"),
];

/// A name and the login made of it.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub family: String,
    pub given: String,
    pub shown: String,
    /// The name in Latin letters, family name first.
    pub latin: String,
    pub login: String,
}

/// Gives out names; no login twice.
#[derive(Clone, Debug)]
pub(super) struct Names {
    taken: HashMap<String, u32>,
    hard: std::slice::Iter<'static, (&'static str, &'static str, &'static str, &'static str)>,
    given_out: usize,
}

impl Names {
    /// A register in which `reserved` logins are taken.
    pub fn new(reserved: impl Iterator<Item = &'static str>) -> Self {
        Self { taken: reserved.map(|login| (login.to_owned(), 1)).collect(), hard: HARD.iter(), given_out: 0 }
    }

    /// The next name; every thirtieth is a hard one until there are no more.
    pub fn next(&mut self, draw: &Draw) -> Name {
        self.given_out += 1;
        if self.given_out.is_multiple_of(30)
            && let Some((family, given, shown, login)) = self.hard.next()
        {
            return self.register(family, given, shown, login);
        }
        let (family, family_latin) = draw.early(FAMILY);
        let (first, first_latin) = draw.one(GIVEN);
        if draw.below(4) == 0 {
            return self.register(family, first, &format!("{family}{first}"), &format!("{family_latin}.{first_latin}"));
        }
        let (second, second_latin) = draw.one(GIVEN);
        let given = format!("{first}{second}");
        let login = format!("{family_latin}.{first_latin}{second_latin}");
        self.register(family, &given, &format!("{family}{given}"), &login)
    }

    fn register(&mut self, family: &str, given: &str, shown: &str, login: &str) -> Name {
        let count = self.taken.entry(login.to_owned()).or_insert(0);
        *count += 1;
        let unique = if *count == 1 { login.to_owned() } else { format!("{login}{count}") };
        Name {
            family: family.to_owned(),
            given: given.to_owned(),
            shown: shown.to_owned(),
            latin: latin(login),
            login: unique,
        }
    }
}

/// `zhang.weimin` → `Zhang Weimin`.
pub(super) fn latin(login: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    login.split('.').map(capital).collect::<Vec<_>>().join(" ")
}
