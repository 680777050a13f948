// Rows of a segment are dragged by their handle; the same is done by the arrows beside each row, with the keyboard or without
// a script. A drop presses a hidden button that says what goes where.
(() => {
  const rules = document.querySelector("[data-rules]");
  const go = document.querySelector("[data-drag-go]");
  if (!rules || !go) return;
  let from = "";

  const place = (event) => event.target.closest?.("[data-drop]");
  const clear = () => rules.querySelectorAll(".drop-here, .dragged").forEach((one) => one.classList.remove("drop-here", "dragged"));

  rules.addEventListener("dragstart", (event) => {
    from = event.target.dataset?.drag ?? "";
    if (!from) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", from);
    place(event)?.classList.add("dragged");
  });
  rules.addEventListener("dragover", (event) => {
    const target = place(event);
    if (!from || !target || target.dataset.drop === from || target.dataset.drop.startsWith(`${from}.`)) return;
    event.preventDefault();
    rules.querySelectorAll(".drop-here").forEach((one) => one.classList.remove("drop-here"));
    target.classList.add("drop-here");
  });
  rules.addEventListener("drop", (event) => {
    const target = place(event);
    if (!from || !target) return;
    event.preventDefault();
    go.value = `move-${from}>${target.dataset.drop}`;
    go.click();
    from = "";
    clear();
  });
  rules.addEventListener("dragend", () => { from = ""; clear(); });
})();

// What is typed while the rows are on their way back is not lost: it is put into the new ones.
(() => {
  const rules = document.querySelector("[data-rules]");
  if (!rules) return;
  let sent = new Map();
  let typed = new Map();
  const read = () => new Map([...rules.querySelectorAll("input[name], select[name]")].map((one) => [one.name, one.value]));
  const isOurs = (event) => event.detail.target === rules && event.detail.requestConfig?.elt?.matches?.("select");

  rules.addEventListener("htmx:beforeRequest", (event) => { if (event.detail.target === rules) sent = read(); });
  rules.addEventListener("htmx:beforeSwap", (event) => {
    typed = isOurs(event) ? new Map([...read()].filter(([name, value]) => sent.get(name) !== value)) : new Map();
  });
  rules.addEventListener("htmx:afterSwap", () => {
    for (const one of rules.querySelectorAll("input[name]")) {
      if (!typed.has(one.name)) continue;
      one.value = typed.get(one.name);
      one.dispatchEvent(new Event("input", { bubbles: true }));
    }
    typed = new Map();
  });
})();
