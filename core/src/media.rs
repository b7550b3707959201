//! What a message says of its body: content coding (RFC 9110 8.4) and charset (8.3.2), and how its bytes are
//! shown as text.
//!
//! The decoders themselves are the platform's; here is which one is asked, and what is kept if no decoder
//! can help.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::delivery::BodyNote;

/// Characters of a declared coding or charset that are kept.
const NAME_CHARS_MAX: usize = 60;

/// How the bytes of a body become those that were meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coding {
    /// They are those.
    Plain,
    /// The platform has undone it before anybody reads the body: `gzip` and `br`, in exactly these letters
    /// (docs/platform.md 12).
    Undone(&'static str),
    /// gzip under another spelling: `x-gzip` is the same coding (RFC 9110 8.4.1.3), and names of codings
    /// have no case.
    Gzip,
    /// zlib's format (RFC 9110 8.4.1.2).
    Deflate,
    /// Nobody here undoes it: the name as it was sent, cut.
    Unknown(String),
}

impl Coding {
    /// Reads the value of `content-encoding`.
    #[must_use]
    pub fn read(content_encoding: Option<&str>) -> Self {
        let sent = content_encoding.unwrap_or("").trim_matches([' ', '\t']);
        match sent {
            "gzip" => return Self::Undone("gzip"),
            "br" => return Self::Undone("br"),
            _ => {}
        }
        match sent.to_ascii_lowercase().as_str() {
            "" | "identity" => Self::Plain,
            "gzip" | "x-gzip" => Self::Gzip,
            "deflate" => Self::Deflate,
            _ => Self::Unknown(cut(sent)),
        }
    }

    /// The name, for a person; `None` where there is nothing to undo.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Plain => None,
            Self::Undone(name) => Some(name),
            Self::Gzip => Some("gzip"),
            Self::Deflate => Some("deflate"),
            Self::Unknown(name) => Some(name),
        }
    }
}

/// The charset that a `content-type` declares, cut; `None` if it declares no charset.
#[must_use]
pub fn charset(content_type: &str) -> Option<String> {
    let parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let value = parameters
        .into_iter()
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .map(|(_, value)| value)?;
    let value = value.trim().trim_matches(['"', '\'']).trim();
    (!value.is_empty()).then(|| cut(value))
}

/// Which charset the bytes are in: a byte order mark says it before the declaration does (WHATWG Encoding,
/// "BOM sniff"). `None`: UTF-8, because nothing says otherwise.
#[must_use]
pub fn charset_of(bytes: &[u8], content_type: Option<&str>) -> Option<String> {
    match bytes {
        [0xfe, 0xff, ..] => Some(String::from("utf-16be")),
        [0xff, 0xfe, ..] => Some(String::from("utf-16le")),
        [0xef, 0xbb, 0xbf, ..] => None,
        _ => content_type.and_then(charset).filter(|name| !is_utf8(name)),
    }
}

/// Why a request's JSON of this type is refused: it is in another charset than JSON's (RFC 8259 8.1), of
/// which US-ASCII is a part.
#[must_use]
pub fn refused_charset(content_type: &str) -> Option<String> {
    let name =
        charset(content_type).filter(|name| !is_utf8(name) && !name.eq_ignore_ascii_case("us-ascii"))?;
    Some(format!("JSON is sent in UTF-8, not in {name}"))
}

fn is_utf8(name: &str) -> bool {
    ["utf-8", "utf8", "unicode-1-1-utf-8", "x-unicode20utf8"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

fn cut(text: &str) -> String {
    text.chars().take(NAME_CHARS_MAX).collect()
}

/// The bytes without a UTF-8 byte order mark, which some producers put before JSON and which a reader may
/// ignore (RFC 8259 8.1).
#[must_use]
pub fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes)
}

/// The text of a body that must be UTF-8. A byte order mark is left out.
///
/// # Errors
/// Which byte is wrong, in words; and where the bytes look like UTF-16, that they do.
pub fn utf8_text(bytes: &[u8]) -> Result<String, String> {
    let bytes = without_bom(bytes);
    let is_utf16 = matches!(bytes, [0xfe, 0xff, ..] | [0xff, 0xfe, ..]);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(String::from(text)),
        Err(_) if is_utf16 => Err(String::from("the body is UTF-16: send JSON as UTF-8")),
        Err(fault) => Err(format!("the body is not UTF-8: byte {} is wrong", fault.valid_up_to())),
    }
}

/// Why a request's body with this `content-encoding` is not taken; `None` where it is. What would come out
/// of a compressed one is not known before, so the body is not decoded.
#[must_use]
pub fn refused_coding(content_encoding: Option<&str>) -> Option<String> {
    let coding = Coding::read(content_encoding);
    let name = coding.name()?;
    Some(format!("send the body without content-encoding (or with identity): {name} is not accepted"))
}

/// A body as it is kept in JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Text, or base64.
    pub body: String,
    /// Which of the two.
    pub is_base64: bool,
    /// Why it is base64.
    pub note: Option<BodyNote>,
}

/// Whether bytes are a whole body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// They are.
    Whole,
    /// They are its start, and may end within a character.
    Cut,
}

/// Bytes as they came: text where they are UTF-8, else base64, and whether it is base64. A character that
/// was cut in two is left out.
#[must_use]
pub fn as_recorded(mut bytes: Vec<u8>, extent: Extent) -> (String, bool) {
    if extent == Extent::Cut
        && let Err(fault) = std::str::from_utf8(&bytes)
        && fault.error_len().is_none()
    {
        bytes.truncate(fault.valid_up_to());
    }
    match String::from_utf8(bytes) {
        Ok(text) => (text, false),
        Err(fault) => (STANDARD.encode(fault.as_bytes()), true),
    }
}

/// Bytes that are shown as text in the charset that they are in; base64 where that is unknown, where they
/// are no text in it, and where `still_encoded` names a coding that nobody undid. `decode` is the
/// platform's decoder: charset, bytes, and their extent.
#[must_use]
pub fn as_text(
    bytes: Vec<u8>,
    extent: Extent,
    content_type: Option<&str>,
    still_encoded: Option<&str>,
    decode: impl FnOnce(&str, &[u8], Extent) -> Option<String>,
) -> Kept {
    let declared = charset_of(&bytes, content_type).filter(|_| still_encoded.is_none());
    let decoded = declared.as_deref().map(|charset| decode(charset, &bytes, extent));
    let (body, is_base64) = match decoded {
        Some(Some(text)) => (text, false),
        Some(None) => (STANDARD.encode(&bytes), true),
        None => as_recorded(bytes, extent),
    };
    let note = is_base64.then(|| match still_encoded {
        Some(coding) => BodyNote::StillEncoded { coding: String::from(coding) },
        None => BodyNote::NotText { charset: declared.or_else(|| content_type.and_then(charset)) },
    });
    Kept { body, is_base64, note }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Latin-1, which is the charset whose decoder fits into a line.
    fn latin1(charset: &str, bytes: &[u8], _extent: Extent) -> Option<String> {
        (charset.eq_ignore_ascii_case("iso-8859-1")).then(|| bytes.iter().copied().map(char::from).collect())
    }

    fn utf16be(charset: &str, bytes: &[u8], _extent: Extent) -> Option<String> {
        let units = bytes.chunks_exact(2).skip(1).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        (charset == "utf-16be").then(|| char::decode_utf16(units).map(Result::unwrap_or_default).collect())
    }

    #[test]
    fn a_content_coding_is_told_by_its_name() {
        for (sent, coding) in [
            (None, Coding::Plain),
            (Some(""), Coding::Plain),
            (Some(" Identity "), Coding::Plain),
            (Some("gzip"), Coding::Undone("gzip")),
            (Some("br"), Coding::Undone("br")),
            (Some("GZIP"), Coding::Gzip),
            (Some("x-gzip"), Coding::Gzip),
            (Some("Deflate"), Coding::Deflate),
            (Some("BR"), Coding::Unknown(String::from("BR"))),
            (Some("zstd"), Coding::Unknown(String::from("zstd"))),
            (Some("gzip, br"), Coding::Unknown(String::from("gzip, br"))),
        ] {
            assert_eq!(Coding::read(sent), coding, "{sent:?}");
        }
        let long = "x".repeat(9_000);
        assert_eq!(Coding::read(Some(&long)).name().map(str::len), Some(NAME_CHARS_MAX));
    }

    #[test]
    fn a_charset_is_the_declared_one() {
        for (content_type, expected) in [
            ("text/plain; charset=iso-8859-1", Some("iso-8859-1")),
            ("text/plain;format=flowed;Charset=\"Shift_JIS\"", Some("Shift_JIS")),
            ("text/plain; charset = windows-1252 ; x=y", Some("windows-1252")),
            ("text/plain; charset='utf-16'", Some("utf-16")),
            ("text/plain; charset=", None),
            ("text/plain; charset", None),
            ("text/plain", None),
            ("", None),
        ] {
            assert_eq!(charset(content_type).as_deref(), expected, "{content_type}");
        }
    }

    #[test]
    fn a_byte_order_mark_says_more_than_the_declaration() {
        assert_eq!(
            charset_of(&[0xfe, 0xff, 0, 65], Some("text/plain; charset=utf-8")).as_deref(),
            Some("utf-16be")
        );
        assert_eq!(charset_of(&[0xff, 0xfe, 65, 0], None).as_deref(), Some("utf-16le"));
        assert_eq!(charset_of(&[0xef, 0xbb, 0xbf, 65], Some("text/plain; charset=iso-8859-1")), None);
        for utf8 in ["utf-8", "UTF-8", "utf8"] {
            assert_eq!(charset_of(b"a", Some(&format!("text/plain; charset={utf8}"))), None, "{utf8}");
        }
    }

    #[test]
    fn text_is_read_in_its_charset_and_the_rest_kept_in_base64() {
        let read = |bytes: &[u8], content_type: Option<&str>| {
            as_text(bytes.to_vec(), Extent::Whole, content_type, None, latin1)
        };
        let text = |body: &str| Kept { body: String::from(body), ..Kept::default() };
        assert_eq!(read(b"gr\xfc\xdfe", Some("text/plain; charset=ISO-8859-1")), text("grüße"));
        assert_eq!(read("größe".as_bytes(), Some("text/plain")), text("größe"));
        assert_eq!(read("größe".as_bytes(), None), text("größe"));
        let kept = |charset: Option<&str>| BodyNote::NotText { charset: charset.map(String::from) };
        for (content_type, declared) in [
            (None, None),
            (Some("text/plain"), None),
            (Some("text/plain; charset=utf-8"), Some("utf-8")),
            (Some("text/plain; charset=x-klingon"), Some("x-klingon")),
        ] {
            let found = read(b"gr\xfc", content_type);
            assert_eq!(
                found,
                Kept { body: String::from("Z3L8"), is_base64: true, note: Some(kept(declared)) },
                "{content_type:?}"
            );
        }
        let big = as_text(vec![0xfe, 0xff, 0, 0xfc], Extent::Whole, Some("text/plain"), None, utf16be);
        assert_eq!(big, text("ü"));
    }

    #[test]
    fn a_body_that_is_still_compressed_says_so() {
        let zstd = as_text(
            vec![0x28, 0xb5, 0x2f, 0xfd],
            Extent::Whole,
            Some("text/plain; charset=iso-8859-1"),
            Some("zstd"),
            latin1,
        );
        assert_eq!((zstd.body.as_str(), zstd.is_base64), ("KLUv/Q==", true));
        assert_eq!(zstd.note, Some(BodyNote::StillEncoded { coding: String::from("zstd") }));
        // A name that stands for nothing: the bytes are text all the same.
        let named = as_text(b"hello".to_vec(), Extent::Whole, None, Some("utf-8"), latin1);
        assert_eq!(named, Kept { body: String::from("hello"), ..Kept::default() });
    }

    #[test]
    fn a_byte_order_mark_is_left_out_and_other_text_refused_by_name() {
        assert_eq!(utf8_text(b"\xef\xbb\xbf{}").as_deref(), Ok("{}"));
        assert_eq!(utf8_text(b"\xef\xbb\xbf").as_deref(), Ok(""));
        assert_eq!(utf8_text("ü".as_bytes()).as_deref(), Ok("ü"));
        assert!(utf8_text(b"\xff\xfe{\0}\0").is_err_and(|detail| detail.contains("UTF-16")));
        assert!(utf8_text(b"\xfe\xff\0{\0}").is_err_and(|detail| detail.contains("UTF-16")));
        assert_eq!(
            utf8_text(b"{\"a\":\"\xfc\"}"),
            Err(String::from("the body is not UTF-8: byte 6 is wrong"))
        );
    }

    #[test]
    fn a_compressed_request_is_refused_by_the_name_of_its_coding() {
        for taken in [None, Some(""), Some("identity"), Some("Identity")] {
            assert_eq!(refused_coding(taken), None, "{taken:?}");
        }
        for (sent, name) in [
            ("gzip", "gzip"),
            ("GZIP", "gzip"),
            ("br", "br"),
            ("deflate", "deflate"),
            ("zstd", "zstd"),
            ("aws-chunked", "aws-chunked"),
        ] {
            assert!(
                refused_coding(Some(sent))
                    .is_some_and(|detail| detail.contains(name) && detail.contains("identity")),
                "{sent}"
            );
        }
        assert!(refused_coding(Some(&"x".repeat(9_000))).is_some_and(|detail| detail.len() < 200));
    }

    #[test]
    fn a_cut_through_a_character_leaves_text() {
        assert_eq!(as_recorded(vec![b'a', 0xc3], Extent::Cut), (String::from("a"), false));
        assert_eq!(as_recorded(vec![b'a', 0xc3], Extent::Whole), (String::from("YcM="), true));
        assert_eq!(as_recorded(vec![0xff, 0x00], Extent::Cut), (String::from("/wA="), true));
    }

    #[test]
    fn json_comes_in_utf_8() {
        for fine in
            ["application/json", "application/json; charset=UTF-8", "application/json;charset=us-ascii"]
        {
            assert_eq!(refused_charset(fine), None, "{fine}");
        }
        for other in ["application/json; charset=iso-8859-1", "application/json; charset=\"utf-16\""] {
            assert!(refused_charset(other).is_some(), "{other}");
        }
    }
}
