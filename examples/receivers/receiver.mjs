// A receiver for Node 18 and later: PORT=3000 POSTERN_SECRET=whsec_… node receiver.mjs
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const key = Buffer.from(process.env.POSTERN_SECRET.replace(/^whsec_/, ""), "base64");

function isGenuine(headers, body) {
  const { "webhook-id": id, "webhook-timestamp": sentAt, "webhook-signature": signatures = "" } = headers;
  if (!id || !(Math.abs(Date.now() / 1000 - Number(sentAt)) <= 300)) return false;
  const expected = createHmac("sha256", key).update(`${id}.${sentAt}.`).update(body).digest();
  // While a secret is replaced there are several signatures: one that fits is enough.
  return signatures.split(" ").some((part) => {
    const [version, signature = ""] = part.split(",");
    const bytes = Buffer.from(signature, "base64");
    return version === "v1" && bytes.length === expected.length && timingSafeEqual(bytes, expected);
  });
}

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks); // Verify the bytes as they came, before anything parses them.
  if (!isGenuine(request.headers, body)) return response.writeHead(401).end();
  const event = JSON.parse(body);
  // The same webhook-id again is the same delivery: remember it and skip the second one.
  console.log(request.headers["webhook-id"], event.type);
  response.writeHead(204).end();
}).listen(Number(process.env.PORT ?? 3000));
