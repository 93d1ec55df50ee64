//! Streams that servers send, should not send, and never send. No adapter has to understand them; none may trap on them,
//! or let a meaning depend on how events were batched.

use benchhost_framing::Framing;

/// One body.
pub(crate) struct Stream {
    /// What it is, for messages.
    pub(crate) name: &'static str,
    /// How it is cut.
    pub(crate) framing: Framing,
    /// Its bytes.
    pub(crate) body: Vec<u8>,
}

/// Bodies of successful answers.
pub(crate) fn streams() -> Vec<Stream> {
    let mut list: Vec<Stream> = SSE.iter().map(|(name, body)| stream(name, Framing::Sse, *body)).collect();
    list.extend(NDJSON.iter().map(|(name, body)| stream(name, Framing::Ndjson, *body)));
    list.extend(ERRORS.iter().map(|body| stream("whole body", Framing::WholeBody, *body)));
    list.push(stream(
        "invalid UTF-8",
        Framing::Sse,
        *b"data: {\"choices\":[{\"delta\":{\"content\":\"\xff\xfe\xf0\x9f\"}}]}\n\ndata: \xc3\n\n",
    ));
    list.push(stream(
        "deep nesting",
        Framing::Sse,
        format!("data: {}\n\ndata: {}\n\n", "[".repeat(5000), "{\"a\":".repeat(5000)),
    ));
    list
}

/// Bodies too long to be cut at every byte.
pub(crate) fn long_streams() -> Vec<Stream> {
    let piece = |text: &str| {
        format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":{text:?}}}}}]}}\n\n")
    };
    vec![
        stream("one event of 1 MB", Framing::Sse, piece(&"x".repeat(1 << 20))),
        stream(
            "one event of 1 MB that is no JSON",
            Framing::Sse,
            format!("data: {}\n\n", "{".repeat(1 << 20)),
        ),
        stream("3000 events", Framing::Sse, piece("tok").repeat(3000)),
        stream("2000 empty objects", Framing::Ndjson, "{}\n".repeat(2000)),
    ]
}

/// Bodies of failed answers and of answers that came whole.
pub(crate) const ERRORS: [&[u8]; 9] = [
    b"",
    b"Internal Server Error",
    b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>",
    br#"{"error":{"message":"the model is not there","type":"NotFoundError","param":null,"code":404}}"#,
    br#"{"error":"Input validation error","error_type":"validation"}"#,
    br#"{"detail":[{"loc":["body","max_tokens"],"msg":"field required","type":"value_error.missing"}]}"#,
    br#"{"object":"error","message":null,"type":"BadRequestError","param":null,"code":"400"}"#,
    br#"{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"whole"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"#,
    b"{\"error\":",
];

/// Statuses of failed answers.
pub(crate) const STATUSES: [u16; 10] = [100, 204, 301, 400, 401, 404, 422, 429, 500, 503];

fn stream(name: &'static str, framing: Framing, body: impl AsRef<[u8]>) -> Stream {
    Stream { name, framing, body: body.as_ref().to_vec() }
}

const SSE: [(&str, &[u8]); 14] = [
    ("empty body", b""),
    ("only a comment", b": ping\n\n"),
    ("only the end marker", b"data: [DONE]\n\n"),
    (
        "chat stream",
        b"data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n\
          data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"}}]}\n\n\
          data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"},\"finish_reason\":\"stop\"}]}\n\n\
          data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n",
    ),
    (
        "completions stream",
        b"data: {\"choices\":[{\"index\":0,\"text\":\"a\",\"finish_reason\":null}]}\n\n\
          data: {\"choices\":[{\"index\":1,\"text\":\"b\",\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n",
    ),
    (
        "reasoning, tools and refusal",
        b"data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n\
          data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\"}}]}}]}\n\n\
          data: {\"choices\":[{\"delta\":{\"refusal\":\"no\"},\"finish_reason\":\"tool_calls\"}]}\n\n",
    ),
    (
        "error inside a stream",
        b"data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n\
          data: {\"error\":{\"message\":\"out of memory\",\"type\":\"server_error\",\"code\":500}}\n\ndata: [DONE]\n\n",
    ),
    (
        "unicode and escapes",
        "data: {\"choices\":[{\"delta\":{\"content\":\"\u{e9}\u{1f600}\\ud83d\\ude00\\u0000\\ud83d\"}}]}\n\n\
         data: {\"choices\":[{\"delta\":{\"content\":\"\u{fffd}\u{202e}\"}}]}\n\n"
            .as_bytes(),
    ),
    ("named events", b"event: message\ndata: {\"text\":\"a\"}\n\nevent: error\ndata: broken\n\nevent: done\ndata:\n\n"),
    ("several data lines", b"data: {\"choices\":\ndata: []}\r\n\r\ndata: 1\rdata: 2\r\r"),
    ("garbage", b"\x00\x01\x02 nothing here\n\n}{][\n\ndata: }{\n\ndata\n\n"),
    (
        "wrong types",
        b"data: {\"choices\":\"no\"}\n\ndata: {\"choices\":[null,1,[]]}\n\ndata: {\"choices\":[{\"index\":-1,\"delta\":[]}]}\n\n\
          data: {\"usage\":{\"prompt_tokens\":-5,\"completion_tokens\":1e300}}\n\ndata: null\n\ndata: 17\n\ndata: []\n\n",
    ),
    ("repeated end", b"data: [DONE]\n\ndata: [DONE]\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"late\"}}]}\n\n"),
    (
        "native streams",
        b"data:{\"index\":1,\"token\":{\"id\":5,\"text\":\"a\",\"special\":false},\"generated_text\":null}\n\n\
          data: {\"text\":\"cumulative\",\"meta_info\":{\"completion_tokens\":3,\"finish_reason\":{\"type\":\"length\"}}}\n\n\
          data: {\"text\":\"cumu\"}\n\ndata: {\"content\":\"x\",\"stop\":true,\"tokens_predicted\":9}\n\n",
    ),
];

const NDJSON: [(&str, &[u8]); 3] = [
    (
        "lines of chat",
        b"{\"message\":{\"content\":\"a\"},\"done\":false}\n{\"done\":true,\"eval_count\":1}\n",
    ),
    ("lines without end", b"{\"response\":\"a\"}\n\n\n{\"resp"),
    ("lines of garbage", b"no json\n\xff\n[]\n"),
];
