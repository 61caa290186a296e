//! As much of HTTP/1.1 as twine, pip and requests speak to an index, over one connection a request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// What a client asks for, before its body.
pub(crate) struct Head {
    pub method: String,
    pub path: String,
    headers: Vec<(String, String)>,
}

impl Head {
    /// `None` when the client hangs up in the middle of it.
    pub(crate) fn read(stream: &mut BufReader<TcpStream>) -> Option<Head> {
        let first = line(stream)?;
        let mut words = first.split(' ').map(str::to_owned);
        let (method, path) = (words.next()?, words.next()?);
        let mut headers = Vec::new();
        loop {
            let header = line(stream)?;
            let Some((name, value)) = header.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Some(Head { method, path, headers })
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    pub(crate) fn length(&self) -> usize {
        self.header("content-length").parse().unwrap_or(0)
    }

    /// The password of basic authentication.
    pub(crate) fn password(&self) -> String {
        let encoded = self.header("authorization").trim_start_matches("Basic ");
        let login = String::from_utf8(base64(encoded)).unwrap_or_default();
        login.split_once(':').map_or(String::new(), |(_, password)| password.to_owned())
    }
}

fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}

/// Reads so many bytes of a body; `None` when the client hangs up before.
pub(crate) fn body(stream: &mut BufReader<TcpStream>, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

/// The file in a form as twine sends it (RFC 7578): its name and what it holds.
pub(crate) fn uploaded_file(form: &[u8]) -> Option<(String, Vec<u8>)> {
    let boundary = &form[..position(form, b"\r\n")?];
    let start = position(form, b"filename=\"")? + b"filename=\"".len();
    let name = &form[start..];
    let name = String::from_utf8(name[..position(name, b"\"")?].to_vec()).ok()?;
    let content = &form[start + position(&form[start..], b"\r\n\r\n")? + 4..];
    let end = position(content, &[b"\r\n", boundary].concat())?;
    Some((name, content[..end].to_vec()))
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// Sends an answer and leaves the connection to be closed.
pub(crate) fn answer(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)], body: &[u8]) {
    let mut head = format!("HTTP/1.1 {status}\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    // Whoever asked may have been killed meanwhile.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

/// RFC 4648, without a word about what is wrong with it.
fn base64(text: &str) -> Vec<u8> {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for digit in text.bytes().filter_map(|byte| digits.iter().position(|&d| d == byte)) {
        held = (held << 6) | digit as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    bytes
}
