//! One PostgreSQL server for the whole test run: started on first use, ended with the process.
//!
//! The server is a child of a thread that lives as long as the process, with a parent-death signal, so that nothing
//! is left running however the tests end; the next run removes its folder. Each test gets a database of its own, cloned
//! from a migrated template.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use sqlx::{Connection as _, Executor as _, PgConnection};
use yaopai::store::Db;

struct Cluster {
    port: u16,
    _folder: tempfile::TempDir,
}

static CLUSTER: OnceLock<Cluster> = OnceLock::new();
static TEMPLATE: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(0);

/// URL of a new database, migrated.
pub async fn fresh_database() -> String {
    let cluster = tokio::task::spawn_blocking(|| CLUSTER.get_or_init(start)).await.unwrap();
    let url = |name: &str| format!("postgres://postgres@127.0.0.1:{}/{name}", cluster.port);
    TEMPLATE
        .get_or_init(|| async {
            admin(&url("postgres"), "CREATE DATABASE template_yaopai").await;
            let db = Db::open(&url("template_yaopai"), 1).await.unwrap();
            db.migrate().await.unwrap();
            db.close().await;
        })
        .await;
    let name = format!("t{}", NEXT.fetch_add(1, Ordering::SeqCst));
    admin(&url("postgres"), &format!("CREATE DATABASE {name} TEMPLATE template_yaopai")).await;
    url(&name)
}

async fn admin(url: &str, sql: &str) {
    let mut connection = loop {
        match PgConnection::connect(url).await {
            Ok(connection) => break connection,
            Err(error) if error.to_string().contains("starting up") => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => panic!("{error}"),
        }
    };
    // CREATE DATABASE … TEMPLATE fails while another session is copying from it: tried again.
    for attempt in 0.. {
        match connection.execute(sqlx::AssertSqlSafe(sql.to_owned())).await {
            Ok(_) => return,
            Err(error) if attempt < 50 && error.to_string().contains("being accessed") => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => panic!("{sql}: {error}"),
        }
    }
}

fn start() -> Cluster {
    let bin = binaries();
    let folder = super::leftover::folder("postgres");
    let data = folder.path().join("data");
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout.trim_ascii() == b"0";
    if is_root {
        let owned = Command::new("chown").arg("postgres").arg(folder.path()).status().unwrap();
        assert!(owned.success(), "no user `postgres` to run the server as: run `make setup`");
    }
    let initdb = command(&bin.join("initdb"), is_root)
        .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
        .arg(&data)
        .output()
        .unwrap();
    assert!(initdb.status.success(), "initdb failed: {}", String::from_utf8_lossy(&initdb.stderr));
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (ready, wait) = mpsc::channel();
    let server = bin.join("postgres");
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    std::thread::spawn(move || {
        let mut child = command(&server, is_root)
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
            .args(["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"])
            .args(["-c", "max_connections=400", "-c", "shared_buffers=64MB"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        ready.send(()).unwrap();
        let _ = child.wait();
        // The parent-death signal follows this thread: it must not end before the process.
        loop {
            std::thread::park();
        }
    });
    wait.recv().unwrap();
    let begun = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < Duration::from_mins(1), "PostgreSQL did not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    Cluster { port, _folder: folder }
}

pub(super) fn command(program: &Path, is_root: bool) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if is_root {
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
    }
    command.arg(program).current_dir("/").env("LC_ALL", "C.UTF-8");
    command
}

pub(super) fn binaries() -> PathBuf {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect())
        .unwrap_or_default();
    versions.retain(|bin| bin.join("initdb").exists());
    versions.sort();
    versions.pop().unwrap_or_else(|| panic!("PostgreSQL is not installed: run `make setup`"))
}
