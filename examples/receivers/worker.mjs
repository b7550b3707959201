// A receiver on Cloudflare Workers: npx wrangler secret put POSTERN_SECRET
const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

async function isGenuine(headers, body, secret) {
  const id = headers.get("webhook-id");
  const sentAt = headers.get("webhook-timestamp");
  const signatures = headers.get("webhook-signature") ?? "";
  if (!id || !(Math.abs(Date.now() / 1000 - Number(sentAt)) <= 300)) return false;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytesOf(secret.replace(/^whsec_/, "")), algorithm, false, ["verify"]);
  const signed = new TextEncoder().encode(`${id}.${sentAt}.${body}`);
  // While a secret is replaced there are several signatures: one that fits is enough.
  for (const part of signatures.split(" ")) {
    const [version, signature = ""] = part.split(",");
    try {
      if (version === "v1" && (await crypto.subtle.verify(algorithm, key, bytesOf(signature), signed))) return true;
    } catch {
      // Not base64: not a signature.
    }
  }
  return false;
}

export default {
  async fetch(request, env) {
    const body = await request.text(); // Verify the text as it came, before anything parses it.
    if (!(await isGenuine(request.headers, body, env.POSTERN_SECRET))) return new Response(null, { status: 401 });
    const event = JSON.parse(body);
    // The same webhook-id again is the same delivery: remember it and skip the second one.
    console.log(request.headers.get("webhook-id"), event.type);
    return new Response(null, { status: 204 });
  },
};
