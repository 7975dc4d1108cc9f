//! Fluent messages, compiled in and parsed once.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::langid;

use crate::string_enum;

/// Arguments of a message.
pub type Args<'a> = FluentArgs<'a>;

/// One of them: a text, or a number that the plural follows.
pub type Value<'a> = FluentValue<'a>;

string_enum! {
    /// A language that pages and messages come in.
    Language {
        /// Simplified Chinese.
        Zh = "zh-CN",
        /// English.
        En = "en",
    }
}

impl Language {
    /// The first of the languages of `ui_locales` that pages come in (OpenID Connect Core 1.0 section 3.1.2.1).
    #[must_use]
    pub fn of_locales(locales: &str) -> Option<Self> {
        locales.split(' ').find_map(|tag| match tag.split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
            "zh" => Some(Self::Zh),
            "en" => Some(Self::En),
            _ => None,
        })
    }

    /// The best of an `Accept-Language` header (RFC 9110 section 12.5.4); English when nothing fits.
    #[must_use]
    pub fn negotiate(header: &str) -> Self {
        let mut best = (0.0f32, Self::En);
        for part in header.split(',') {
            let (tag, quality) = part.split_once(";q=").unwrap_or((part, "1"));
            let quality = quality.trim().parse::<f32>().unwrap_or(0.0);
            let tag = tag.trim().to_ascii_lowercase();
            let language = match tag.split('-').next() {
                Some("zh") => Self::Zh,
                Some("en") => Self::En,
                _ => continue,
            };
            if quality > best.0 {
                best = (quality, language);
            }
        }
        best.1
    }
}

type Bundle = FluentBundle<FluentResource>;

static ZH: LazyLock<Bundle> = LazyLock::new(|| bundle(langid!("zh-CN"), include_str!("locales/zh-CN.ftl")));
static EN: LazyLock<Bundle> = LazyLock::new(|| bundle(langid!("en"), include_str!("locales/en.ftl")));

fn bundle(language: unic_langid::LanguageIdentifier, text: &str) -> Bundle {
    let mut bundle = Bundle::new_concurrent(vec![language]);
    bundle.set_use_isolating(false);
    // A faulty line is left out and shows as its key; the tidy test fails on it.
    let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(resource, _)| resource);
    bundle.add_resource_overriding(resource);
    bundle
}

/// The message `key` in `language`; the key itself where there is no such message.
#[must_use]
pub fn message(language: Language, key: &str, args: &Args<'_>) -> String {
    let bundle = match language {
        Language::Zh => &*ZH,
        Language::En => &*EN,
    };
    let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else { return key.to_owned() };
    bundle.format_pattern(pattern, Some(args), &mut Vec::new()).into_owned()
}

/// The message `key` in `language` with named values.
#[must_use]
pub fn say(language: Language, key: &str, named: &[(&str, Value<'_>)]) -> String {
    let mut args = Args::new();
    for (name, value) in named {
        args.set(*name, value.clone());
    }
    message(language, key, &args)
}

#[cfg(test)]
mod tests {
    use super::{Language, say};

    #[test]
    fn a_plural_follows_its_number() {
        let days = |days: i64| say(Language::En, "work-age", &[("days", days.into())]);
        assert_eq!([days(1), days(2)], ["for one day", "for 2 days"]);
    }

    #[test]
    fn the_browsers_language_is_taken() {
        assert_eq!(Language::negotiate("zh-CN,zh;q=0.9,en;q=0.8"), Language::Zh);
        assert_eq!(Language::negotiate("en-GB,zh;q=0.5"), Language::En);
        assert_eq!(Language::negotiate("fr, zh;q=0.3"), Language::Zh);
        assert_eq!(Language::negotiate(""), Language::En);
    }
}
