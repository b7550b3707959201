//! Reading a body within limits: the one place that does, for requests that arrive and for answers to our
//! calls.
//!
//! A body is counted while it streams, so one that lies about its length costs no more than the limit and one
//! chunk. The stream is dropped in any case, which cancels the rest: an unread body would keep one of the six
//! connections of the invocation (docs/platform.md 1.4).

use futures_util::StreamExt as _;
use js_sys::{Promise, Uint8Array};
use postern_core::media::Extent;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::ByteStream;

/// How much of a body is read, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// So many are kept.
    pub(crate) kept: usize,
    /// Reading goes on, and what is too much is thrown away, until more than this arrived.
    pub(crate) read: usize,
}

/// Where a body comes from.
pub(crate) enum Readable {
    /// All at once: for one that is declared to be within the limits.
    Whole(Result<Promise, JsValue>),
    /// In chunks; `None` where there is no body at all.
    Chunks(Option<web_sys::ReadableStream>),
}

/// A body as far as it was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Body {
    /// Its first bytes.
    pub(crate) kept: Vec<u8>,
    /// How many bytes arrived.
    pub(crate) arrived: usize,
}

impl Body {
    /// Whether more arrived than was kept.
    pub(crate) const fn is_cut(&self) -> bool {
        self.arrived > self.kept.len()
    }

    /// How much of it was kept.
    pub(crate) const fn extent(&self) -> Extent {
        if self.is_cut() { Extent::Cut } else { Extent::Whole }
    }

    fn add(&mut self, chunk: &[u8], limits: Limits) {
        let room = limits.kept.saturating_sub(self.kept.len());
        self.kept.extend(chunk.iter().take(room));
        self.arrived += chunk.len();
    }
}

/// Reads a body; beside what was read, the error where the other side broke off.
pub(crate) async fn read(from: Readable, limits: Limits) -> (Body, Option<worker::Error>) {
    let mut body = Body::default();
    let stream = match from {
        Readable::Whole(promise) => {
            let end = match whole(promise).await {
                Ok(bytes) => {
                    body.add(&bytes, limits);
                    None
                }
                Err(error) => Some(error.into()),
            };
            return (body, end);
        }
        Readable::Chunks(None) => return (body, None),
        Readable::Chunks(Some(stream)) => stream,
    };
    let mut stream = ByteStream::from(stream);
    while let Some(chunk) = stream.next().await {
        match chunk {
            Ok(chunk) => body.add(&chunk, limits),
            Err(error) => return (body, Some(error)),
        }
        if body.arrived > limits.read {
            break;
        }
    }
    (body, None)
}

async fn whole(promise: Result<Promise, JsValue>) -> Result<Vec<u8>, JsValue> {
    let buffer = JsFuture::from(promise?).await?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// The stream with its compression undone by the platform. What was read of it is limited as of any other
/// stream, so that a few bytes that stand for many cost no more than the limit. An error of either side ends
/// the stream. `format` is one of the Compression Streams standard: `gzip` or `deflate`.
pub(crate) fn decompressed(
    stream: &web_sys::ReadableStream,
    format: &str,
) -> Option<web_sys::ReadableStream> {
    let decompression = DecompressionStream::new(format).ok()?;
    Some(stream.pipe_through(decompression.unchecked_ref()))
}

#[wasm_bindgen]
extern "C" {
    /// The platform's, which `web-sys` has behind a flag of the compiler.
    type DecompressionStream;

    #[wasm_bindgen(constructor, catch)]
    fn new(format: &str) -> Result<DecompressionStream, JsValue>;
}

/// Decodes text by the platform's decoder, which knows every label of the WHATWG Encoding standard. `None`
/// where the label is unknown, or the bytes are not text in that charset.
pub(crate) fn decode(charset: &str, bytes: &[u8], extent: Extent) -> Option<String> {
    let strict = web_sys::TextDecoderOptions::new();
    strict.set_fatal(true);
    let decoder = web_sys::TextDecoder::new_with_label_and_options(charset, &strict).ok()?;
    let part = web_sys::TextDecodeOptions::new();
    part.set_stream(extent == Extent::Cut);
    // A copy: the platform refuses views of memory that may grow, in some of its versions.
    decoder.decode_with_buffer_source_and_options(&Uint8Array::from(bytes), &part).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_cut_at_its_limit_and_counted_beyond() {
        let limits = Limits { kept: 5, read: 100 };
        let mut body = Body::default();
        body.add(b"abc", limits);
        assert!(!body.is_cut());
        body.add(b"def", limits);
        body.add(b"g", limits);
        assert_eq!((body.kept.as_slice(), body.arrived, body.is_cut()), (&b"abcde"[..], 7, true));
    }
}
