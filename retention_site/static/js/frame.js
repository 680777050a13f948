// The page frame: theme, search key, menus, and what htmx needs from us. Every page works without it.
const root = document.documentElement;

function applyTheme(theme) {
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch { /* storage is off: the choice lasts for this page */ }
  markTheme();
}

function markTheme() {
  const theme = root.dataset.theme ?? "system";
  for (const button of document.querySelectorAll("[data-theme-choice] button")) {
    button.setAttribute("aria-pressed", String(button.value === theme));
  }
}

function visibleFind() {
  return [...document.querySelectorAll("[data-find]")].find((input) => input.checkVisibility());
}

document.addEventListener("click", (event) => {
  const theme = event.target.closest("[data-theme-choice] button");
  if (theme) applyTheme(theme.value);
  for (const menu of document.querySelectorAll(".side details[data-shut-outside][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    const bar = document.querySelector("[data-bar]");
    if (bar?.checkVisibility()) bar.open = true;
    visibleFind()?.select();
  }
  if (event.key === "Escape") {
    document.querySelector(".side details[data-shut-outside][open]")?.removeAttribute("open");
    if (event.target.matches?.("[data-find]")) event.target.blur();
  }
  if (event.key === "ArrowDown" || event.key === "ArrowUp") moveInFound(event);
});

function moveInFound(event) {
  const box = event.target.closest?.(".find");
  if (!box) return;
  const stops = [box.querySelector("[data-find]"), ...box.querySelectorAll(".found a")];
  const next = stops[stops.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

// htmx 2 and 4 name their events differently; both are answered.
function addToken(headers) {
  headers["X-CSRFToken"] = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}
document.addEventListener("htmx:configRequest", (event) => addToken(event.detail.headers));
document.addEventListener("htmx:config:request", (event) => addToken(event.detail.ctx.request.headers));

// Polling rests while nobody looks.
for (const name of ["htmx:beforeRequest", "htmx:before:request"]) {
  document.addEventListener(name, (event) => {
    if (document.hidden && event.target.matches?.("[data-poll]")) event.preventDefault();
  });
}

markTheme();

// A long menu begins at its top on every page: the place that one is at has to be in sight.
for (const here of document.querySelectorAll(".side .menu [aria-current]")) {
  const menu = here.closest(".menu");
  const below = here.offsetTop + here.offsetHeight - menu.offsetTop - menu.clientHeight;
  if (below > 0) menu.scrollTop = below + here.offsetHeight;
}
