// Small behaviours of parts, bound to the document so that swapped fragments have them too.

document.addEventListener("click", (event) => {
  event.target.closest("[data-shut]")?.closest(".notice")?.remove();
  const opener = event.target.closest("[data-dialog]");
  const dialog = opener && document.getElementById(opener.dataset.dialog);
  if (dialog?.showModal) {
    event.preventDefault();
    dialog.showModal();
  }
  const copier = event.target.closest("[data-copy]");
  if (copier) navigator.clipboard?.writeText(copier.dataset.copy);
});

// Tables with boxes to tick: the head box ticks the page, the bar shows how many are chosen.
document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-bulk]");
  if (form) {
    const boxes = [...form.querySelectorAll('input[name="chosen"]')];
    if (event.target.matches("[data-choose-all]")) for (const box of boxes) box.checked = event.target.checked;
    const chosen = boxes.filter((box) => box.checked).length;
    const head = form.querySelector("[data-choose-all]");
    if (head) {
      head.checked = chosen > 0 && chosen === boxes.length;
      head.indeterminate = chosen > 0 && chosen < boxes.length;
    }
    const matching = form.querySelector("[data-choose-matching]");
    if (matching && event.target !== matching && !event.target.checked) matching.checked = false; // one was taken out
    form.querySelector(".bulk")?.classList.toggle("any", chosen > 0 || Boolean(matching?.checked));
    for (const out of form.querySelectorAll("[data-chosen-count]")) out.textContent = chosen.toLocaleString("en");
  }
  if (event.target.matches('.drop input[type="file"]')) nameFile(event.target);
  if (event.target.matches("[data-submit-on-change]")) event.target.form?.requestSubmit();
});

function nameFile(input) {
  const out = input.closest(".drop").querySelector(".file-name");
  const file = input.files[0];
  if (out) out.textContent = file ? `${file.name} · ${(file.size / 1e6).toFixed(1)} MB` : "";
}

// A drop zone is a file field that also takes what is dropped on it.
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const zone = event.target.closest?.(".drop");
    if (!zone) return;
    event.preventDefault();
    zone.classList.toggle("over", kind === "dragenter" || kind === "dragover");
    if (kind !== "drop") return;
    const input = zone.querySelector('input[type="file"]');
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

// A histogram with a range: two sliders under the bars; bars inside the range light up, words follow.
document.addEventListener("input", (event) => {
  const range = event.target.closest("[data-range]");
  if (!range || !event.target.matches('input[type="range"]')) return;
  const [low, high] = range.querySelectorAll('input[type="range"]');
  if (Number(low.value) > Number(high.value)) event.target.value = event.target === low ? high.value : low.value;
  let inside = 0;
  for (const bar of range.querySelectorAll("[data-from]")) {
    const isIn = Number(bar.dataset.from) >= Number(low.value) - 1e-9 && Number(bar.dataset.to) <= Number(high.value) + 1e-9;
    bar.classList.toggle("in", isIn);
    if (isIn) inside += Number(bar.dataset.count);
  }
  for (const out of range.querySelectorAll("[data-range-count]")) out.textContent = inside.toLocaleString("en");
  for (const out of range.querySelectorAll("[data-range-low]")) out.textContent = `${Math.round(low.value * 100)}%`;
  for (const out of range.querySelectorAll("[data-range-high]")) out.textContent = `${Math.round(high.value * 100)}%`;
});

// What was typed is never lost by leaving the page.
const touched = new Set(document.querySelectorAll("form[data-keep][data-unsaved]"));
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-keep]");
  if (form) touched.add(form);
});
document.addEventListener("submit", (event) => {
  if (!event.submitter?.matches("[data-preview]")) touched.delete(event.target);
});

// A draft outlives its page in this tab: beside it other forms are sent, such as a note or who takes the ticket.
const keep = (box) => sessionStorage.setItem(`draft:${box.dataset.draft}`, box.value);
for (const box of document.querySelectorAll("[data-draft]")) {
  const kept = sessionStorage.getItem(`draft:${box.dataset.draft}`);
  if (box.form.hasAttribute("data-unsaved")) keep(box);
  else if (kept && kept !== box.value) {
    box.value = kept;
    touched.add(box.form);
  }
}
document.addEventListener("input", (event) => event.target.matches("[data-draft]") && keep(event.target));
document.addEventListener("submit", (event) => {
  for (const box of document.querySelectorAll("[data-draft]")) {
    if (box.form === event.target) sessionStorage.removeItem(`draft:${box.dataset.draft}`);
    else touched.delete(box.form);
  }
});
addEventListener("beforeunload", (event) => {
  if ([...touched].some((form) => form.isConnected)) event.preventDefault();
});

// A text beside its preview: what is typed is counted at once, and shown after a moment's rest by pressing its button.
let rest = 0;
document.addEventListener("input", (event) => {
  for (const out of document.querySelectorAll("[data-counts]")) {
    if (out.dataset.counts !== event.target.id) continue;
    const signs = [...event.target.value].length;
    out.textContent = `${signs} / ${out.dataset.most}`;
    out.classList.toggle("over", signs > Number(out.dataset.most));
  }
  const form = event.target.closest("form[data-previewed]");
  const button = form?.querySelector("[data-preview]");
  if (!button) return;
  clearTimeout(rest);
  rest = setTimeout(() => form.requestSubmit(button), 500);
});

// Alt and a letter press what bears it, or go to it where it is a field; Ctrl and Enter send the form that one writes in.
document.addEventListener("keydown", (event) => {
  if (event.altKey && !event.ctrlKey && !event.metaKey && event.code.startsWith("Key")) {
    const stop = document.querySelector(`[data-alt="${event.code.slice(3).toLowerCase()}"]`);
    if (!stop?.checkVisibility()) return;
    event.preventDefault();
    if (stop.matches("textarea, input, select")) stop.focus();
    else stop.click();
  }
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && event.target.matches("[data-quick-send]")) {
    event.preventDefault();
    event.target.form?.requestSubmit();
  }
});

// A table whose rows are links: arrows, or j and k, go from one to the next; the arrow down leads into it from the search.
document.addEventListener("keydown", (event) => {
  const by = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
  if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
  const links = [...document.querySelectorAll("[data-walk] th[scope=row] a")];
  const isSearch = event.target.matches('main input[type="search"]') && event.key === "ArrowDown";
  const at = links.indexOf(event.target);
  if (!isSearch && at < 0) return;
  event.preventDefault();
  links[isSearch ? 0 : at + by]?.focus();
});

// A text that stands ready goes where the cursor is in the field, beside what was typed there.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-insert]");
  const field = link && document.getElementById(link.dataset.insert);
  if (!field) return;
  event.preventDefault();
  const words = link.dataset.text;
  const untouched = field.value === field.defaultValue; // what was suggested and nobody has edited gives way
  if (untouched) field.value = words;
  else field.setRangeText(words, field.selectionStart, field.selectionEnd, "end");
  link.closest("details")?.removeAttribute("open");
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
});

// A number field that may also be moved: the slider stands beside it only where scripts run, and both say the same.
for (const field of document.querySelectorAll("input[data-slider]")) {
  const slider = document.createElement("input");
  Object.assign(slider, { type: "range", min: field.min, max: field.max, step: field.step, value: field.value, disabled: field.disabled });
  slider.setAttribute("aria-label", field.labels?.[0]?.textContent.trim() ?? "");
  slider.addEventListener("input", () => (field.value = slider.value)); // and on, as an input of the form
  field.addEventListener("input", () => (slider.value = field.value));
  const row = document.createElement("div");
  row.className = "row tight";
  field.replaceWith(row);
  row.append(slider, field);
}
