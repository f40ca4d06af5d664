//! The two brokers that are compared, and what they answered differently.

use milena::protocol::{
    decode_response_header, encode_request, ApiMessage, FrameReader, Message, Reader, Uuid,
};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime};

/// One of the two brokers, and what differs there.
pub struct Side {
    pub address: String,
    pub stream: TcpStream,
    pub frames: FrameReader,
    pub topic_id: Uuid,
    pub producer_id: i64,
    pub member: String,
    pub silent: bool,
}

impl Side {
    pub fn new(address: &str) -> Side {
        Side {
            address: address.to_owned(),
            stream: connect(address),
            frames: FrameReader::new(1 << 30),
            topic_id: Uuid::ZERO,
            producer_id: 0,
            member: String::new(),
            silent: false,
        }
    }

    pub fn reconnect(&mut self) {
        self.stream = connect(&self.address);
        self.frames = FrameReader::new(1 << 30);
    }

    /// The answer; `None` when the broker closes the connection instead, or says nothing.
    pub fn call<'m, Q: ApiMessage<'m>, M: Message<'static>>(
        &mut self,
        request: &Q,
        version: i16,
    ) -> Option<M> {
        let frame = encode_request(request, version, 5, Some("differ")).unwrap().concat();
        self.stream.write_all(&frame).unwrap();
        loop {
            if let Some(frame) = self.frames.next_frame().unwrap() {
                let mut r = Reader::new(Box::leak(frame.to_vec().into_boxed_slice()));
                assert_eq!(decode_response_header(&mut r, Q::API, version), Ok(5));
                return Some(M::decode(&mut r, version).unwrap());
            }
            match self.stream.read(self.frames.spare()) {
                Ok(0) => {
                    self.reconnect();
                    return None;
                }
                Ok(n) => self.frames.filled(n),
                Err(_) => {
                    self.silent = true;
                    self.reconnect();
                    return None;
                }
            }
        }
    }
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream
}

/// Both brokers, and where they differed.
pub struct Pair {
    pub sides: [Side; 2],
    /// What was asked, in which versions, and the two answers.
    pub differences: Vec<(String, Vec<i16>, String)>,
    pub compared: usize,
}

impl Pair {
    /// Asks both and compares what `show` makes of the answers.
    pub fn compare<'m, Q, M, R>(
        &mut self,
        what: &str,
        versions: impl IntoIterator<Item = i16>,
        request: R,
        show: impl Fn(&M) -> String,
    ) where
        Q: ApiMessage<'m>,
        M: Message<'static>,
        R: Fn(&Side) -> Q,
    {
        for version in versions {
            let shown = self.sides.each_mut().map(|side| {
                let request = request(side);
                match side.call::<Q, M>(&request, version) {
                    Some(answer) => show(&answer),
                    None if std::mem::take(&mut side.silent) => "says nothing".to_owned(),
                    None => "closed".to_owned(),
                }
            });
            self.compared += 1;
            let [embedded, kafka] = shown;
            if embedded == kafka {
                continue;
            }
            let pair = format!("\n  embedded {embedded}\n  kafka    {kafka}");
            match self.differences.last_mut() {
                Some(last) if last.0 == what && last.2 == pair => last.1.push(version),
                _ => self.differences.push((what.to_owned(), vec![version], pair)),
            }
        }
    }

    /// Does the same on both, without comparing.
    pub fn each(&mut self, act: impl Fn(&mut Side)) {
        self.sides.iter_mut().for_each(act);
    }
}

pub fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as i64
}
