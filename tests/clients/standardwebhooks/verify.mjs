// Verifies recorded callbacks with the official npm package: what a receiver in JavaScript would run.
//
// Reads a JSON list of {secret, headers, body_base64} from the file named by the first argument and prints, as JSON, how
// many verified and how many forgeries (one byte, the id, the time, the secret) were refused.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Webhook, WebhookVerificationError } from "standardwebhooks";

const calls = JSON.parse(readFileSync(process.argv[2], "utf8"));
let verified = 0;
let refused = 0;
for (const { secret, headers, body_base64: encoded } of calls) {
  const body = Buffer.from(encoded, "base64");
  assert.deepEqual(new Webhook(secret).verify(body, headers), JSON.parse(body.toString("utf8")));
  verified += 1;
  const later = String(Number(headers["webhook-timestamp"]) + 1);
  const forgeries = [
    [secret, Buffer.concat([body, Buffer.from(" ")]), headers],
    [secret, body, { ...headers, "webhook-id": `${headers["webhook-id"]}0` }],
    [secret, body, { ...headers, "webhook-timestamp": later }],
    [`whsec_${Buffer.alloc(32, 1).toString("base64")}`, body, headers],
  ];
  for (const [key, bytes, forged] of forgeries) {
    assert.throws(() => new Webhook(key).verify(bytes, forged), WebhookVerificationError);
    refused += 1;
  }
}
console.log(JSON.stringify({ verified, refused }));
