//! A small system behind nginx that keeps the requests it gets.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The system; it lives as long as the test's process.
pub struct Behind {
    pub port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Behind {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let keep = seen.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let request = answer(stream);
                keep.lock().unwrap().push(request);
            }
        });
        Self { port, seen }
    }

    /// The heads of the requests so far.
    pub fn seen(&self) -> Vec<String> {
        std::thread::sleep(Duration::from_millis(100));
        self.seen.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream) -> String {
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(read @ 1..) => bytes.extend_from_slice(buffer.get(..read).unwrap()),
            _ => break,
        }
    }
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nserved");
    String::from_utf8_lossy(&bytes).into_owned()
}
