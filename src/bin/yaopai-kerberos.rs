//! `yaopai-kerberos`: the program beside `yaopai` that speaks Kerberos for it.
//!
//! MIT Kerberos finds a keytab and a credential cache only through its environment, which a program with threads must not
//! change. So `yaopai` starts this one with an environment of its own: keytab and a cache in memory
//! (`KRB5_CLIENT_KTNAME`, `KRB5CCNAME`). It also keeps a C library that reads bytes from the network out of the broker.
//! It is asked over its standard input and answers over its standard output; each security context has a thread, so that
//! a slow KDC holds up nobody else.

use std::collections::HashMap;
use std::io::{Stdout, stdin, stdout};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use libgssapi::context::{ClientCtx, CtxFlags, SecurityContext as _};
use libgssapi::credential::{Cred, CredUsage};
use libgssapi::error::Error;
use libgssapi::name::Name;
use libgssapi::oid::{GSS_MECH_KRB5, GSS_NT_KRB5_PRINCIPAL, OidSet};

use frame::{Answer, Ask, Reply, Request};

#[cfg_attr(not(test), expect(dead_code, reason = "questions are written and answers read on the other side"))]
#[path = "../source/ldap/sasl/frame.rs"]
mod frame;

fn main() -> ExitCode {
    let output = Arc::new(Mutex::new(stdout()));
    let mut input = stdin().lock();
    let mut contexts: HashMap<u32, Sender<Request>> = HashMap::new();
    loop {
        match Request::read(&mut input) {
            Ok(Some(request)) if request.ask == Ask::Close => {
                contexts.remove(&request.context);
            }
            Ok(Some(request)) => {
                let output = output.clone();
                let context = contexts.entry(request.context).or_insert_with(|| {
                    let (sender, requests) = channel();
                    thread::spawn(move || serve(&requests, &output));
                    sender
                });
                // A context whose thread is gone has told that it cannot write.
                if context.send(request).is_err() {
                    return ExitCode::FAILURE;
                }
            }
            Ok(None) => return ExitCode::SUCCESS,
            Err(_) => return ExitCode::FAILURE,
        }
    }
}

/// One context, from its first question to its last.
fn serve(requests: &Receiver<Request>, output: &Mutex<Stdout>) {
    let mut context = None;
    for request in requests {
        let answer = answer(&mut context, request.ask).unwrap_or_else(failed);
        let reply = Reply { id: request.id, answer };
        let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
        if reply.write(&mut *output).is_err() {
            return;
        }
    }
}

/// A context and its channel bindings.
struct Context {
    inner: ClientCtx,
    bindings: Vec<u8>,
    seals: bool,
}

impl Context {
    fn step(&mut self, token: Option<&[u8]>) -> Result<Answer, Error> {
        let bindings = Some(self.bindings.as_slice()).filter(|bindings| !bindings.is_empty());
        let out = self.inner.step(token, bindings)?.map(|token| token.to_vec()).unwrap_or_default();
        let wanted = CtxFlags::GSS_C_MUTUAL_FLAG | self.layer();
        if self.inner.is_complete() && !self.inner.flags()?.contains(wanted) {
            return Ok(Answer::Failed(0, "the server does not prove itself, or offers no sealing".to_owned()));
        }
        Ok(Answer::Token(self.inner.is_complete(), out))
    }

    fn layer(&self) -> CtxFlags {
        if self.seals { SEALING } else { CtxFlags::empty() }
    }
}

const SEALING: CtxFlags = CtxFlags::GSS_C_CONF_FLAG
    .union(CtxFlags::GSS_C_INTEG_FLAG)
    .union(CtxFlags::GSS_C_REPLAY_FLAG)
    .union(CtxFlags::GSS_C_SEQUENCE_FLAG);

fn answer(context: &mut Option<Context>, ask: Ask) -> Result<Answer, Error> {
    match (ask, context.as_mut()) {
        (Ask::Open { principal, service, bindings, seals }, _) => {
            let name = Name::new(principal.as_bytes(), Some(GSS_NT_KRB5_PRINCIPAL))?;
            let krb5 = OidSet::singleton(GSS_MECH_KRB5)?;
            // From the cache in memory while at least half of its lifetime is left, else from the keytab.
            let credential = Cred::acquire(Some(&name), None, CredUsage::Initiate, Some(&krb5))?;
            let service = Name::new(service.as_bytes(), Some(GSS_NT_KRB5_PRINCIPAL))?;
            let flags = if seals { CtxFlags::GSS_C_MUTUAL_FLAG | SEALING } else { CtxFlags::GSS_C_MUTUAL_FLAG };
            let new = ClientCtx::new(Some(credential), service, flags, Some(GSS_MECH_KRB5));
            context.insert(Context { inner: new, bindings, seals }).step(None)
        }
        (Ask::Step(token), Some(context)) => context.step(Some(&token)),
        (Ask::Wrap(encrypts, bytes), Some(context)) => {
            Ok(Answer::Bytes(context.inner.wrap(encrypts, &bytes)?.to_vec()))
        }
        (Ask::Unwrap(bytes), Some(context)) => Ok(Answer::Bytes(context.inner.unwrap(&bytes)?.to_vec())),
        (Ask::Step(_) | Ask::Wrap(..) | Ask::Unwrap(_) | Ask::Close, _) => {
            Ok(Answer::Failed(0, "there is no such context".to_owned()))
        }
    }
}

fn failed(error: Error) -> Answer {
    Answer::Failed(error.minor.cast_signed(), error.to_string())
}
