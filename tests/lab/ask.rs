use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// Sends one request, its target byte for byte as given, and returns the status of the answer.
///
/// POST, PUT and PATCH carry a small body. The user agent is `lab/1.0`, the host `shop.example`.
pub(crate) fn ask(server: SocketAddr, method: &str, target: impl AsRef<[u8]>) -> u16 {
    let body = if ["POST", "PUT", "PATCH"].contains(&method) { "amount=1" } else { "" };
    let mut request = format!("{method} ").into_bytes();
    request.extend_from_slice(target.as_ref());
    request.extend_from_slice(
        b" HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: lab/1.0\r\nConnection: close\r\n",
    );
    if !body.is_empty() {
        request.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    request.extend_from_slice(format!("\r\n{body}").as_bytes());

    let mut stream = TcpStream::connect(server).expect("the server listens");
    stream.write_all(&request).expect("the server reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the server answers");
    status_of(&answer).unwrap_or_else(|| panic!("no HTTP answer to {method}: {answer:?}"))
}

fn status_of(answer: &[u8]) -> Option<u16> {
    std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()
}
