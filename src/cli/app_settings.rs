//! Every setting of an application, as `yaopai app add` takes it: a flag, a line of `--file`, or `--set key=value`. All
//! of them become one TOML table with the keys of `[[application]]`, which is read as the configuration is.

use std::path::Path;

use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use toml::{Table, Value};

use super::app_flags::Takes::{Is, Pairs, Says, Text, Texts, Word, Words};
use super::app_flags::{FLAGS, Flag};
use crate::config::ApplicationConfig;

/// What the flags of a command line say, as a table.
#[derive(Clone, Debug, Default)]
pub(super) struct Given(Table);

impl clap::Args for Given {
    fn augment_args(mut command: Command) -> Command {
        for Flag(name, _, takes, help) in FLAGS {
            let arg = Arg::new(*name).long(*name).help(*help);
            command = command.arg(match takes {
                Text => arg.action(ArgAction::Set),
                Texts => arg.action(ArgAction::Append),
                Word(words) => arg.action(ArgAction::Set).value_parser(PossibleValuesParser::new(words())),
                Words(words) => arg.action(ArgAction::Append).value_parser(PossibleValuesParser::new(words())),
                Pairs => arg.action(ArgAction::Append).value_name("NAME=VALUE"),
                Is(_) | Says(_) => arg.action(ArgAction::SetTrue),
            });
        }
        let help = "Any key of `[[application]]`, such as tokens.format=opaque; may be given several times";
        command.arg(Arg::new("set").long("set").action(ArgAction::Append).value_name("KEY=VALUE").help(help))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Given {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Self::default();
        given.update_from_arg_matches(matches)?;
        Ok(given)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let wrong = |why: String| clap::Error::raw(clap::error::ErrorKind::ValueValidation, format!("{why}\n"));
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        for Flag(name, key, takes, _) in FLAGS {
            let mut put = |value: Value| merge(&mut self.0, nested(key, value));
            match takes {
                Text | Word(_) => text(name).into_iter().for_each(|text| put(text.into())),
                Texts | Words(_) => {
                    let all: Vec<Value> = matches
                        .get_many::<String>(name)
                        .into_iter()
                        .flatten()
                        .map(|text| text.clone().into())
                        .collect();
                    if !all.is_empty() {
                        put(all.into());
                    }
                }
                Pairs => {
                    for pair in matches.get_many::<String>(name).into_iter().flatten() {
                        put(Value::Table(pair_table(name, pair).map_err(wrong)?));
                    }
                }
                Is(value) if matches.get_flag(name) => put((*value).into()),
                Says(word) if matches.get_flag(name) => put((*word).into()),
                Is(_) | Says(_) => {}
            }
        }
        for pair in matches.get_many::<String>("set").into_iter().flatten() {
            merge(&mut self.0, pair_table("set", pair).map_err(wrong)?);
        }
        Ok(())
    }
}

impl Given {
    /// The application that the file and the flags describe; what the flags say goes before.
    pub fn describe(self, id: &str, file: Option<&Path>) -> anyhow::Result<ApplicationConfig> {
        let Some(file) = file else {
            return ApplicationConfig::describe(id, self.0).map_err(anyhow::Error::msg);
        };
        let place = || format!("--file `{}`", file.display());
        let text = std::fs::read_to_string(file).with_context(place)?;
        let mut table = ApplicationConfig::read(&text).map_err(anyhow::Error::msg).with_context(place)?;
        merge(&mut table, self.0);
        ApplicationConfig::describe(id, table).map_err(anyhow::Error::msg).with_context(place)
    }
}

/// `value` under a dotted key.
fn nested(key: &str, value: Value) -> Table {
    match key.split_once('.') {
        None => Table::from_iter([(key.to_owned(), value)]),
        Some((first, rest)) => Table::from_iter([(first.to_owned(), Value::Table(nested(rest, value)))]),
    }
}

/// `KEY=VALUE`: the value is TOML where it can be read so, and text otherwise.
fn pair_table(flag: &str, pair: &str) -> Result<Table, String> {
    let (key, value) = pair.split_once('=').ok_or_else(|| format!("--{flag} `{pair}`: write it as KEY=VALUE"))?;
    let text = Value::String(value.to_owned());
    let read = |value: &str| format!("{key} = {value}").parse::<Table>();
    read(value).or_else(|_| read(&text.to_string())).map_err(|_| format!("--{flag} `{pair}`: `{key}` is no key"))
}

/// Puts what `over` says over what `table` says.
fn merge(table: &mut Table, over: Table) {
    for (key, value) in over {
        match (table.get_mut(&key), value) {
            (Some(Value::Table(own)), Value::Table(over)) => merge(own, over),
            (_, value) => drop(table.insert(key, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};

    use super::{FLAGS, Given};
    use crate::config::ApplicationConfig;

    fn given(line: &[&str]) -> Given {
        let command = Given::augment_args(clap::Command::new("add").no_binary_name(true));
        Given::from_arg_matches(&command.try_get_matches_from(line).unwrap()).unwrap()
    }

    /// The keys of a table of `[[application]]`, as its reader names them when it meets one that it does not know.
    fn keys(table: &str) -> Vec<String> {
        let text = if table.is_empty() { "zzz = 1".to_owned() } else { format!("{table} = {{ zzz = 1 }}") };
        let error = ApplicationConfig::describe("x", text.parse().unwrap()).unwrap_err();
        let (_, list) = error.split_once("expected one of ").unwrap_or_else(|| panic!("{error}"));
        let prefix = if table.is_empty() { String::new() } else { format!("{table}.") };
        list.split(", ").map(|key| format!("{prefix}{}", key.trim().trim_matches('`'))).collect()
    }

    #[test]
    fn every_key_has_a_flag() {
        let tables = ["request", "identity", "proof", "tokens", "grants", "logout"];
        // Secrets are made; the older name of a lifetime; what no flag could say well is left to --set and --file.
        let others = [
            "id",
            "secret",
            "old_secret",
            "enabled",
            "access_token_lifetime",
            "proof.jwks",
            "identity.scope_texts",
            "request.authorization_details",
        ];
        let all = [""].iter().chain(&tables).flat_map(|table| keys(table));
        let missing: Vec<String> = all
            .filter(|key| !tables.contains(&key.as_str()) && !others.contains(&key.as_str()))
            .filter(|key| !FLAGS.iter().any(|flag| flag.1 == key))
            .collect();
        assert!(missing.is_empty(), "no flag sets {missing:?}");
    }

    #[test]
    fn flags_and_pairs_become_one_description() {
        let line = [
            "--auth-method",
            "private_key_jwt",
            "--redirect-uri",
            "https://a.example/cb",
            "--redirect-uri",
            "https://b.example/cb",
            "--jwks-uri",
            "https://a.example/jwks",
            "--fapi2",
            "--pairwise",
            "--sector-identifier-uri",
            "https://a.example/sector",
            "--claim",
            "staff=employee_number",
            "--claim",
            "boss={ from = \"manager\", scope = \"org\" }",
            "--dpop-bound",
            "--access-token-lifetime",
            "90s",
            "--set",
            "identity.scope_texts.\"trip:book\".en=Book trips",
            "--set",
            "request.resources=[\"https://api.example/\"]",
            "--set",
            "description=No quotes needed",
            "--without-pkce",
        ];
        let config = given(&line).describe("x", None).unwrap();
        assert_eq!(config.redirect_uris, ["https://a.example/cb", "https://b.example/cb"]);
        assert_eq!(config.identity.claims.len(), 2);
        assert_eq!(config.identity.scope_texts["trip:book"]["en"], "Book trips");
        assert_eq!(config.request.resources, ["https://api.example/"]);
        assert_eq!(config.description.as_deref(), Some("No quotes needed"));
        assert_eq!((config.require_pkce, config.profile.as_str()), (Some(false), "fapi2"));
        assert!(config.proof.dpop_bound_access_tokens);
        assert_eq!(config.tokens.access_token_lifetime.unwrap().0.num_seconds(), 90);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (line, part) in [
            (["--set", "tokens.format=paper"], "unknown variant `paper`"),
            (["--set", "tokens.fromat=jwt"], "unknown field `fromat`"),
            (["--set", "secret=x"], "a secret is made"),
            (["--access-token-lifetime", "soon"], "no length of time"),
            (["--url", "https://x.example"], "url goes with a preset"),
        ] {
            let error = given(&line).describe("x", None).unwrap_err().to_string();
            assert!(error.contains(part), "{line:?}: {error}");
        }
        let command = Given::augment_args(clap::Command::new("add").no_binary_name(true));
        for line in [["--set", "tokens"], ["--set", "a b=1"], ["--claim", "staff"]] {
            let matches = command.clone().try_get_matches_from(line).unwrap();
            assert!(Given::from_arg_matches(&matches).is_err(), "{line:?}");
        }
        assert!(command.try_get_matches_from(["--token-format", "paper"]).is_err());
    }
}
