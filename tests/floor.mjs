// The least that a webhook system can do on this platform, for the benchmark: one call to an object that stores the event and
// its deliveries, a `fetch` for each webhook, one call that notes how they ended. No token, no matching, no signature, no
// retry, no second look at anything. What Postern's figures are set beside: the platform's own share of them.
import { DurableObject } from "cloudflare:workers";

const json = (status, value) => new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json" } });

export class Project extends DurableObject {
  constructor(state, env) {
    super(state, env);
    this.storage = state.storage;
    const { sql } = this.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS webhook (url TEXT)");
    sql.exec("CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, body TEXT)");
    sql.exec("CREATE TABLE IF NOT EXISTS delivery (seq INTEGER PRIMARY KEY, event INTEGER, state TEXT)");
    this.urls = sql.exec("SELECT url FROM webhook").toArray().map((row) => row.url);
    this.key = sql.exec("SELECT max(seq) AS key FROM delivery").one().key ?? 0;
  }

  async fetch(request) {
    const call = await request.json();
    const { sql } = this.storage;
    if (call.webhook) {
      sql.exec("INSERT INTO webhook VALUES (?)", call.webhook);
      this.urls.push(call.webhook);
      return json(201, {});
    }
    if (call.event) {
      const event = ++this.key;
      const works = this.urls.map((url) => ({ url, key: ++this.key }));
      this.storage.transactionSync(() => {
        sql.exec("INSERT INTO event VALUES (?, ?)", event, call.event);
        sql.exec("INSERT INTO delivery SELECT value, ?, 'leased' FROM json_each(?)", event, JSON.stringify(works.map(({ key }) => key)));
      });
      return json(200, { event, works });
    }
    if (call.report) {
      sql.exec("UPDATE delivery SET state = 'delivered' WHERE seq IN (SELECT value FROM json_each(?))", JSON.stringify(call.report));
      return json(200, {});
    }
    const after = call.after ?? Number.MAX_SAFE_INTEGER;
    return json(200, sql.exec("SELECT seq FROM event WHERE seq < ? ORDER BY seq DESC LIMIT 200", after).toArray());
  }
}

export default {
  async fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    const [, , , project, resource] = pathname.split("/");
    const stub = env.PROJECT.getByName(project ?? "");
    const ask = async (call) => (await stub.fetch("https://project.internal/", { method: "POST", body: JSON.stringify(call) })).json();
    if (request.method === "POST" && resource === "events") {
      const body = await request.text();
      const { event, works } = await ask({ event: body });
      const data = JSON.parse(body).data;
      const call = async ({ url, key }) => {
        const sent = JSON.stringify({ type: "order.paid", data });
        const headers = { "content-type": "application/json", "webhook-id": `msg_${key}` };
        await (await fetch(url, { method: "POST", headers, body: sent })).arrayBuffer();
        return key;
      };
      context.waitUntil(Promise.all(works.map(call)).then((report) => ask({ report })));
      return json(202, { id: String(event), deliveries: works.length, duplicate: false });
    }
    if (request.method === "POST" && resource === "webhooks") {
      return json(201, await ask({ webhook: (await request.json()).url }));
    }
    if (resource === "events") {
      const cursor = searchParams.get("cursor");
      const events = await ask({ after: cursor ? Number(cursor) : undefined });
      const items = events.map(({ seq }) => {
        return { id: String(seq), type: "order.paid", object: null, idempotency_key: null, accepted_at: "2026-01-01T00:00:00Z", deliveries: 0 };
      });
      return json(200, { items, next: items.length === 200 ? items.at(-1).id : null });
    }
    if (request.method === "POST") {
      return json(201, { project: {}, token: "floor" });
    }
    return json(200, {});
  },
};
