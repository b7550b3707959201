// Works with Postern through the types that openapi-typescript made of its description, and openapi-fetch:
// `drive.mjs BASE ADMIN_TOKEN PROJECT`. Makes a project, a webhook, events, walks through a list by its cursor and has a bad
// webhook refused. Ends with one line of JSON.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths, webhooks } from "./postern.js";

const [base = "", adminToken = "", project = ""] = process.argv.slice(2);
let checks = 0;

function equal<T>(found: T, expected: T): void {
  checks += 1;
  assert.deepEqual(found, expected);
}

function signedIn(token: string) {
  return createClient<paths>({ baseUrl: base, headers: { authorization: `Bearer ${token}` } });
}

// What a receiver gets has a type as well, its data where Postern itself tells it.
type Callback = webhooks["standard"]["post"]["requestBody"]["content"]["application/json"];
type Disabled = webhooks["postern.webhook.disabled"]["post"]["requestBody"]["content"]["application/json"];
const received = (body: Callback): string => body.type;
const cause = (body: Disabled): components["schemas"]["DisableCause"] => body.data.cause;

async function main(): Promise<void> {
  const created = await signedIn(adminToken).POST("/v1/projects", { body: { name: project } });
  assert.ok(created.data, JSON.stringify(created.error));
  equal(created.data.project.name, project);
  const api = signedIn(created.data.token);
  const path = { project };

  const inbox = await api.POST("/v1/projects/{project}/inboxes", { params: { path }, body: { name: "receiver" } });
  assert.ok(inbox.data, JSON.stringify(inbox.error));
  const filter: components["schemas"]["Condition"] = {
    and: [{ field: "total", gte: 1 }, { not: { field: "total", eq: 13 } }],
  };
  const webhook = await api.POST("/v1/projects/{project}/webhooks", {
    params: { path },
    body: { name: "shop", url: inbox.data.url, events: ["order.*"], contract: "standard", filter },
  });
  assert.ok(webhook.data, JSON.stringify(webhook.error));
  equal([webhook.data.name, webhook.data.contract, webhook.data.version], ["shop", "standard", 1]);
  equal(webhook.response.headers.get("etag") === null, false);

  const posted: string[] = [];
  for (let total = 1; total <= 5; total += 1) {
    const event = await api.POST("/v1/projects/{project}/events", {
      params: { path, header: { "Idempotency-Key": `k-${total}` } },
      body: { type: "order.paid", data: { total } },
    });
    assert.ok(event.data, JSON.stringify(event.error));
    equal([event.data.deliveries, event.data.duplicate], [1, false]);
    posted.push(event.data.id);
  }

  const found: string[] = [];
  let cursor: string | null | undefined;
  do {
    const query = cursor ? { limit: 2, cursor } : { limit: 2 };
    const page = await api.GET("/v1/projects/{project}/events", { params: { path, query } });
    assert.ok(page.data, JSON.stringify(page.error));
    found.push(...page.data.items.map((event) => event.id));
    cursor = page.data.next;
  } while (cursor);
  equal(found, posted.reverse());

  const refused = await api.POST("/v1/projects/{project}/webhooks", {
    params: { path },
    body: { name: "bad", url: "gopher://x", events: [] },
  });
  equal(refused.response.status, 422);
  assert.ok(refused.error);
  equal(refused.error.errors?.map((fault) => fault.pointer).sort(), ["/events", "/url"]);

  const deliveries = await api.GET("/v1/projects/{project}/deliveries", { params: { path, query: { limit: 1 } } });
  assert.ok(deliveries.data?.items[0]);
  const delivery = await api.GET("/v1/projects/{project}/deliveries/{id}", {
    params: { path: { project, id: deliveries.data.items[0].id } },
  });
  assert.ok(delivery.data, JSON.stringify(delivery.error));
  for (const { attempt } of delivery.data.attempts) {
    // The discriminator tells the variants apart: `status` is there only where there was an answer.
    const outcome: components["schemas"]["AttemptOutcome"] = attempt.outcome;
    equal(outcome.kind === "answered" ? outcome.status : 200, 200);
  }
  equal(received({ type: "a", timestamp: "t", data: null }), "a");
  equal(typeof cause, "function");
  console.log(JSON.stringify({ client: "openapi-typescript", checks, events: posted.length }));
}

await main();
