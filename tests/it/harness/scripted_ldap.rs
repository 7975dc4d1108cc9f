//! An LDAP server that does as it is told, also what no real server does on demand: cuts a page, hangs, hangs up, lies.
//!
//! It speaks just enough BER (RFC 4511). Each search takes the next [`Page`] of the script; when there is none left it
//! answers `unwillingToPerform`. What it was asked is kept for the test to look at.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// One thing that the server does while it answers a search.
#[derive(Clone, Debug)]
pub enum Step {
    /// An entry: name, attributes with values.
    Entry(Vec<u8>, Vec<(String, Vec<Vec<u8>>)>),
    /// A reference to another server.
    Reference(&'static str),
    /// The end of the page with this result code; a cookie when there is more.
    Done(u8, &'static str),
    /// An entry with a Sync State control (RFC 4533): name, attributes, state, id.
    Synced(Vec<u8>, Vec<(String, Vec<Vec<u8>>)>, u8, [u8; 16]),
    /// A Sync Info message with ids: whether they are gone.
    SyncIds(bool, Vec<[u8; 16]>),
    /// The end of a refresh: result code, cookie, whether deletions were listed.
    SyncDone(u16, Option<&'static str>, bool),
    /// The end of a search with this control beside result 0: OID, value.
    DoneWith(&'static str, Vec<u8>),
    /// The end of the page with a referral.
    Referral(&'static str),
    /// Bytes as they are.
    Bytes(Vec<u8>),
    /// The same, as the answer to something that nobody asked.
    Stray(Box<Step>),
    /// Notice of Disconnection, then the end of the connection.
    Notice,
    /// The end of the connection.
    Close,
    /// Silence until the client goes away.
    Hang,
}

/// What one search is answered with.
pub type Page = Vec<Step>;

/// What the server was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// A new connection.
    Connection,
    /// A simple bind as this DN.
    Bind(String),
    /// A search with this cookie; none when pages were not asked for.
    Search(Option<Vec<u8>>),
    /// StartTLS or another extended operation.
    Extended,
    /// The client went away.
    Gone,
}

#[derive(Default)]
struct State {
    pages: VecDeque<Page>,
    /// What every search is answered with once the script is at its end.
    forever: Option<Page>,
    asked: Vec<Asked>,
    bind: u8,
    extended: u8,
}

/// A running server; ends with the test.
pub struct ScriptedLdap {
    /// Port on loopback.
    pub port: u16,
    state: Arc<Mutex<State>>,
    _tasks: JoinSet<()>,
}

impl ScriptedLdap {
    /// A server that lets everybody in and answers searches with these pages.
    pub async fn start(pages: Vec<Page>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { pages: pages.into(), extended: 2, ..State::default() }));
        let mut tasks = JoinSet::new();
        let shared = state.clone();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                shared.lock().unwrap().asked.push(Asked::Connection);
                let state = shared.clone();
                connections.spawn(async move {
                    let _ = serve(stream, &state).await;
                    state.lock().unwrap().asked.push(Asked::Gone);
                });
            }
        });
        Self { port, state, _tasks: tasks }
    }

    /// Answers binds with this result code.
    pub fn answer_binds_with(&self, code: u8) {
        self.state.lock().unwrap().bind = code;
    }

    /// Answers extended requests, such as StartTLS, with this result code.
    pub fn answer_extended_with(&self, code: u8) {
        self.state.lock().unwrap().extended = code;
    }

    /// Puts further pages behind those left.
    pub fn add(&self, pages: Vec<Page>) {
        self.state.lock().unwrap().pages.extend(pages);
    }

    /// Answers every search with this page once the script is at its end; none ends that.
    pub fn answer_forever_with(&self, page: Option<Page>) {
        self.state.lock().unwrap().forever = page;
    }

    /// Forgets the pages that are left.
    pub fn clear(&self) {
        self.state.lock().unwrap().pages.clear();
    }

    /// Everything that was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    /// `[source.ldap]` for this server.
    pub fn table(&self) -> String {
        format!(
            "[source.ldap]\nurl = \"ldap://127.0.0.1:{}\"\nallow_plaintext = true\nbind_dn = \"cn=reader,dc=x\"\n\
             bind_password = {{ value = \"hush-Q7\" }}\nbase_dn = \"dc=x\"\ntimeout = \"1s\"\n",
            self.port
        )
    }
}

/// A person below `dc=x`: uid, entryUUID, further attributes.
pub fn person(uid: &str, id: &str, more: &[(&str, &[u8])]) -> Step {
    let mut attributes = vec![
        ("objectClass".to_owned(), vec![b"inetOrgPerson".to_vec()]),
        ("uid".to_owned(), vec![uid.as_bytes().to_vec()]),
        ("entryUUID".to_owned(), vec![id.as_bytes().to_vec()]),
    ];
    attributes.extend(more.iter().map(|(name, value)| ((*name).to_owned(), vec![value.to_vec()])));
    Step::Entry(format!("uid={uid},dc=x").into_bytes(), attributes)
}

async fn serve(mut stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    loop {
        let message = read_message(&mut stream).await?;
        let parts = tlvs(&message);
        let id = parts[0].1.clone();
        let (operation, content) = (parts[1].0, tlvs(&parts[1].1));
        match operation {
            0x60 => {
                let dn = String::from_utf8_lossy(&content[1].1).into_owned();
                let code = {
                    let mut state = state.lock().unwrap();
                    state.asked.push(Asked::Bind(dn));
                    state.bind
                };
                stream.write_all(&answer(&id, 0x61, &result(code), None)).await?;
            }
            0x77 => {
                let code = {
                    let mut state = state.lock().unwrap();
                    state.asked.push(Asked::Extended);
                    state.extended
                };
                stream.write_all(&answer(&id, 0x78, &result(code), None)).await?;
            }
            0x63 => {
                let page = {
                    let mut state = state.lock().unwrap();
                    state.asked.push(Asked::Search(parts.get(2).and_then(|controls| cookie(&controls.1))));
                    let next = state.pages.pop_front().or_else(|| state.forever.clone());
                    next.unwrap_or_else(|| vec![Step::Done(53, "")])
                };
                for step in page {
                    if !take(&mut stream, &id, step).await? {
                        return Ok(());
                    }
                }
            }
            _ => return Ok(()),
        }
    }
}

/// Does one step; false when the connection is to end.
async fn take(stream: &mut TcpStream, id: &[u8], step: Step) -> std::io::Result<bool> {
    let bytes = match step {
        Step::Entry(dn, attributes) => answer(id, 0x64, &entry(&dn, attributes), None),
        Step::Synced(dn, attributes, state, uuid) => {
            let value = tlv(0x30, &[tlv(0x0a, &[state]), tlv(0x04, &uuid)].concat());
            answer(id, 0x64, &entry(&dn, attributes), Some(&control("1.3.6.1.4.1.4203.1.9.1.2", &value)))
        }
        Step::SyncIds(are_gone, ids) => {
            let ids: Vec<u8> = ids.iter().flat_map(|id| tlv(0x04, id)).collect();
            let set = tlv(0xa3, &[tlv(0x01, &[if are_gone { 0xff } else { 0 }]), tlv(0x31, &ids)].concat());
            answer(id, 0x79, &[tlv(0x80, b"1.3.6.1.4.1.4203.1.9.1.4"), tlv(0x81, &set)].concat(), None)
        }
        Step::SyncDone(code, cookie, lists_deletions) => {
            let cookie = cookie.map(|cookie| tlv(0x04, cookie.as_bytes())).unwrap_or_default();
            let deletions = if lists_deletions { tlv(0x01, &[0xff]) } else { vec![] };
            let done = control("1.3.6.1.4.1.4203.1.9.1.3", &tlv(0x30, &[cookie, deletions].concat()));
            let result = [tlv(0x0a, &code.to_be_bytes()), tlv(0x04, b""), tlv(0x04, b"")].concat();
            answer(id, 0x65, &result, Some(&done))
        }
        Step::DoneWith(oid, value) => answer(id, 0x65, &result(0), Some(&control(oid, &value))),
        Step::Reference(url) => answer(id, 0x73, &tlv(0x04, url.as_bytes()), None),
        Step::Done(code, cookie) => {
            let value = tlv(0x30, &[tlv(0x02, &[0]), tlv(0x04, cookie.as_bytes())].concat());
            let control = tlv(0x30, &[tlv(0x04, b"1.2.840.113556.1.4.319"), tlv(0x04, &value)].concat());
            answer(id, 0x65, &result(code), Some(&control))
        }
        Step::Referral(url) => answer(id, 0x65, &[result(10), tlv(0xa3, &tlv(0x04, url.as_bytes()))].concat(), None),
        Step::Bytes(bytes) => bytes,
        Step::Stray(step) => return Box::pin(take(stream, &[0x7f], *step)).await,
        Step::Notice => {
            let notice = [result(52), tlv(0x8a, b"1.3.6.1.4.1.1466.20036")].concat();
            stream.write_all(&answer(&[0], 0x78, &notice, None)).await?;
            return Ok(false);
        }
        Step::Close => return Ok(false),
        Step::Hang => {
            let mut ignored = [0; 64];
            while stream.read(&mut ignored).await? > 0 {}
            return Ok(false);
        }
    };
    stream.write_all(&bytes).await?;
    Ok(true)
}

fn entry(dn: &[u8], attributes: Vec<(String, Vec<Vec<u8>>)>) -> Vec<u8> {
    let mut list = Vec::new();
    for (name, values) in attributes {
        let values: Vec<u8> = values.iter().flat_map(|value| tlv(0x04, value)).collect();
        list.extend(tlv(0x30, &[tlv(0x04, name.as_bytes()), tlv(0x31, &values)].concat()));
    }
    [tlv(0x04, dn), tlv(0x30, &list)].concat()
}

fn control(oid: &str, value: &[u8]) -> Vec<u8> {
    tlv(0x30, &[tlv(0x04, oid.as_bytes()), tlv(0x04, value)].concat())
}

/// `LDAPResult` with that code and no more.
fn result(code: u8) -> Vec<u8> {
    [tlv(0x0a, &[code]), tlv(0x04, b""), tlv(0x04, b"")].concat()
}

fn answer(id: &[u8], operation: u8, content: &[u8], controls: Option<&[u8]>) -> Vec<u8> {
    let controls = controls.map(|controls| tlv(0xa0, controls)).unwrap_or_default();
    tlv(0x30, &[tlv(0x02, id), tlv(operation, content), controls].concat())
}

/// The cookie in the paged results control of a request.
fn cookie(controls: &[u8]) -> Option<Vec<u8>> {
    let control = tlvs(controls).into_iter().next()?;
    let value = tlvs(&control.1).pop()?.1;
    let inner = tlvs(&value).into_iter().next()?;
    Some(tlvs(&inner.1).get(1)?.1.clone())
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    let head = if content.len() < 128 { vec![tag, length[3]] } else { [vec![tag, 0x84], length.to_vec()].concat() };
    [head, content.to_vec()].concat()
}

fn tlvs(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut all = Vec::new();
    while bytes.len() >= 2 {
        let (skip, length) = length_of(bytes);
        all.push((bytes[0], bytes[skip..skip + length].to_vec()));
        bytes = &bytes[skip + length..];
    }
    all
}

/// How long tag and length are, and what the length says.
fn length_of(bytes: &[u8]) -> (usize, usize) {
    match bytes[1] {
        short @ 0..=127 => (2, usize::from(short)),
        long => {
            let count = usize::from(long & 0x7f);
            (2 + count, bytes[2..2 + count].iter().fold(0, |sum, byte| sum * 256 + usize::from(*byte)))
        }
    }
}

async fn read_message(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut head = vec![0; 2];
    stream.read_exact(&mut head).await?;
    if head[0] != 0x30 {
        return Err(std::io::Error::other("no LDAP: a TLS handshake, perhaps"));
    }
    if head[1] > 127 {
        let mut more = vec![0; usize::from(head[1] & 0x7f)];
        stream.read_exact(&mut more).await?;
        head.extend(more);
    }
    let mut content = vec![0; length_of(&head).1];
    stream.read_exact(&mut content).await?;
    Ok(content)
}
