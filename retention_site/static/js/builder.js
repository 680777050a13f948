// The builder of segments. Every change of the rows is a request of htmx that swaps them; what follows is about what a page
// cannot do by itself: keep what is typed meanwhile and where the keyboard stands, drag, and take steps back.
const builder = {
  rules: document.querySelector("[data-rules]"),
  /** What stands in the fields of the rows, as the form would send it. */
  read() {
    const form = this.rules.closest("form");
    return [...new FormData(form)].filter(([name, value]) => /^r[.:]/.test(name) && typeof value === "string");
  },
  /** Whether an event of htmx is about the rows as a whole: the preview too swaps something in them, what is said at a row. */
  isAbout(event) {
    return event.detail.target === this.rules;
  },
};

// Rows are dragged by their handle; the same is done by the arrows beside each row, with the keyboard or without a script.
// A drop presses a hidden button that says what goes where: before a row, after it, or to the end of a group.
(() => {
  const { rules } = builder;
  const go = document.querySelector("[data-drag-go]");
  if (!rules || !go) return;
  let from = "";

  const marks = ["drop-here", "drop-after", "dragged"];
  const clear = () => rules.querySelectorAll(marks.map((mark) => `.${mark}`).join()).forEach((one) => one.classList.remove(...marks));
  const place = (event) => {
    const target = event.target.closest?.("[data-drop]");
    if (!from || !target) return null;
    const path = target.dataset.drop;
    if (path === from || path.startsWith(`${from}.`)) return null;
    const box = target.getBoundingClientRect();
    const isAfter = "halves" in target.dataset && event.clientY > box.top + box.height / 2;
    return { target, isAfter, path: isAfter ? path.replace(/\d+$/, (number) => Number(number) + 1) : path };
  };

  rules.addEventListener("dragstart", (event) => {
    from = event.target.dataset?.drag ?? "";
    if (!from) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", from);
    event.target.closest("[data-drop]")?.classList.add("dragged");
  });
  rules.addEventListener("dragover", (event) => {
    const found = place(event);
    rules.querySelectorAll(".drop-here, .drop-after").forEach((one) => one.classList.remove("drop-here", "drop-after"));
    if (!found) return;
    event.preventDefault();
    found.target.classList.add(found.isAfter ? "drop-after" : "drop-here");
  });
  rules.addEventListener("drop", (event) => {
    const found = place(event);
    if (!found) return;
    event.preventDefault();
    go.value = `move-${from}>${found.path}`;
    go.click();
    from = "";
    clear();
  });
  rules.addEventListener("dragend", () => { from = ""; clear(); });
})();

// What is typed while the rows are on their way back is not lost: it is put into the new ones. The keyboard stays in its
// field, and after a button it goes where the server says: to what was moved, or to the row that is new.
(() => {
  const { rules } = builder;
  if (!rules) return;
  let sent = new Map();
  let typed = new Map();
  let field = "";
  let verb = "";
  const find = (name) => rules.querySelector(`[name="${CSS.escape(name)}"]:not([type="hidden"])`);

  rules.addEventListener("htmx:beforeRequest", (event) => {
    if (!builder.isAbout(event)) return;
    sent = new Map(builder.read());
    const { elt } = event.detail.requestConfig ?? {};
    verb = elt?.name === "action" ? elt.value.split("-")[0] : "";
  });
  rules.addEventListener("htmx:beforeSwap", (event) => {
    const isField = builder.isAbout(event) && event.detail.requestConfig?.elt?.matches?.("select, input");
    typed = isField ? new Map(builder.read().filter(([name, value]) => sent.get(name) !== value)) : new Map();
    field = isField && rules.contains(document.activeElement) ? document.activeElement.name : "";
  });
  rules.addEventListener("htmx:afterSwap", (event) => {
    if (!builder.isAbout(event)) return;
    for (const [name, value] of typed) {
      const one = find(name);
      if (!one || one.type === "checkbox" || (one.options && ![...one.options].some((choice) => choice.value === value))) continue;
      one.value = value;
      one.dispatchEvent(new Event("input", { bubbles: true }));
    }
    typed = new Map();
    if (field) find(field)?.focus();
  });
  document.body.addEventListener("rule-changed", (event) => {
    const path = event.detail.focus;
    if (!verb || !path) return;
    const moved = ["up", "down", "lift"].includes(verb) && rules.querySelector(`button[value="${CSS.escape(`${verb}-${path}`)}"]`);
    (moved || find(`${path}:what`) || find(`${path}:match`))?.focus();
    verb = "";
  });
})();

// Steps back and forth, one for each change of a field and each button: the fields as they stood are sent once more.
(() => {
  const { rules } = builder;
  const buttons = { back: document.querySelector('[data-undo="back"]'), forth: document.querySelector('[data-undo="forth"]') };
  if (!rules || !buttons.back) return;
  const MOST = 100;
  const steps = { back: [], forth: [] };
  let now = builder.read();
  let isStepping = false;

  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  const show = () => { for (const way of ["back", "forth"]) buttons[way].disabled = !steps[way].length; };
  const note = () => {
    const next = builder.read();
    if (same(now, next)) return;
    steps.back.push(now);
    if (steps.back.length > MOST) steps.back.shift();
    steps.forth.length = 0;
    now = next;
    show();
    rules.closest("form").dispatchEvent(new Event("input", { bubbles: true })); // the page asks before it is left
  };
  const step = (way) => {
    note(); // a field that is still being typed in
    const wanted = steps[way].pop();
    if (!wanted) return;
    steps[way === "back" ? "forth" : "back"].push(now);
    now = wanted;
    isStepping = true;
    show();
    const values = { ...Object.fromEntries(wanted), action: "refresh" };
    htmx.ajax("POST", rules.dataset.rules, { target: rules, swap: "innerHTML", values });
  };
  const settle = (event) => {
    if (!builder.isAbout(event)) return;
    if (isStepping) now = builder.read();
    else note();
    isStepping = false;
  };

  rules.addEventListener("change", (event) => { if (!event.target.hasAttribute("hx-post")) note(); });
  rules.addEventListener("htmx:afterSwap", settle);
  for (const way of ["back", "forth"]) buttons[way].addEventListener("click", () => step(way));
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    if (!["z", "y"].includes(key)) return;
    // In a field that is being typed in, the browser takes letters back; elsewhere whole steps are taken back.
    const field = event.target.closest?.("input, textarea");
    if (field && (!rules.contains(field) || field.value !== field.defaultValue)) return;
    event.preventDefault();
    step(key === "y" || event.shiftKey ? "forth" : "back");
  });
})();
