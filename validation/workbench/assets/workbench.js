"use strict";
// Everything from the server becomes text, never markup.
const view = document.getElementById("view");
const TAGS = ["", "synonym", "negation", "hedge", "history", "ambiguity", "reader-error"];
const LISTS = ["words", "yes", "no"];
let state = null, chosen = "", shown = false;

function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null) made.setAttribute(name, value);
  }
  made.append(...children.filter(child => child !== null));
  return made;
}

async function ask(path, body) {
  const answer = await fetch(path, body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {});
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

function say(text) { document.getElementById("said").textContent = text; }

async function load() {
  state = await ask("state");
  await draw();
  if (state.running) setTimeout(poll, 400);
}

async function poll() {
  const now = await ask("state");
  if (now.running) {
    const bar = document.getElementById("asked");
    if (bar) { bar.max = now.total || 1; bar.value = now.asked; }
    say(`${now.asked} of ${now.total} questions asked`);
    setTimeout(poll, 400);
    return;
  }
  state = now;
  say(now.failure || `Round ${now.round} is done: ${now.asked} questions were asked.`);
  await draw();
}

async function run() {
  try { await ask("try", {}); say("Asking the model"); await load(); } catch (error) { say(error.message); }
}

function verdict(word) { return el("span", { class: word === "met" ? "met" : word === "not met" ? "not" : "" }, word); }

function table() {
  const heads = ["Finding", "Positives", "Was", "Is", "F1 was", "F1 is", "Fixed", "Broken", "p", "Smallest p", ...state.rules];
  const body = state.rows.map(row => el("tr", { "aria-current": row.finding === chosen ? "true" : null },
    el("td", {}, el("button", { class: "link", type: "button", onclick: () => { chosen = row.finding; draw(); } }, row.finding)),
    ...[row.positives, row.was, row.is, row.f1_was, row.f1, row.fixed, row.broken, row.p, row.smallest].map(value => el("td", {}, value)),
    ...row.judged.map(word => el("td", {}, verdict(word)))));
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Findings" },
    el("table", {}, el("thead", {}, el("tr", {}, ...heads.map(head => el("th", { scope: "col" }, head)))), el("tbody", {}, ...body)));
}

function picture() {
  const words = "Accuracy and F1 of each finding over the rounds; `ranscore pack rounds` prints the numbers";
  return el("details", { ontoggle: event => { shown = event.target.open; }, open: shown }, el("summary", {}, "All rounds as a picture"),
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Rounds" },
      el("img", { src: `rounds.svg?round=${state.round}`, alt: words, loading: "lazy" })));
}

function report(item, finding) {
  const text = el("p", { class: "text" });
  let at = 0;
  for (const [start, end] of item.spans) {
    if (start < at) continue;
    text.append(item.text.slice(at, start), el("mark", {}, item.text.slice(start, end)));
    at = end;
  }
  text.append(item.text.slice(at));
  const select = el("select", { onchange: event => tag(finding, item.item, event.target.value) },
    ...TAGS.map(name => el("option", { value: name, selected: name === item.tag }, name || "no tag")));
  return el("article", {}, el("h3", {}, `Report ${item.item}`), el("p", {}, `Readers: ${item.right}. The model: ${item.said}.`), text,
    el("label", {}, "Why is it wrong?", select));
}

async function tag(finding, item, word) {
  if (!word) return;
  try { await ask("tag", { finding, item, tag: word }); say(`Report ${item}: ${word}`); } catch (error) { say(error.message); }
}

function editor(row) {
  const fields = Object.entries(row.guide).map(([name, value]) => {
    const listed = LISTS.includes(name);
    const area = el("textarea", { id: `field-${name}`, "data-field": name });
    area.value = listed ? value.join("\n") : value;
    return [el("label", { for: `field-${name}` }, state.says[name] + (listed ? " (one a line)" : "")), area];
  }).flat();
  return el("form", { onsubmit: event => { event.preventDefault(); save(row, event.target); } }, ...fields,
    el("div", { class: "bar" }, el("button", { class: "main", type: "submit" }, "Save")));
}

async function save(row, form) {
  const guide = {};
  for (const area of form.querySelectorAll("textarea")) {
    const name = area.dataset.field;
    guide[name] = LISTS.includes(name) ? area.value.split("\n").map(line => line.trim()).filter(line => line) : area.value.trim();
  }
  try {
    const done = await ask("edit", { finding: row.finding, guide });
    row.guide = guide;
    state.changed = done.changed;
    document.getElementById("changed").textContent = changes();
    say(`${row.finding} is saved.`);
  } catch (error) { say(error.message); }
}

function changes() {
  return state.changed.length ? `Changed since the last round: ${state.changed.join(", ")}.` : "Nothing changed since the last round.";
}

async function draw() {
  if (!chosen && state.rows.length) chosen = state.rows[0].finding;
  const row = state.rows.find(item => item.finding === chosen);
  const head = [el("h1", {}, `Workbench: ${state.name}`),
    el("p", { class: "fine" }, `${state.items} reports of the part tune of ${state.standard}; round ${state.round}; held part looked at ${state.looks} times.`)];
  const bar = el("div", { class: "bar" }, el("button", { class: "main", type: "button", disabled: state.running, onclick: run }, "Try"),
    state.running ? el("progress", { id: "asked", max: state.total || 1, value: state.asked, "aria-label": "questions asked" }) : null,
    el("span", { id: "changed", class: "fine" }, changes()));
  if (!row) { view.replaceChildren(...head, bar, el("p", {}, "This draft was not tried yet.")); return; }
  const wrong = await ask(`errors/${encodeURIComponent(chosen)}`);
  const errors = el("section", {}, el("h2", {}, `${chosen}: ${wrong.length} wrong`), ...wrong.map(item => report(item, chosen)));
  const edit = el("section", {}, el("h2", {}, `The model's instructions for ${chosen}`), editor(row));
  view.replaceChildren(...head, bar, table(), picture(), el("div", { class: "sides" }, errors, edit));
}

load().catch(error => say(error.message));
