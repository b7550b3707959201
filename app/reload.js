// Reloads the page when it was built anew. Only development builds have it (xtask/src/page.rs).
// It asks for the document instead of listening on a socket: `wrangler dev` and the content security policy stay as deployed.
const EVERY_MS = 1000;
let shown;

async function look() {
  if (document.visibilityState === "visible") {
    try {
      const answer = await fetch("/", { method: "HEAD", cache: "no-store" });
      const built = answer.ok ? answer.headers.get("etag") : null;
      if (built && shown && built !== shown) return location.reload();
      shown = built ?? shown;
    } catch {
      // The server restarts; it is asked again.
    }
  }
  setTimeout(look, EVERY_MS);
}
look();
