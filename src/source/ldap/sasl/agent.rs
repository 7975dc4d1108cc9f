//! The program `yaopai-kerberos`: one for each keytab and principal, started when it is first needed, shared by every
//! connection, so that tickets are asked for once. It is asked over a pipe; when it ends, it is started anew.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use super::frame::{Answer, Ask, Reply, Request};
use crate::config::KerberosConfig;

/// What makes two sources share a program.
type Key = (PathBuf, PathBuf, String, Option<PathBuf>);

static AGENTS: LazyLock<Mutex<HashMap<Key, Arc<Agent>>>> = LazyLock::new(Mutex::default);

/// A running program.
#[derive(Debug)]
struct Agent {
    requests: Mutex<Sender<Request>>,
    waiting: Waiting,
    is_gone: Arc<AtomicBool>,
    last_id: AtomicU32,
    last_context: AtomicU32,
}

/// Who waits for which answer.
type Waiting = Arc<Mutex<HashMap<u32, oneshot::Sender<Answer>>>>;

/// A security context inside of the program; dropping it ends it.
#[derive(Debug)]
pub(super) struct Context {
    agent: Arc<Agent>,
    number: u32,
}

impl Context {
    /// A place for a context. The program is started if it does not run.
    ///
    /// # Errors
    /// A sentence with the remedy, when it cannot be started.
    pub fn new(config: &KerberosConfig, folder: &Path) -> Result<Self, String> {
        let program = config.program(folder)?;
        let keytab = folder.join(&config.keytab);
        let krb5_config = config.krb5_config.as_ref().map(|file| folder.join(file));
        let key = (program, keytab, config.principal.clone(), krb5_config);
        let mut agents = AGENTS.lock().unwrap_or_else(PoisonError::into_inner);
        let running = agents.get(&key).filter(|agent| !agent.is_gone.load(Ordering::Acquire)).cloned();
        let agent = if let Some(agent) = running {
            agent
        } else {
            let started = Agent::start(&key)
                .map_err(|error| format!("`{}` cannot be started: {error}; check its permissions", key.0.display()));
            let agent = Arc::new(started?);
            agents.insert(key, agent.clone());
            agent
        };
        let number = agent.last_context.fetch_add(1, Ordering::Relaxed);
        Ok(Self { agent, number })
    }

    /// Asks; none when the program ended before it answered.
    pub async fn ask(&self, ask: Ask) -> Option<Answer> {
        let id = self.agent.last_id.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        self.agent.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id, sender);
        self.agent.send(Request { id, context: self.number, ask });
        // Whoever stops reading answers sets this first and lets go of everybody who waits afterwards.
        if self.agent.is_gone.load(Ordering::Acquire) {
            self.agent.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        }
        answer.await.ok()
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        self.agent.send(Request { id: 0, context: self.number, ask: Ask::Close });
    }
}

impl Agent {
    /// Starts the program with the environment that MIT Kerberos reads, and nothing else of ours.
    fn start((program, keytab, _, krb5_config): &Key) -> Result<Self, std::io::Error> {
        let mut command = Command::new(program);
        command.env_clear().env("KRB5CCNAME", "MEMORY:yaopai");
        let mut source = std::ffi::OsString::from("FILE:");
        source.push(keytab);
        command.env("KRB5_CLIENT_KTNAME", source);
        if let Some(file) = krb5_config {
            command.env("KRB5_CONFIG", file);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let (Some(mut to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        };
        let (requests, to_write): (_, Receiver<Request>) = channel();
        let waiting = Waiting::default();
        let is_gone = Arc::new(AtomicBool::new(false));
        thread::spawn(move || {
            // Ends with the last sender or with the program; then its standard input is closed, and it ends too.
            while let Ok(request) = to_write.recv() {
                if request.write(&mut to).and_then(|()| to.flush()).is_err() {
                    return;
                }
            }
        });
        let (noted, told) = (is_gone.clone(), waiting.clone());
        thread::spawn(move || answers(child, from, &told, &noted));
        let (last_id, last_context) = (AtomicU32::new(1), AtomicU32::new(1));
        Ok(Self { requests: Mutex::new(requests), waiting, is_gone, last_id, last_context })
    }

    fn send(&self, request: Request) {
        // Fails when the program is gone, which whoever waits hears from the other side.
        let _ = self.requests.lock().unwrap_or_else(PoisonError::into_inner).send(request);
    }
}

/// Hands out answers until the program ends.
fn answers(mut child: Child, mut from: ChildStdout, waiting: &Waiting, is_gone: &AtomicBool) {
    while let Ok(Some(reply)) = Reply::read(&mut from) {
        if let Some(waits) = waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&reply.id) {
            // Whoever asked may have lost patience.
            let _ = waits.send(reply.answer);
        }
    }
    is_gone.store(true, Ordering::Release);
    waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
    // It may still run when what it said was no frame.
    let _ = child.kill();
    match child.wait() {
        Ok(status) => tracing::debug!(%status, "yaopai-kerberos ended"),
        Err(error) => tracing::warn!(%error, "yaopai-kerberos cannot be waited for"),
    }
}
