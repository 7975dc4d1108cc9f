//! Many people sign in at once: how many a second, beside what bare password hashes make on as many threads, what
//! somebody else notices meanwhile, and what those are told for whom there is no time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use super::client::Connection;
use super::person::SignIn;
use super::process::Server;

/// Checks at the same moment: `login.concurrent_checks` as it is when nobody sets it.
const THREADS: usize = 2;
/// People who sign in again and again: enough that somebody always waits, few enough that nobody is sent away.
const PATIENT: usize = 16;
/// People of whom many are sent away: 66 have a place.
const CROWD: usize = 200;
/// How soon somebody who was sent away comes again: sooner than they were told.
const AGAIN: Duration = Duration::from_millis(100);

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// Bare hashes a second on the wall clock, on as many threads.
    pub hashes: f64,
    /// CPU microseconds of one.
    pub hash_micros: f64,
    /// With everybody patient.
    pub patient: Logins,
    /// With more than there is place for.
    pub impatient: Logins,
}

/// Sign-ins that came at once.
#[derive(Clone, Copy, Debug)]
pub struct Logins {
    /// Who signs in at the same time.
    pub people: usize,
    /// Sign-ins a second.
    pub per_second: f64,
    /// Server CPU microseconds for each, with all else that the server did meanwhile.
    pub micros: f64,
    /// 429 with `Retry-After`, a second.
    pub sent_away: f64,
    /// Milliseconds within which 99 of 100 health pages were answered meanwhile.
    pub health_p99: f64,
}

#[derive(Default)]
struct Counts {
    is_over: AtomicBool,
    signed_in: AtomicU64,
    sent_away: AtomicU64,
}

/// Measures, each part for `time`.
pub async fn measure(server: &Server, address: &str, time: Duration) -> anyhow::Result<Crowd> {
    let (hashes, hash_micros) = tokio::task::spawn_blocking(move || bare(time)).await??;
    let patient = logins(server, address, PATIENT, time).await?;
    let impatient = logins(server, address, CROWD, time).await?;
    Ok(Crowd { hashes, hash_micros, patient, impatient })
}

/// Bare hashes with the parameters of ours, in memory that is kept: a second, and CPU microseconds of one.
fn bare(time: Duration) -> anyhow::Result<(f64, f64)> {
    let params = Params::new(19 * 1_024, 2, 1, Some(32)).map_err(|error| anyhow::anyhow!("{error}"))?;
    let (cpu, begun) = (super::process::own_cpu()?, Instant::now());
    let counts: Vec<u32> = std::thread::scope(|scope| {
        let hash = || {
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
            let (mut memory, mut out, mut count) = (vec![Block::default(); params.block_count()], [0; 32], 0);
            while begun.elapsed() < time {
                if argon2.hash_password_into_with_memory(b"password", &[7; 16], &mut out, &mut memory).is_ok() {
                    count += 1;
                }
            }
            count
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(hash)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let count = f64::from(counts.iter().sum::<u32>());
    Ok((count / begun.elapsed().as_secs_f64(), (super::process::own_cpu()? - cpu) * 1e6 / count))
}

async fn logins(server: &Server, address: &str, people: usize, time: Duration) -> anyhow::Result<Logins> {
    let counts = Arc::new(Counts::default());
    let mut forms = Vec::new();
    for _ in 0..people {
        forms.push(SignIn::at(address).await?);
    }
    let (cpu, begun) = (server.cpu()?, Instant::now());
    let tasks: Vec<_> = forms.into_iter().map(|sign_in| tokio::spawn(again(sign_in, counts.clone()))).collect();
    let health_p99 = health(address, time).await?;
    counts.is_over.store(true, Ordering::Relaxed);
    let (wall, cpu) = (begun.elapsed().as_secs_f64(), server.cpu()? - cpu);
    let signed_in = counts.signed_in.load(Ordering::Relaxed) as f64;
    let sent_away = counts.sent_away.load(Ordering::Relaxed) as f64 / wall;
    for task in tasks {
        task.await??;
    }
    let (per_second, micros) = (signed_in / wall, cpu * 1e6 / signed_in);
    Ok(Logins { people, per_second, micros, sent_away, health_p99 })
}

async fn again(mut sign_in: SignIn, counts: Arc<Counts>) -> anyhow::Result<()> {
    while !counts.is_over.load(Ordering::Relaxed) {
        let answer = sign_in.send().await?;
        match answer.status().as_u16() {
            303 => {
                counts.signed_in.fetch_add(1, Ordering::Relaxed);
            }
            429 => {
                answer.headers().get("retry-after").context("429 without Retry-After")?;
                counts.sent_away.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(AGAIN).await;
            }
            other => bail!("signing in was answered with {other}"),
        }
    }
    Ok(())
}

/// Somebody else, who asks for the health page a hundred times a second.
async fn health(address: &str, time: Duration) -> anyhow::Result<f64> {
    let (mut connection, begun, mut took) = (Connection::open(address).await?, Instant::now(), Vec::new());
    while begun.elapsed() < time {
        let sent = Instant::now();
        super::client::expect(&connection.send("GET", "/health", &[], "").await?, hyper::StatusCode::OK)?;
        took.push(sent.elapsed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    took.sort_unstable();
    Ok(took.get(took.len() * 99 / 100).context("nothing was answered")?.as_secs_f64() * 1e3)
}
