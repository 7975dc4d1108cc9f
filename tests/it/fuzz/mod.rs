//! The fuzz targets, over their corpus and thousands of mutations of it: what `make fuzz` runs without end, every test
//! run does for a moment. The mutations are the same every time.

use std::path::PathBuf;

use yaopai::oidc::outside::TARGETS;

/// Mutations of each seed.
const MUTATIONS: usize = 2_500;

/// Numbers that look random and are the same every time (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

/// Text that leads parsers somewhere.
const WORDS: [&str; 28] = [
    "&",
    "=",
    "%00",
    "%",
    "+",
    "\"",
    "\\",
    "\\u0000",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "-1",
    "9223372036854775807",
    "1e309",
    ".",
    "..",
    "#",
    "?",
    "@",
    "\n",
    "\u{fffd}",
    "\u{202e}",
    "https://",
];

/// `bytes` with one to six changes; `other` is something to cut a piece from.
fn mutated(bytes: &[u8], other: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut made = bytes.to_vec();
    for _ in 0..=numbers.below(6) {
        let at = numbers.below(made.len() + 1);
        let until = (at + numbers.below(12)).min(made.len());
        match numbers.below(8) {
            0 => drop(made.drain(at..until)),
            1 => drop(made.splice(at..at, WORDS[numbers.below(WORDS.len())].bytes())),
            2 => drop(made.splice(at..until, WORDS[numbers.below(WORDS.len())].bytes())),
            3 => {
                let piece = made[at..until].to_vec();
                let to = numbers.below(made.len() + 1);
                drop(made.splice(to..to, piece));
            }
            4 => {
                let from = numbers.below(other.len() + 1);
                let piece = &other[from..(from + numbers.below(60)).min(other.len())];
                drop(made.splice(at..until, piece.iter().copied()));
            }
            5 => made.truncate(at),
            _ if at < made.len() => made[at] ^= 1 << numbers.below(8),
            _ => made.push(u8::try_from(numbers.below(256)).unwrap()),
        }
    }
    made
}

fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut seeds: Vec<(String, Vec<u8>)> = files
        .map(|file| file.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    seeds.sort();
    seeds
}

/// OAUTH-001, OAUTH-015, OAUTH-066, OAUTH-076, OAUTH-096: no bytes panic a parser or pass its rules.
#[test]
fn no_bytes_break_a_parser() {
    for (name, target) in TARGETS {
        let seeds = corpus(name);
        assert!(seeds.len() >= 3, "fuzz/corpus/{name} holds too little");
        let mut numbers = Numbers(0x5eed_0001);
        for (file, seed) in &seeds {
            assert_eq!(target(seed), Ok(()), "fuzz/corpus/{name}/{file}");
            for _ in 0..MUTATIONS {
                let other = &seeds[numbers.below(seeds.len())].1;
                let bytes = mutated(seed, other, &mut numbers);
                let outcome = target(&bytes);
                assert_eq!(outcome, Ok(()), "{name}: {:?}", String::from_utf8_lossy(&bytes));
            }
        }
    }
}

/// A target that is not run by `make fuzz`, or the other way round, is a fault.
#[test]
fn every_target_is_one_of_the_fuzzer() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let makefile = std::fs::read_to_string(folder.join("../Makefile")).unwrap();
    for (name, _) in TARGETS {
        let source = std::fs::read_to_string(folder.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(source.contains(&format!("outside::{name}(bytes)")), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} in fuzz/Cargo.toml");
        assert!(makefile.contains(name), "{name} in the Makefile");
    }
    assert_eq!(std::fs::read_dir(folder.join("fuzz_targets")).unwrap().count(), TARGETS.len());
}
