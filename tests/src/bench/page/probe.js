// Watches the dashboard, and feeds it. Part of bench/page/watched.rs: runs before the page's own scripts, after a line that says
// in `madeUp` how many deliveries the list is to hold (null: those that the server has).
const probe = {
  /// When the first row of the list was there, in milliseconds since the navigation started.
  listAt: null,
  /// When the largest element so far was painted.
  paintedAt: null,
  /// Messages that the page was told.
  heard: 0,
  /// What the content security policy stopped.
  violations: 0,
};
window.probe = probe;

const started = Date.now();
const sockets = [];
let memory = null;
let longest = 0;
let newest = madeUp ?? 0;
let timer = null;

window.WebSocket = class extends WebSocket {
  constructor(...how) {
    super(...how);
    sockets.push(this);
    this.addEventListener("message", (message) => {
      if (message.data !== "pong") probe.heard += 1;
    });
  }
};

for (const name of ["instantiate", "instantiateStreaming"]) {
  const real = WebAssembly[name];
  WebAssembly[name] = async (...what) => {
    const made = await real.apply(WebAssembly, what);
    // The parts that are loaded later import the memory of the first one.
    memory ??= (made.instance ?? made).exports.memory ?? null;
    return made;
  };
}

document.addEventListener("securitypolicyviolation", () => {
  probe.violations += 1;
});

new PerformanceObserver((list) => {
  probe.paintedAt = list.getEntries().at(-1).startTime;
}).observe({ type: "largest-contentful-paint", buffered: true });

new PerformanceObserver((list) => {
  for (const task of list.getEntries()) longest = Math.max(longest, task.duration);
}).observe({ type: "longtask" });

new MutationObserver((_changes, observer) => {
  if (!document.querySelector("main [data-row]")) return;
  probe.listAt = performance.now();
  observer.disconnect();
}).observe(document, { childList: true, subtree: true });

/// An id that follows that of a smaller number, and those of the server.
function id(number) {
  const digits = number.toString(16).padStart(12, "0");
  return `dlv_ffffffff-ffff-7fff-bfff-${digits}`;
}

function delivery(number, attempts = 1) {
  const created = new Date(started - (madeUp ?? 0) + number).toISOString();
  const event = `evt_${id(number).slice(4)}`;
  return {
    id: id(number), event_id: event, type: "order.paid", webhook_id: "whk_1", webhook: `billing-${number % 5}`,
    message_id: `msg_${number}`, state: "delivered", attempts, next_at: null, last_status: 200, last_result: "200 OK",
    last_duration_ms: number % 997, created_at: created, updated_at: new Date().toISOString(),
  };
}

/// The whole list, the newest first.
function list() {
  const items = Array.from({ length: madeUp }, (_, at) => delivery(madeUp - at));
  return new Response(JSON.stringify({ items, next: null }), { headers: { "content-type": "application/json" } });
}

if (madeUp !== null) {
  const real = window.fetch;
  const isList = (what) => new URL(what.url ?? what, location.href).pathname.endsWith("/deliveries");
  window.fetch = (what, how) => (isList(what) ? Promise.resolve(list()) : real.call(window, what, how));
}

const open = () => sockets.findLast((socket) => socket.readyState === WebSocket.OPEN);

/// Tells the page of a delivery as the server would.
function tell(number, attempts) {
  const data = JSON.stringify({ change: "delivery", delivery: delivery(number, attempts) });
  open()?.dispatchEvent(new MessageEvent("message", { data }));
}

const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

Object.assign(probe, {
  isLive: () => open() !== undefined,

  /// Rows of the list, as its heading says: not all of them are in the document.
  rows: () => Number.parseInt(document.querySelector("main .about")?.textContent ?? "", 10),

  /// Whether there are older rows. They are asked for.
  asksForOlder() {
    const more = [...document.querySelectorAll("main button")].find((button) => button.innerText.includes("Show older ones"));
    if (more && !more.disabled) more.click();
    return more !== undefined;
  },

  /// What was fetched, by path, and how often the API answered.
  fetched() {
    const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    const path = (entry) => new URL(entry.name).pathname;
    const isAnswer = (entry) => path(entry).startsWith("/v1/");
    const files = all.filter((entry) => !isAnswer(entry)).map((entry) => ({ path: path(entry), bytes: entry.encodedBodySize }));
    return { files, answers: all.filter(isAnswer).length };
  },

  /// For how many milliseconds nothing was fetched and nothing larger was painted; 0 before the API has answered.
  quietFor() {
    if (probe.fetched().answers === 0) return 0;
    const ends = performance.getEntriesByType("resource").map((entry) => entry.responseEnd);
    return performance.now() - Math.max(probe.paintedAt ?? 0, ...ends);
  },

  /// Tells of `perSecond` deliveries a second, one in a task as a socket does, until it is told to stop. New ones, or changes of
  /// the 50 newest that there are.
  stream(perSecond, isNew) {
    const known = newest;
    let [due, told] = [performance.now(), 0];
    const next = () => {
      if (isNew) newest += 1;
      told += 1;
      if (isNew) tell(newest);
      else tell(known - (told % 50), 1 + told);
      due += 1000 / perSecond;
      timer = setTimeout(next, Math.max(0, due - performance.now()));
    };
    next();
  },

  stop() {
    clearTimeout(timer);
  },

  /// Tells of `count` new deliveries at once, and has those shown that wait behind the bar.
  async burst(count) {
    for (let at = 0; at < count; at += 1) {
      newest += 1;
      tell(newest);
    }
    await frame();
    const bar = () => document.querySelector("main .news button");
    for (let tries = 0; tries < 20 && bar(); tries += 1) {
      bar().click();
      await frame();
    }
  },

  wasmBytes: () => memory?.buffer.byteLength ?? 0,

  /// The longest task since the last call, in milliseconds; 0 if all were shorter than 50.
  longest() {
    const found = longest;
    longest = 0;
    return found;
  },
});
