//! Bytes as they lie on disk into bytes of a log.
//!
//! What a file is compressed with is told by its first bytes, not by its name: gzip (RFC 1952 §2.3.1), Zstandard (RFC 8878 §3.1.1), bzip2, and xz.
//! Files of several members or frames, as `cat a.gz b.gz` makes them, are read to their end. Memory is bounded by the decompressor's window, whatever the
//! file claims: 128 MiB at most.

use std::io::{self, BufRead, BufReader, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::GzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// gzip, any number of members.
    Gzip,
    /// Zstandard, any number of frames.
    Zstd,
    /// bzip2, any number of streams.
    Bzip2,
    /// xz, any number of streams.
    Xz,
}

const MAGIC: [(&[u8], Compression); 4] = [
    (b"\x1f\x8b", Compression::Gzip),
    (b"\x28\xb5\x2f\xfd", Compression::Zstd),
    (b"BZh", Compression::Bzip2),
    (b"\xfd7zXZ\0", Compression::Xz),
];

/// What a decompressor may use.
const WINDOW_BYTES_MAX: u64 = 128 << 20;

/// What the first bytes of a file say about its compression.
pub(crate) fn compression(head: &[u8]) -> Option<Compression> {
    MAGIC.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, compression)| *compression)
}

/// What unpacks the archive whose bytes begin with `head`, if it is one (POSIX.1-2017, pax, ustar interchange format; PKWARE APPNOTE §4.3.7). A tar is no line that does not fit: the
/// first line of each file in it stands behind a header, and would be lost.
pub(crate) fn archive(head: &[u8]) -> Option<&'static str> {
    if head.starts_with(b"PK\x03\x04") {
        Some("unzip")
    } else {
        head.get(256..).is_some_and(|behind| behind.starts_with(b"\0ustar")).then_some("tar -x")
    }
}

/// What unpacks the file whose bytes begin with `head`, if it is compressed in a way that is not read here: LZ4 frames, `compress`, lzip, lzop, 7z and LZMA alone.
pub(crate) fn foreign(head: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 6] = [
        (b"\x04\x22\x4d\x18", "lz4 -d"),
        (b"\x1f\x9d", "zcat"),
        (b"LZIP\x01", "lzip -d"),
        (b"\x89LZO\0", "lzop -d"),
        (b"7z\xbc\xaf\x27\x1c", "7z x"),
        (b"\x5d\0\0", "unlzma"),
    ];
    MAGIC.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, program)| *program)
}

/// The bytes of a log, and what was found at its beginning.
pub(crate) struct Unpacked {
    /// The log, without compression and byte order mark.
    pub(crate) reader: Box<dyn Read + Send>,
    /// What it was compressed with.
    pub(crate) compression: Option<Compression>,
    /// Whether a byte order mark says that this is UTF-16, which no access log is.
    pub(crate) utf16: bool,
    /// Bytes of the byte order mark that was taken off.
    pub(crate) mark_bytes: u64,
}

/// Takes compression and byte order mark off `packed`.
pub(crate) fn unpack(packed: impl Read + Send + 'static) -> io::Result<Unpacked> {
    let (plain, compression) = decompress(packed)?;
    let (head, plain) = peek::<3>(plain)?;
    let utf16 = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
    let mut reader: Box<dyn Read + Send> = Box::new(plain);
    let mark_bytes = if head == *b"\xef\xbb\xbf" { 3 } else { 0 };
    io::copy(&mut (&mut reader).take(mark_bytes), &mut io::sink())?;
    Ok(Unpacked { reader, compression, utf16, mark_bytes })
}

/// Takes compression off `packed`.
pub(crate) fn decompress(
    packed: impl Read + Send + 'static,
) -> io::Result<(Box<dyn Read + Send>, Option<Compression>)> {
    let (head, packed) = peek::<6>(packed)?;
    let compression = compression(&head);
    let buffered = |packed| BufReader::with_capacity(128 << 10, packed);
    let plain: Box<dyn Read + Send> = match compression {
        None => Box::new(packed),
        Some(Compression::Gzip) => Box::new(Members { next: Some(GzDecoder::new(buffered(packed))) }),
        Some(Compression::Bzip2) => Box::new(MultiBzDecoder::new(buffered(packed))),
        Some(Compression::Zstd) => Box::new(zstd::stream::read::Decoder::with_buffer(buffered(packed))?),
        Some(Compression::Xz) => {
            let stream = Stream::new_stream_decoder(WINDOW_BYTES_MAX, CONCATENATED)?;
            Box::new(XzDecoder::new_stream(buffered(packed), stream))
        }
    };
    Ok((plain, compression))
}

/// The members of a gzip file, one after the other. NUL bytes behind one are padding, as tapes and block devices leave it, which gunzip passes over too.
struct Members<R> {
    /// None behind the last one.
    next: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.next {
            let read = member.read(out)?;
            if read > 0 || out.is_empty() {
                return Ok(read);
            }
            if is_end(member.get_mut())? {
                self.next = None;
            } else if let Some(member) = self.next.take() {
                self.next = Some(GzDecoder::new(member.into_inner()));
            }
        }
        Ok(0)
    }
}

/// Passes over NUL bytes; whether nothing is behind them.
fn is_end(packed: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let bytes = packed.fill_buf()?;
        let (padding, length) = (bytes.iter().take_while(|&&byte| byte == 0).count(), bytes.len());
        packed.consume(padding);
        if padding < length || length == 0 {
            return Ok(length == 0);
        }
    }
}

/// The first `N` bytes of `reader`, or fewer at its end, and a reader that gives them again.
fn peek<const N: usize>(mut reader: impl Read) -> io::Result<(Vec<u8>, impl Read)> {
    let mut head = Vec::with_capacity(N);
    match (&mut reader).take(N as u64).read_to_end(&mut head) {
        Ok(_) => {}
        // What could be read is given again; the error will come again behind it.
        Err(_) if !head.is_empty() => {}
        Err(error) => return Err(error),
    }
    Ok((head.clone(), io::Cursor::new(head).chain(reader)))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn unpacked(bytes: Vec<u8>) -> (String, Option<Compression>) {
        let mut unpacked = unpack(io::Cursor::new(bytes)).expect("a log");
        let mut text = String::new();
        unpacked.reader.read_to_string(&mut text).expect("UTF-8");
        (text, unpacked.compression)
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).expect("memory");
        encoder.finish().expect("memory")
    }

    fn bzip2(text: &str) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(text.as_bytes()).expect("memory");
        encoder.finish().expect("memory")
    }

    fn xz(text: &str) -> Vec<u8> {
        let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
        encoder.write_all(text.as_bytes()).expect("memory");
        encoder.finish().expect("memory")
    }

    fn zstd(text: &str) -> Vec<u8> {
        zstd::encode_all(text.as_bytes(), 1).expect("memory")
    }

    #[test]
    fn compression_is_told_by_the_first_bytes_and_all_members_are_read() {
        type Packer = fn(&str) -> Vec<u8>;
        let cases: [(Packer, Compression); 4] = [
            (gzip, Compression::Gzip),
            (bzip2, Compression::Bzip2),
            (xz, Compression::Xz),
            (zstd, Compression::Zstd),
        ];
        for (pack, compression) in cases {
            let both = [pack("one\n"), pack("\u{feff}two\n")].concat();
            assert_eq!(unpacked(both), ("one\n\u{feff}two\n".to_owned(), Some(compression)));
        }
        assert_eq!(unpacked(b"plain".to_vec()), ("plain".to_owned(), None));
        assert_eq!(unpacked(Vec::new()), (String::new(), None));
    }

    #[test]
    fn padding_behind_a_gzip_member_is_passed_over() {
        let padding = vec![0; 300_000];
        assert_eq!(unpacked([gzip("one\n"), padding.clone()].concat()).0, "one\n");
        assert_eq!(unpacked([gzip("one\n"), padding.clone(), gzip("two\n")].concat()).0, "one\ntwo\n");
        let mut torn = unpack(io::Cursor::new([gzip("one\n"), padding, vec![7]].concat())).expect("a head");
        let mut read = Vec::new();
        torn.reader.read_to_end(&mut read).expect_err("it is no member");
        assert_eq!(read, b"one\n");
    }

    #[test]
    fn an_archive_is_told_by_its_first_bytes() {
        let mut tar = [0; 512];
        tar[..10].copy_from_slice(b"access.log");
        tar[257..262].copy_from_slice(b"ustar");
        for (head, unpacks) in [
            (&tar[..], Some("tar -x")),
            (b"PK\x03\x04\x14", Some("unzip")),
            (&[b"GET /ustar".repeat(40), tar.to_vec()].concat(), None),
            (b"PKI", None),
        ] {
            assert_eq!(archive(head), unpacks);
        }
    }

    #[test]
    fn what_is_compressed_otherwise_is_told_by_its_first_bytes() {
        for (head, unpacks) in [
            (&b"\x04\x22\x4d\x18\x64\x40"[..], Some("lz4 -d")),
            (b"\x1f\x9d\x90", Some("zcat")),
            (b"\x5d\0\0\x80\0\xff", Some("unlzma")),
            (b"LZIP is a host", None),
            (b"]\0", None),
            (b"", None),
        ] {
            assert_eq!(foreign(head), unpacks, "{}", head.escape_ascii());
        }
    }

    #[test]
    fn a_byte_order_mark_is_taken_off() {
        assert_eq!(unpacked("\u{feff}line".into()), ("line".to_owned(), None));
        assert_eq!(unpacked(gzip("\u{feff}line")).0, "line");
        assert!(unpack(io::Cursor::new(b"\xff\xfel\0")).expect("a file").utf16);
    }

    #[test]
    fn a_file_cut_in_its_middle_gives_what_it_has_and_then_an_error() {
        let text: String = (0..20_000).map(|line| line.to_string() + " is a line\n").collect();
        for packed in [gzip(&text), bzip2(&text), xz(&text), zstd(&text)] {
            let mut cut = unpack(io::Cursor::new(packed[..packed.len() - 20].to_vec())).expect("a head");
            let mut read = Vec::new();
            let error = cut.reader.read_to_end(&mut read).expect_err("it is cut");
            assert!(text.as_bytes().starts_with(&read), "{error}");
        }
    }
}
