//! An authenticated connection as a plain one: what is written at our end goes to the server, protected by the security
//! context where one was agreed on (RFC 4752 section 3.3, framed as in RFC 4422 section 3.7), and what comes back is
//! checked and opened. Neither the LDAP library nor the bulk read know of it.

use std::io::{Error, ErrorKind};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, copy, split};
use tokio::net::UnixStream;

use super::super::wire::Stream;
use super::agent::Context;
use super::frame::{Answer, Ask};

/// The longest protected message that we take: bytes. The server is told.
pub(super) const LONGEST: u32 = 1 << 20;
/// What protection adds to a message, at the most (RFC 4121 section 4.2.4 with the longest checksum), and some more.
const OVERHEAD: usize = 256;
/// What is protected at once.
const CHUNK: usize = 64 << 10;

/// Protection that was agreed on.
#[derive(Debug)]
pub(in crate::source::ldap) struct Sealing {
    pub(super) context: Context,
    /// The longest protected message that the server takes: bytes.
    pub(super) longest: usize,
}

/// The plain end of a connection. Dropping it ends the connection.
pub(in crate::source::ldap) fn start(stream: Box<dyn Stream>, sealing: Option<Sealing>) -> Result<UnixStream, Error> {
    let (ours, theirs) = UnixStream::pair()?;
    tokio::spawn(async move {
        let (mut from_server, mut to_server) = split(stream);
        let (mut from_us, mut to_us) = split(theirs);
        let ended = if let Some(sealing) = &sealing {
            tokio::select! {
                ended = outwards(&mut from_us, &mut to_server, sealing) => ended,
                ended = inwards(&mut from_server, &mut to_us, sealing) => ended,
            }
        } else {
            tokio::select! {
                ended = copy(&mut from_us, &mut to_server) => ended.map(|_| ()),
                ended = copy(&mut from_server, &mut to_us) => ended.map(|_| ()),
            }
        };
        if let Err(error) = ended {
            tracing::warn!(%error, "a connection to an LDAP server ended");
        }
        // What the server is told last, such as the goodbye, has been written; that it is gone matters no more.
        let _ = to_server.shutdown().await;
    });
    Ok(ours)
}

async fn outwards(
    from: &mut ReadHalf<UnixStream>,
    to: &mut WriteHalf<Box<dyn Stream>>,
    sealing: &Sealing,
) -> Result<(), Error> {
    let mut chunk = vec![0; CHUNK.min(sealing.longest.saturating_sub(OVERHEAD))];
    loop {
        let length = from.read(&mut chunk).await?;
        if length == 0 {
            return Ok(());
        }
        let plain = chunk.get(..length).unwrap_or_default().to_vec();
        let sealed = protect(sealing, Ask::Wrap(true, plain)).await?;
        let header = u32::try_from(sealed.len()).map_err(Error::other)?;
        to.write_all(&[&header.to_be_bytes(), sealed.as_slice()].concat()).await?;
        to.flush().await?;
    }
}

async fn inwards(
    from: &mut ReadHalf<Box<dyn Stream>>,
    to: &mut WriteHalf<UnixStream>,
    sealing: &Sealing,
) -> Result<(), Error> {
    loop {
        let length = match from.read_u32().await {
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        if length > LONGEST {
            return Err(Error::new(ErrorKind::InvalidData, "it sends a longer protected message than was agreed on"));
        }
        let mut sealed = vec![0; usize::try_from(length).map_err(Error::other)?];
        from.read_exact(&mut sealed).await?;
        let plain = protect(sealing, Ask::Unwrap(sealed)).await?;
        to.write_all(&plain).await?;
    }
}

async fn protect(sealing: &Sealing, ask: Ask) -> Result<Vec<u8>, Error> {
    match sealing.context.ask(ask).await {
        Some(Answer::Bytes(bytes)) => Ok(bytes),
        Some(Answer::Failed(_, said)) => Err(Error::new(ErrorKind::InvalidData, said)),
        Some(Answer::Token(..)) | None => Err(Error::other("yaopai-kerberos ended")),
    }
}
