// Runs before the first paint, so that a chosen theme never flashes. Everything else waits for frame.js.
(() => {
  const root = document.documentElement;
  root.classList.add("has-js");
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch { /* storage is off: follow the system */ }
})();
