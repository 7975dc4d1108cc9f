//! What this process and `yaopai-kerberos` say to each other over a pipe: questions with a number, answers with the same.
//! The program's own source includes this file, so that both sides are one text.

use std::io::{Error, ErrorKind, Read, Write};

/// A frame longer than this is no frame of ours: bytes.
const MAX_FRAME: usize = 32 << 20;

/// What is asked of a security context.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ask {
    /// Begin one, as `principal`, towards `service`. Answered with the first token for the server.
    Open {
        /// As whom.
        principal: String,
        /// To whom: a principal name.
        service: String,
        /// Channel bindings (RFC 5056); empty when there are none.
        bindings: Vec<u8>,
        /// Whether messages are to be sealed.
        seals: bool,
    },
    /// Go on with a token of the server.
    Step(Vec<u8>),
    /// Protect this; encrypted too when asked for.
    Wrap(bool, Vec<u8>),
    /// Check and open this.
    Unwrap(Vec<u8>),
    /// End it. Not answered.
    Close,
}

/// A question to one of the contexts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Told apart by it.
    pub id: u32,
    /// Which context.
    pub context: u32,
    /// What.
    pub ask: Ask,
}

/// What comes back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// A token for the server, perhaps an empty one; whether the context is complete.
    Token(bool, Vec<u8>),
    /// What was wrapped or unwrapped.
    Bytes(Vec<u8>),
    /// The minor status of the mechanism, and what it says.
    Failed(i32, String),
}

/// An answer to one of the questions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// Which question.
    pub id: u32,
    /// What.
    pub answer: Answer,
}

impl Request {
    /// Writes it.
    pub fn write(&self, to: &mut impl Write) -> Result<(), Error> {
        let id = [self.id.to_be_bytes(), self.context.to_be_bytes()].concat();
        match &self.ask {
            Ask::Open { principal, service, bindings, seals } => {
                send(to, &id, &[&[0], principal.as_bytes(), service.as_bytes(), bindings, &[u8::from(*seals)]])
            }
            Ask::Step(token) => send(to, &id, &[&[1], token]),
            Ask::Wrap(encrypts, bytes) => send(to, &id, &[&[2], &[u8::from(*encrypts)], bytes]),
            Ask::Unwrap(bytes) => send(to, &id, &[&[3], bytes]),
            Ask::Close => send(to, &id, &[&[4]]),
        }
    }

    /// Reads the next; none at the end.
    pub fn read(from: &mut impl Read) -> Result<Option<Self>, Error> {
        let Some(frame) = receive(from)? else { return Ok(None) };
        let mut rest = frame.as_slice();
        let (id, context) = (number(&mut rest)?, number(&mut rest)?);
        let ask = match flag(&mut rest)? {
            0 => Ask::Open {
                principal: text(&mut rest)?,
                service: text(&mut rest)?,
                bindings: part(&mut rest)?.to_vec(),
                seals: flag(&mut rest)? == 1,
            },
            1 => Ask::Step(part(&mut rest)?.to_vec()),
            2 => Ask::Wrap(flag(&mut rest)? == 1, part(&mut rest)?.to_vec()),
            3 => Ask::Unwrap(part(&mut rest)?.to_vec()),
            4 => Ask::Close,
            _ => return Err(odd()),
        };
        Ok(Some(Self { id, context, ask }))
    }
}

impl Reply {
    /// Writes it.
    pub fn write(&self, to: &mut impl Write) -> Result<(), Error> {
        let id = self.id.to_be_bytes();
        match &self.answer {
            Answer::Token(is_complete, token) => send(to, &id, &[&[0], &[u8::from(*is_complete)], token]),
            Answer::Bytes(bytes) => send(to, &id, &[&[1], bytes]),
            Answer::Failed(minor, said) => send(to, &id, &[&[2], &minor.to_be_bytes(), said.as_bytes()]),
        }
    }

    /// Reads the next; none at the end.
    pub fn read(from: &mut impl Read) -> Result<Option<Self>, Error> {
        let Some(frame) = receive(from)? else { return Ok(None) };
        let mut rest = frame.as_slice();
        let id = number(&mut rest)?;
        let answer = match flag(&mut rest)? {
            0 => Answer::Token(flag(&mut rest)? == 1, part(&mut rest)?.to_vec()),
            1 => Answer::Bytes(part(&mut rest)?.to_vec()),
            2 => {
                let minor = part(&mut rest)?.try_into().map_err(|_| odd())?;
                Answer::Failed(i32::from_be_bytes(minor), text(&mut rest)?)
            }
            _ => return Err(odd()),
        };
        Ok(Some(Self { id, answer }))
    }
}

fn odd() -> Error {
    Error::new(ErrorKind::InvalidData, "no frame of yaopai-kerberos")
}

/// Length, id, and each part behind its own length.
fn send(to: &mut impl Write, id: &[u8], parts: &[&[u8]]) -> Result<(), Error> {
    let length = |bytes: usize| u32::try_from(bytes).map(u32::to_be_bytes).map_err(|_| odd());
    let whole = id.len() + parts.iter().map(|part| part.len() + 4).sum::<usize>();
    let mut frame = Vec::with_capacity(whole + 4);
    frame.extend(length(whole)?);
    frame.extend_from_slice(id);
    for part in parts {
        frame.extend(length(part.len())?);
        frame.extend_from_slice(part);
    }
    to.write_all(&frame)?;
    to.flush()
}

fn receive(from: &mut impl Read) -> Result<Option<Vec<u8>>, Error> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| odd())?;
    if length > MAX_FRAME {
        return Err(odd());
    }
    let mut frame = vec![0; length];
    from.read_exact(&mut frame)?;
    Ok(Some(frame))
}

fn number(rest: &mut &[u8]) -> Result<u32, Error> {
    let (first, after) = rest.split_first_chunk::<4>().ok_or_else(odd)?;
    *rest = after;
    Ok(u32::from_be_bytes(*first))
}

fn part<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Error> {
    let length = usize::try_from(number(rest)?).map_err(|_| odd())?;
    let (first, after) = rest.split_at_checked(length).ok_or_else(odd)?;
    *rest = after;
    Ok(first)
}

fn flag(rest: &mut &[u8]) -> Result<u8, Error> {
    match part(rest)? {
        [flag] => Ok(*flag),
        _ => Err(odd()),
    }
}

fn text(rest: &mut &[u8]) -> Result<String, Error> {
    String::from_utf8(part(rest)?.to_vec()).map_err(|_| odd())
}

#[cfg(test)]
mod tests {
    use super::{Answer, Ask, Reply, Request};

    #[test]
    fn what_one_side_writes_the_other_reads() {
        let open = Ask::Open { principal: "a@B".into(), service: "ldap/c@B".into(), bindings: vec![1], seals: true };
        for ask in [open, Ask::Step(vec![]), Ask::Wrap(true, vec![7; 70_000]), Ask::Unwrap(vec![1]), Ask::Close] {
            let request = Request { id: 7, context: 9, ask };
            let mut bytes = Vec::new();
            request.write(&mut bytes).unwrap();
            assert_eq!(Request::read(&mut bytes.as_slice()).unwrap(), Some(request));
            assert!(Request::read(&mut &bytes[..bytes.len() - 1]).is_err());
        }
        for answer in [Answer::Token(true, vec![3]), Answer::Bytes(vec![]), Answer::Failed(-7, "no".into())] {
            let reply = Reply { id: u32::MAX, answer };
            let mut bytes = Vec::new();
            reply.write(&mut bytes).unwrap();
            assert_eq!(Reply::read(&mut bytes.as_slice()).unwrap(), Some(reply));
        }
        assert_eq!(Reply::read(&mut [].as_slice()).unwrap(), None);
        assert!(Reply::read(&mut [0xff; 8].as_slice()).is_err());
    }
}
