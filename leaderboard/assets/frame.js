// Sorting, filtering, columns, links and exports of our own tables; on the running page also moving between pages without a reload.
// Text of strangers is only ever read from the document or put there by the server, escaped; nothing here makes markup.
(() => {
  "use strict";
  const site = () => document.querySelector("[data-static]") !== null;
  const query = () => new URLSearchParams(location.search);
  const SPELT = ["csv", "json", "markdown", "latex"]; // what the static site exports of what is shown
  const FILTERS = ["evidence", "section", "open", "trained"];

  // ---- tables
  const FIRST = 60, STEP = 120; // rows drawn at once, more than a screen holds, and at each later turn
  const words = new Intl.Collator();
  const models = new WeakMap();
  function model(table) { // every row in its order, also those that are filtered out or not drawn yet
    if (!models.has(table)) {
      const items = [...table.tBodies[0].rows].map((row) => ({ row, name: row.querySelector("th").textContent.toLowerCase(), kept: true }));
      models.set(table, { items, turn: 0 });
    }
    return models.get(table);
  }
  const kept = (table) => model(table).items.filter((item) => item.kept).map((item) => item.row);
  function draw(table) { // a screenful first: laying out a thousand rows takes longer than a reader wants to wait
    const rows = kept(table), found = model(table), turn = (found.turn += 1), body = table.tBodies[0];
    let at = FIRST;
    const more = () => {
      if (turn !== found.turn) return;
      body.append(...rows.slice(at, at += STEP));
      if (at < rows.length) setTimeout(more);
    };
    body.replaceChildren(...rows.slice(0, FIRST));
    if (at < rows.length) requestAnimationFrame(() => setTimeout(more));
  }
  const value = (row, index) => row.cells[index]?.dataset.v ?? row.cells[index]?.textContent.trim() ?? "";
  function sort(table, index, direction) {
    const found = model(table), sign = direction === "asc" ? 1 : -1;
    const keyed = found.items.map((item, at) => { const text = value(item.row, index); return { item, at, text, number: text === "" ? NaN : Number(text) }; });
    const compare = (a, b) => (Number.isNaN(a.number) || Number.isNaN(b.number) ? words.compare(a.text, b.text) : a.number - b.number);
    // What has no value is last, whatever the direction.
    keyed.sort((a, b) => (a.text === "" || b.text === "" ? (a.text === "") - (b.text === "") : sign * compare(a, b)) || a.at - b.at);
    found.items = keyed.map((one) => one.item);
    [...table.tHead.rows[0].cells].forEach((cell, at) => {
      if (at === index) cell.setAttribute("aria-sort", direction === "asc" ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    });
  }
  function headers(table) {
    [...table.tHead.rows[0].cells].forEach((cell, index) => {
      if (cell.querySelector("button") || !cell.textContent.trim()) return;
      const button = document.createElement("button");
      button.type = "button";
      const name = cell.getAttribute("aria-label");
      if (name) button.setAttribute("aria-label", name);
      button.append(...cell.childNodes);
      cell.append(button);
      button.addEventListener("click", () => {
        const first = cell.dataset.first ?? (cell.classList.contains("n") || table.tBodies[0].rows[0]?.cells[index]?.classList.contains("n") ? "desc" : "asc");
        const now = cell.getAttribute("aria-sort");
        const direction = now === null ? first : now === "ascending" ? "desc" : "asc";
        sort(table, index, direction);
        draw(table);
        if (table.dataset.main !== undefined) { remember({ sort: (direction === "desc" ? "-" : "") + cell.dataset.key }); }
      });
    });
  }

  // ---- the board's tools
  const main = (form) => form.closest(".rs-view").querySelector("table[data-main]");
  const boxes = (form) => [...form.querySelectorAll("input[name=column]")];
  function filter(form) {
    const table = main(form), fields = form.elements, typed = fields.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    const { items } = model(table);
    for (const item of items) {
      const data = item.row.dataset;
      item.kept = typed.every((word) => item.name.includes(word)) && FILTERS.every((key) => !fields[key].value || data[key] === fields[key].value)
        && (!fields.since.value || data.since >= fields.since.value) && !(fields.extra.checked && data.role !== "system");
    }
    draw(table);
    const left = kept(table).length;
    form.querySelector("[role=status]").textContent = left ? `${left} of ${items.length} rows` : `No row fits. Reset shows all ${items.length}.`;
  }
  function columns(form) {
    const table = main(form), chosen = new Map(boxes(form).map((box) => [box.value, box.checked]));
    const hide = [...table.tHead.rows[0].cells].map((cell) => chosen.get(cell.dataset.key) === false);
    for (const row of [table.tHead.rows[0], ...model(table).items.map((item) => item.row)]) {
      hide.forEach((hidden, index) => { if (row.cells[index].hidden !== hidden) row.cells[index].hidden = hidden; });
    }
  }
  function state(form) {
    const fields = form.elements, found = { q: fields.q.value.trim(), since: fields.since.value, extra: fields.extra.checked ? "0" : "" };
    FILTERS.forEach((key) => { found[key] = fields[key].value; });
    const shown = boxes(form).filter((box) => box.checked), usual = boxes(form).filter((box) => box.defaultChecked);
    found.columns = shown.length === usual.length && shown.every((box) => box.defaultChecked) ? "" : shown.map((box) => box.value).join(",") || "none";
    return found;
  }
  function restore(form) {
    const params = query(), fields = form.elements, table = main(form);
    fields.q.value = params.get("q") ?? "";
    fields.since.value = params.get("since") ?? "";
    fields.extra.checked = params.get("extra") === "0";
    FILTERS.forEach((key) => { fields[key].value = params.get(key) ?? ""; if (fields[key].selectedIndex < 0) fields[key].value = ""; });
    if (params.get("columns")) { const chosen = params.get("columns").split(","); boxes(form).forEach((box) => { box.checked = chosen.includes(box.value); }); }
    const wanted = params.get("sort") ?? "", key = wanted.replace(/^-/, "");
    const index = [...table.tHead.rows[0].cells].findIndex((cell) => cell.dataset.key === key);
    if (index >= 0) sort(table, index, wanted.startsWith("-") ? "desc" : "asc");
    columns(form);
    filter(form);
  }
  function tools(form) {
    restore(form);
    let waiting;
    form.addEventListener("input", (event) => {
      if (event.target.name === "column") { columns(form); draw(main(form)); } else filter(form);
      clearTimeout(waiting); // one address for a typed word, not one for each letter
      waiting = setTimeout(() => remember(state(form)), 150);
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", (event) => {
      event.preventDefault();
      const kept = query();
      ["q", "since", "extra", "columns", "sort", ...FILTERS].forEach((key) => kept.delete(key));
      history.replaceState(null, "", `?${kept}`);
      boxes(form).forEach((box) => { box.checked = box.defaultChecked; });
      const table = main(form), first = [...table.tHead.rows[0].cells].findIndex((cell) => cell.dataset.first);
      sort(table, first, table.tHead.rows[0].cells[first].dataset.first);
      restore(form);
    });
  }

  // ---- addresses
  function remember(changes) {
    const params = query();
    for (const [key, text] of Object.entries(changes)) text ? params.set(key, text) : params.delete(key);
    const text = params.toString();
    history.replaceState(null, "", text ? `?${text}` : location.pathname);
  }
  function address() {
    const base = document.querySelector("[data-canonical]")?.dataset.canonical || location.origin + location.pathname;
    const params = query();
    [...params.keys()].filter((key) => key.startsWith("__")).forEach((key) => params.delete(key));
    const view = document.querySelector(".rs-on .rs-view[data-board]");
    if (!site() && view && !params.has("board")) params.set("board", view.dataset.board);
    return params.size ? `${base}?${params}` : base;
  }
  async function copy(button) {
    const text = address(), label = button.textContent;
    try { await navigator.clipboard.writeText(text); button.textContent = "Copied"; } catch { prompt("The link to this view:", text); }
    setTimeout(() => { button.textContent = label; }, 1500);
  }

  // ---- exports of what is shown
  function shown(link) {
    const table = link.closest(".rs-view").querySelector("table[data-main]");
    return { rows: kept(table).map((row) => row.dataset.id), columns: [...table.tHead.rows[0].cells].filter((cell) => !cell.hidden).map((cell) => cell.dataset.key) };
  }
  async function made(link) { // by the server
    const body = JSON.stringify({ ...shown(link), address: address() });
    const answer = await fetch(link.href, { method: "POST", headers: { "content-type": "application/json" }, body });
    if (!answer.ok) throw new Error(String(answer.status));
    return [/filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "")?.[1] ?? "board", await answer.blob()];
  }
  const parts = new Map();
  function pieces(source) { // a script, because a page that was opened from a folder may read nothing else
    if (!parts.has(source)) {
      parts.set(source, new Promise((resolve, reject) => {
        const script = Object.assign(document.createElement("script"), { src: source, onerror: reject });
        window.ranscorePieces = resolve;
        document.head.append(script);
      }));
    }
    return parts.get(source);
  }
  async function joined(link) { // without a server: from pieces that the same program spelt; nothing is spelt here
    const found = await pieces(link.closest("[data-pieces]").dataset.pieces), { rows, columns } = shown(link), kind = link.dataset.export;
    const scores = found.columns.map((key, at) => at).filter((at) => columns.includes(found.columns[at]));
    const facts = found.facts.map((key, at) => at).filter((at) => columns.includes(found.facts[at]));
    const newest = rows.map((id) => found.created[id]).sort().at(-1);
    const caption = (text) => `${text}${newest ? `; newest record ${newest}` : ""}.`;
    const line = ([start, between, end], of) =>
      start + [...of.first, ...scores.flatMap((at, place) => of.columns[at][place ? 0 : 1]), ...facts.flatMap((at) => of.facts[at]), ...of.last].join(between) + end;
    const text = () => {
      const { dress, head, rows: lines, foot } = found.formats[kind];
      const all = [...head.map((one) => line(one.dress, one)), ...rows.map((id) => line(dress, lines[id]))];
      return all.join("") + (foot ? foot[0] + caption(foot[1]) + foot[2] : "");
    };
    const json = () => {
      const known = new Map(found.json.rows.map((row) => [row.id, row]));
      const part = { rows: rows.map((id) => known.get(id)), columns: scores.map((at) => found.json.columns[at]), facts: facts.map((at) => found.facts[at]) };
      return `${JSON.stringify({ ...found.json, ...part, caption: caption(found.caption) }, null, 1)}\n`;
    };
    const ending = new URL(link.href).pathname.split(".").at(-1);
    return [`${found.key}.${ending}`, new Blob([kind === "json" ? json() : text()])];
  }
  async function take(link) {
    let name, file;
    try { [name, file] = await (site() ? joined(link) : made(link)); } catch { location.assign(link.href); return; }
    const place = URL.createObjectURL(file), hidden = document.createElement("a");
    hidden.href = place; hidden.download = name; hidden.click();
    setTimeout(() => URL.revokeObjectURL(place), 10000);
  }

  // ---- moving between pages of the running page
  const needed = ["board", "a", "b", "system", "part"];
  async function show(focus) {
    const params = query(), wanted = params.get("tab") ?? "board";
    const panel = document.getElementById(`panel-${wanted}`) ?? document.getElementById("panel-board");
    if (!panel) return;
    const tab = panel.id.slice(6), holder = panel.querySelector("[data-page]");
    document.querySelectorAll(".rs-panel").forEach((other) => other.classList.toggle("rs-on", other === panel));
    const old = document.querySelector(".rs-on .rs-view[data-board]")?.dataset.board;
    document.querySelectorAll(".rs-menu a").forEach((link) => {
      link.dataset.tab === tab ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
      const there = new URLSearchParams({ tab: link.dataset.tab }), board = params.get("board") ?? old;
      if (board) there.set("board", board);
      link.href = `?${there}`;
    });
    document.title = `${document.querySelector(".rs-menu [aria-current]")?.textContent ?? ""} · Ran Score leaderboard`;
    if (holder) {
      const asked = new URLSearchParams({ tab });
      if (tab !== wanted) asked.set("gone", "1");
      needed.forEach((key) => { if (params.get(key)) asked.set(key, params.get(key)); });
      if (holder.dataset.shown !== asked.toString()) {
        holder.setAttribute("aria-busy", "true");
        try {
          let answer = await fetch(`ranscore/view?${asked}`);
          for (let tries = 0; answer.status === 503 && tries < 5; tries++) { // others are being served: ask again after the time that the answer names
            await new Promise((done) => setTimeout(done, 1000 * (Number(answer.headers.get("retry-after")) || 1)));
            answer = await fetch(`ranscore/view?${asked}`);
          }
          if (!answer.ok) throw new Error(String(answer.status));
          const made = document.createElement("template"); // made ready before it is laid out
          made.innerHTML = await answer.text();
          enhance(made.content);
          holder.replaceChildren(made.content);
          holder.dataset.shown = asked.toString();
        } catch {
          holder.dataset.shown = "nothing";
          holder.textContent = "The page could not be loaded. Reload to try again.";
        }
        holder.removeAttribute("aria-busy");
      } else holder.querySelectorAll("form[data-tools]").forEach(restore);
    }
    if (focus) { scrollTo(0, 0); panel.querySelector("h2")?.focus(); }
    document.dispatchEvent(new Event("ranscore-shown"));
  }
  function go(address) { history.pushState(null, "", address); show(true); }

  function enhance(root) {
    root.querySelectorAll("table[data-sortable]").forEach(headers);
    root.querySelectorAll("form[data-tools]").forEach(tools);
  }

  document.addEventListener("click", (event) => {
    const at = event.target.closest?.("a,button");
    document.querySelectorAll(".rs-tools details[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
    if (!at?.closest(".rs") || event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey) return;
    if (at.dataset.copy !== undefined) copy(at);
    else if (at.dataset.skip !== undefined) { event.preventDefault(); document.querySelector(".rs-on h2, main h2")?.focus(); }
    else if (at.dataset.export && (!site() || SPELT.includes(at.dataset.export))) { event.preventDefault(); take(at); }
    else if (site()) return;
    else if (at.getAttribute("href")?.startsWith("?")) { event.preventDefault(); go(at.getAttribute("href")); }
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches?.(".rs select[data-go]")) return;
    const there = event.target.value;
    site() ? location.assign(there) : go(there);
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches?.(".rs form[data-form]")) return;
    event.preventDefault();
    const data = new FormData(event.target), chosen = data.get("system") ?? `${data.get("a")} ${data.get("b")}`;
    if (!site()) { go(`?${new URLSearchParams(data)}`); return; }
    const file = JSON.parse(document.querySelector("[data-files]")?.dataset.files ?? "{}")[chosen];
    if (file) location.assign(file);
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest?.(".rs-tools details[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
  });
  addEventListener("popstate", () => { if (!site()) show(true); });

  function start() {
    if (site()) { enhance(document); return; }
    // Gradio puts the pages into the document some time after this script has run, and may put them there a second time.
    const ready = () => document.getElementById("panel-about") && document.querySelector(".rs-menu");
    const fresh = () => {
      const holder = document.querySelector(".rs-panel.rs-on [data-page]");
      return document.querySelector(".rs-panel.rs-on") === null || (holder && !holder.dataset.shown && !holder.hasAttribute("aria-busy"));
    };
    const look = () => { if (ready() && fresh()) show(false); };
    new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true });
    look();
  }
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", start) : start();
})();
