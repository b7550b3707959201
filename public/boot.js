// Starts the dashboard. A file of its own, because the content security policy allows no inline script. It is the only
// JavaScript that is not generated; app/index.html names the built files in its tag.
(() => {
  const { js, wasm } = document.currentScript.dataset;

  // Before the first paint, so that the other theme never flashes. The key is that of app/src/shell/theme.rs.
  try {
    const theme = localStorage.getItem("postern.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // A browser that forbids storage shows the system's theme.
  }

  const ready = new Promise((resolve) => {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", resolve, { once: true });
    else resolve();
  });
  Promise.all([import(js), ready])
    .then(([bindings]) => bindings.default({ module_or_path: wasm }))
    .catch((error) => {
      console.error(error);
      ready.then(() => {
        const words = document.getElementById("skeleton-words");
        if (!words) return;
        words.textContent = "The dashboard could not be loaded. Check the connection, then reload the page.";
        words.className = "notice bad";
      });
    });
})();
