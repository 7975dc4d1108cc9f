//! A node that is killed while it tells applications of logouts: after its restart every one of them is told.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use serde_json::Value;
use yaopai::model::{EndReason, Session, SessionId};
use yaopai::random::Rng;
use yaopai::store::Db;
use yaopai::time::Clock;

use super::on_postgres;
use crate::browser::{LOGIN, hire};
use crate::process::Installation;

/// Sessions that end at once.
const SESSIONS: usize = 60;

/// An application that takes its time, and remembers whose end it heard of.
fn ear() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let list = heard.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, list) = (stream.unwrap(), list.clone());
            std::thread::spawn(move || {
                let mut text = String::new();
                let mut buffer = [0; 4_096];
                while !text.contains("logout_token=")
                    || !text.ends_with(|c: char| c.is_alphanumeric() || "-_".contains(c))
                {
                    match stream.read(&mut buffer) {
                        Ok(count) if count > 0 => text.push_str(&String::from_utf8_lossy(buffer.get(..count).unwrap())),
                        _ => return,
                    }
                }
                std::thread::sleep(Duration::from_millis(150));
                let token = text.split("logout_token=").nth(1).unwrap();
                let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
                let claims: Value = serde_json::from_slice(&claims).unwrap();
                list.lock().unwrap().push(claims.get("sid").and_then(Value::as_str).unwrap().to_owned());
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            });
        }
    });
    (port, heard)
}

/// A person with sessions that reached the application, all of which end now.
async fn end_all(url: &str) -> BTreeSet<String> {
    hire(url).await;
    let (db, rng, now) = (Db::open(url, 2).await.unwrap(), Rng::system(), Clock::System.now());
    let mut tx = db.write().await.unwrap();
    let user = tx.users().find_by_login(LOGIN).await.unwrap().unwrap();
    let mut ids = BTreeSet::new();
    for _ in 0..SESSIONS {
        let session = Session {
            id: SessionId::new(&rng, now),
            token_hash: rng.token(),
            user_id: Some(user.id),
            operator_id: None,
            auth_time: now,
            amr: "pwd".to_owned(),
            address: "203.0.113.7".to_owned(),
            user_agent: "test".to_owned(),
            created_at: now,
            last_seen_at: now,
            idle_expires_at: now + TimeDelta::hours(1),
            expires_at: now + TimeDelta::hours(1),
            ended_at: None,
            ended_reason: None,
        };
        tx.sessions().insert(&session).await.unwrap();
        tx.sessions().reached(session.id, "oa", now).await.unwrap();
        ids.insert(session.id.to_string());
    }
    tx.revoke_people(&[user.id], EndReason::Disabled, now).await.unwrap();
    tx.commit().await.unwrap();
    db.close().await;
    ids
}

async fn waiting(url: &str) -> i64 {
    let db = Db::open(url, 1).await.unwrap();
    let (count,): (i64,) = db.read().await.unwrap().one("SELECT COUNT(*) FROM logout_deliveries", &[]).await.unwrap();
    db.close().await;
    count
}

fn until(what: &str, patience: Duration, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < patience, "{what}: still not so after {patience:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// OIDC-088, OIDC-090: killed three times with deliveries in hand; nobody is forgotten.
#[test]
fn no_logout_is_lost_when_a_node_is_killed() {
    let (port, heard) = ear();
    let installation = Installation::new();
    installation.configure(&format!(
        "{}\n[outgoing]\nallowed_networks = [\"127.0.0.0/8\"]\n\n[[application]]\nid = \"oa\"\n\
         secret = {{ value = \"a-secret-of-the-office\" }}\nredirect_uris = [\"https://oa.example/cb\"]\n\
         logout = {{ backchannel_logout_uri = \"http://127.0.0.1:{port}/logout\" }}\n",
        installation.smallest()
    ));
    let installation = on_postgres(&installation);
    let url = installation.database.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let count = || heard.lock().unwrap().len();
    let mut running = installation.start();
    let all = runtime.block_on(end_all(&url));
    assert_eq!(all.len(), SESSIONS);
    for round in 1..=3 {
        let before = count();
        until("the application hears of logouts", Duration::from_mins(1), || count() > before + 4);
        assert!(runtime.block_on(waiting(&url)) > 0, "round {round}: all was told before the node was killed");
        // Dropped is killed (SIGKILL), with answers of the application under way.
        drop(running);
        running = installation.start();
    }
    // What the killed node had in hand is due again half a minute after it was taken.
    let told = || heard.lock().unwrap().iter().cloned().collect::<BTreeSet<_>>();
    until("everybody is told", Duration::from_mins(2), || told() == all);
    until("the queue is empty", Duration::from_mins(1), || runtime.block_on(waiting(&url)) == 0);
    println!("{SESSIONS} logouts, {} calls", count());
    drop(running);
}
