"use strict";
// One sheet: reports in order, questions, answers kept here and, where a server is behind it, there. Nothing is evaluated; text is only text.
(() => {
  const D = JSON.parse(document.getElementById("data").textContent);
  const W = D.words, total = D.reports.length, served = D.mode === "served", practise = D.mode === "practise";
  const KEY = `ranscore:${D.sheet}:`;
  const answers = new Map();      // position -> {values, rest, seconds}
  const waiting = new Set();      // positions whose newest answers the server has not confirmed
  const stamps = new Map();       // position -> when its newest answers were given
  const early = new Set();        // positions that were answered before the database was open
  const truths = new Map();       // practise: position -> the standard's answers
  let at = 1, current = 0, since = 0, shownAt = performance.now(), keeps = true, refused = false, sending = null, retry = 1000, handed = false, result = "", keptAt = 0;
  let keys = true;

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const el = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null) made.setAttribute(name, value);
    }
    made.append(...children.filter(child => child !== null));
    return made;
  };
  const reply = position => answers.get(position) || {values: {}, rest: [], seconds: 0};
  const required = D.questions.filter(question => question.type !== "text");
  const has = (values, id) => Object.prototype.hasOwnProperty.call(values, id);
  const open = position => required.filter(question => !has(reply(position).values, question.id)).length;
  const done = () => { let count = 0; for (const position of answers.keys()) count += open(position) === 0; return count; };
  const label = (question, value) => question.type === "choice" ? (question.choices.find(([v]) => v === value) || [0, String(value)])[1] : String(value);

  // Keeping: every answer at once, in this browser; with a server, until it confirms.
  const store = {
    put(name, value) { try { localStorage.setItem(KEY + name, JSON.stringify(value)); return true; } catch { return false; } },
    take(name) { try { localStorage.removeItem(KEY + name); } catch { /* It was never there. */ } },
    get(name) { try { return JSON.parse(localStorage.getItem(KEY + name)); } catch { return null; } },
  };
  // Browsers write localStorage to the disk seconds later. This database has an answer on the disk when its transaction is complete.
  const disk = {
    base: null, pending: 0,
    open() {
      return new Promise(done => {
        setTimeout(done, 3000);
        try {
          const request = indexedDB.open("ranscore-sheets", 1);
          request.onupgradeneeded = () => request.result.createObjectStore("answers");
          request.onsuccess = () => { disk.base = request.result; disk.base.onversionchange = () => disk.base.close(); done(); };
          request.onerror = request.onblocked = done;
        } catch { done(); }
      });
    },
    change(act, ended) {
      try {
        const change = disk.base.transaction("answers", "readwrite", {durability: "strict"});
        change.oncomplete = () => ended(true);
        change.onerror = change.onabort = () => ended(false);
        act(change.objectStore("answers"));
      } catch { ended(false); }
    },
    put(name, value, local) {
      if (disk.pending === 0) keptAt = performance.now();
      disk.pending += 1;
      const slow = setTimeout(state, 400);
      disk.change(table => table.put(value, KEY + name), good => { clearTimeout(slow); disk.pending -= 1; keeps = good || local; state(); });
    },
    take(name) { if (disk.base) disk.change(table => table.delete(KEY + name), () => {}); },
    all() {
      return new Promise(done => {
        const found = new Map();
        setTimeout(done, 3000, found);
        try {
          const request = disk.base.transaction("answers").objectStore("answers").openCursor(IDBKeyRange.bound(KEY, KEY + "\uffff"));
          request.onsuccess = () => {
            if (!request.result) { done(found); return; }
            found.set(Number(request.result.key.slice(KEY.length)), request.result.value);
            request.result.continue();
          };
          request.onerror = () => done(found);
        } catch { done(found); }
      });
    },
  };
  const sound = value => value && typeof value === "object" && value.values && typeof value.values === "object" && Array.isArray(value.rest);
  const plain = value => ({values: value.values, rest: value.rest, seconds: Number(value.seconds) || 0});

  // What is newest of an answer: on the server, in localStorage, or on the disk.
  function newest(position, kept) {
    if (!sound(kept) || (kept.kept || 0) < (stamps.get(position) || 0)) return false;
    const changed = JSON.stringify(plain(kept)) !== JSON.stringify(plain(reply(position)));
    stamps.set(position, kept.kept || 0);
    answers.set(position, plain(kept));
    if (served) waiting.add(position);
    return changed;
  }

  function restore() {
    for (const [position, value] of Object.entries(D.answers)) answers.set(Number(position), value);
    for (let position = 1; position <= total; position++) newest(position, store.get(position));
    keeps = store.put("test", 1);
    store.take("test");
    since = Number(store.get("since")) || 0;
    const last = Number(store.get("at"));
    at = last >= 1 && last <= total ? last : firstOpen();
  }

  const firstOpen = () => D.reports.findIndex((_, index) => open(index + 1) > 0) + 1 || 1;

  async function restoreDisk() {
    await disk.open();
    if (!disk.base) return;
    for (const position of early) disk.put(position, {...reply(position), kept: stamps.get(position)}, keeps);
    const changed = [...await disk.all()].filter(([position, kept]) => position >= 1 && position <= total && newest(position, kept));
    keeps = true;
    if (changed.some(([position]) => position === at)) { if (at === 1) at = firstOpen(); show(false); } else state();
    send();
  }

  function keep(position) {
    handed = false;
    const value = {...reply(position), kept: Date.now()}, local = store.put(position, value);
    stamps.set(position, value.kept);
    if (disk.base) disk.put(position, value, local);
    else { early.add(position); keeps = local; }
    if (served) { waiting.add(position); send(); }
    state();
  }

  // Resolves when the request under way, or the one that it starts, has ended.
  async function send() {
    if (served && waiting.size) sending ??= deliver().finally(() => { sending = null; });
    await sending;
  }

  async function deliver() {
    const sent = Object.fromEntries([...waiting].map(position => [position, JSON.stringify(reply(position))]));
    const body = `{"study":${JSON.stringify(D.study)},"answers":{${Object.entries(sent).map(([position, text]) => `"${position}":${text}`).join(",")}}}`;
    let again = 0;
    try {
      const answer = await fetch("answers", {method: "POST", headers: {"content-type": "application/json"}, body});
      if (answer.ok) {
        refused = false; retry = 1000;
        for (const [position, text] of Object.entries(sent)) {
          if (JSON.stringify(reply(Number(position))) === text) { waiting.delete(Number(position)); store.take(position); disk.take(position); }
        }
      } else if (answer.status >= 500) throw new Error("server");
      else { refused = true; again = 10000; }
    } catch { again = retry; retry = Math.min(retry * 2, 8000); }
    state();
    if (waiting.size) setTimeout(send, again);
  }

  // The parts of the page that are made once.
  const app = document.getElementById("app");
  const title = el("h1", {}, D.title), who = el("span", {class: "who"}, `${D.name}, ${fill(W.reader, {reader: D.reader})}`);
  const bar = el("progress", {max: total, value: 0, "aria-hidden": "true"}), count = el("span", {class: "who"});
  const line = el("p", {class: "state", role: "status"}), live = el("p", {class: "unseen", role: "status", "aria-live": "polite"});
  const heading = el("h2", {tabindex: "-1"}), texts = el("section", {class: "report", tabindex: "0", "aria-label": W.report});
  const form = el("form", {onsubmit: event => event.preventDefault(), "aria-label": D.title}), end = el("section", {hidden: true});
  const intro = el("p", {}, D.intro);
  const jump = el("input", {type: "number", min: 1, max: total, id: "jump", "aria-label": W.jump, onchange: event => go(Number(event.target.value))});
  const file = el("input", {type: "file", accept: ".json,application/json", class: "unseen", id: "file", tabindex: "-1", "aria-label": W.load, onchange: load});
  const shortcut = el("input", {type: "checkbox", checked: true, onchange: event => { keys = event.target.checked; store.put("keys", keys); }});
  const colours = el("select", {onchange: event => colour(event.target.value)}, ...["auto", "light", "dark"].map(name => el("option", {value: name}, W[name])));
  const help = el("dialog", {"aria-labelledby": "help"}, el("h2", {id: "help"}, W.help), el("p", {}, D.intro),
    el("dl", {}, ...W.shortcuts.flatMap(([key, text]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, text)])),
    el("div", {class: "actions"}, el("button", {type: "button", onclick: () => help.close()}, W.close)));
  const button = (text, action, key, main) => el("button", {type: "button", class: main ? "main" : null, onclick: action}, text, key ? " " : "", key ? el("kbd", {"aria-hidden": "true"}, key) : "");
  const back = button(W.previous, () => go(at - 1), "P"), on = button(W.next, () => go(at + 1), "N"), first = button(W.open, nextOpen);

  function build() {
    const copies = practise ? [] : [button(W.save, () => save(false), "S"), el("button", {type: "button", onclick: () => file.click()}, W.load), file];
    app.append(
      el("header", {}, title, who, el("span", {}, bar, " ", count),
        el("div", {class: "tools"}, ...copies, button(W.help, () => help.showModal(), "H"),
          el("label", {}, shortcut, W.keys), el("label", {}, W.colours, colours))),
      line,
      el("main", {}, el("div", {}, el("div", {class: "head"}, heading), texts), el("div", {}, intro, form, end)),
      el("nav", {"aria-label": W.move}, back, on, first, el("label", {for: "jump"}, W.jump), jump),
      live, help);
    keys = store.get("keys") !== false; shortcut.checked = keys;
    colours.value = store.get("colours") || "auto"; colour(colours.value);
  }

  function colour(name) {
    document.documentElement.classList.toggle("light", name === "light");
    document.documentElement.classList.toggle("dark", name === "dark");
    store.put("colours", name);
  }

  // One report and its questions.
  function show(focus) {
    const parts = D.reports[at - 1];
    heading.textContent = fill(W.report, {n: at, total});
    texts.setAttribute("aria-label", heading.textContent);
    texts.classList.toggle("two", parts.length > 1);
    texts.replaceChildren(...parts.map((part, index) => el("div", {},
      el("h3", {}, D.sides[index]), el("p", {class: "text", lang: D.report_language, dir: "auto"}, part))));
    texts.scrollTop = 0;
    form.replaceChildren(...D.questions.map(field), el("div", {class: "actions"},
      el("button", {type: "button", id: "rest", onclick: rest}, D.rest, " ", el("kbd", {"aria-hidden": "true"}, "A")),
      el("span", {id: "missing", class: "who"}), practise ? el("button", {type: "button", id: "show", class: "main", onclick: truth}, W.show) : null));
    jump.value = at;
    intro.hidden = done() > 0;
    back.disabled = at === 1; on.disabled = at === total;
    current = Math.max(0, D.questions.findIndex(question => question.type !== "text" && !has(reply(at).values, question.id)));
    mark(focus);
    state();
    shownAt = performance.now();
    store.put("at", at);
    if (truths.has(at)) tell();
    if (focus) { scrollTo({top: 0, behavior: "instant"}); heading.focus({preventScroll: true}); live.textContent = heading.textContent; }
  }

  function field(question, index) {
    const value = reply(at).values[question.id], hint = `hint${index}`;
    const body = question.type === "text"
      ? el("textarea", {maxlength: 2000, "aria-label": question.name, oninput: event => set(index, event.target.value, false)})
      : el("div", {class: `choices ${question.type}`}, ...options(question).map(([option, text]) => el("label", {},
        el("input", {type: "radio", name: `q${index}`, value: option, checked: option === value, onchange: () => set(index, option, false)}),
        el("span", {}, text), question.type === "choice" ? " " : "", question.type === "choice" ? el("kbd", {"aria-hidden": "true"}, option === -1 ? "?" : option) : "")));
    if (question.type === "text" && value) body.value = value;
    return el("fieldset", {"data-index": index, "aria-describedby": hint, onfocusin: () => { current = index; mark(false); }},
      el("legend", {}, question.name), body, el("p", {class: "hint", id: hint}, question.help));
  }

  function options(question) {
    return question.type === "choice" ? question.choices : Array.from({length: D.most + 1}, (_, number) => [number, String(number)]);
  }

  function mark(focus) {
    const values = reply(at).values;
    for (const item of form.querySelectorAll("fieldset")) {
      const index = Number(item.dataset.index);
      item.classList.toggle("now", index === current);
      item.classList.toggle("done", has(values, D.questions[index].id));
      if (focus && index === current) item.scrollIntoView({block: "nearest"});
    }
    const left = open(at);
    document.getElementById("missing").textContent = left ? fill(W.missing, {count: left}) : W.complete;
    const button = document.getElementById("show");
    if (button) button.disabled = left > 0 || truths.has(at);
  }

  function enter(index) {
    current = Math.min(Math.max(index, 0), D.questions.length - 1);
    mark(true);
    const item = form.querySelector(`fieldset[data-index="${current}"]`);
    const target = item.querySelector("input:checked") || item.querySelector("input, textarea");
    if (target) target.focus({preventScroll: true});
    item.scrollIntoView({block: "nearest"});
  }

  function timed() {
    const now = performance.now(), spent = document.hidden ? 0 : Math.min((now - shownAt) / 1000, 300);
    shownAt = now;
    return spent;
  }

  function set(index, value, move) {
    if (truths.has(at)) return;
    const question = D.questions[index], old = reply(at), values = {...old.values}, before = open(at);
    if (value === null || value === "") delete values[question.id]; else values[question.id] = value;
    answers.set(at, {values, rest: old.rest.filter(name => name !== question.id), seconds: old.seconds + timed()});
    const chosen = form.querySelector(`input[name="q${index}"][value="${value}"]`);
    if (chosen) chosen.checked = true; else for (const input of form.querySelectorAll(`input[name="q${index}"]`)) input.checked = false;
    if (question.type !== "text") live.textContent = value === null ? question.name : fill(W.current, {name: question.name, answer: label(question, value)});
    finish(before);
    if (move && index + 1 < D.questions.length) enter(index + 1); else mark(false);
  }

  // After an answer the next question is current: its answer, or else the one just given, is taken back.
  function takeBack() {
    if (!has(reply(at).values, D.questions[current].id) && current > 0) enter(current - 1);
    set(current, null, false);
  }

  function rest() {
    if (truths.has(at)) return;
    const old = reply(at), values = {...old.values}, added = D.questions.filter(question => question.rest && !has(values, question.id)).map(question => question.id), before = open(at);
    for (const name of added) values[name] = 0;
    answers.set(at, {values, rest: [...old.rest, ...added], seconds: old.seconds + timed()});
    for (const name of added) form.querySelector(`input[name="q${D.questions.findIndex(question => question.id === name)}"][value="0"]`).checked = true;
    live.textContent = fill(D.rest_done, {count: added.length});
    finish(before);
    mark(false);
  }

  function finish(before) {
    if (before > 0 && open(at) === 0) { since += 1; store.put("since", since); }
    if (practise) state(); else keep(at);
  }

  function go(position) {
    if (!(position >= 1 && position <= total) || position === at) { jump.value = at; return; }
    at = position;
    show(true);
  }

  // Enter on a complete report: the standard's answer, the next report, or, when all are done, the sentence to confirm.
  function enough() {
    const alone = document.getElementById("alone");
    if (practise && !truths.has(at)) truth();
    else if (at < total) go(at + 1);
    else if (alone && !end.hidden) alone.focus();
  }

  function nextOpen() {
    for (let step = 1; step <= total; step++) {
      const position = (at - 1 + step) % total + 1;
      if (open(position)) { go(position); return; }
    }
  }

  const slow = () => disk.pending > 0 && performance.now() - keptAt > 300;

  // The line under the title, and the end.
  function state() {
    const finished = done();
    bar.value = finished;
    count.textContent = fill(W.progress, {done: finished, total});
    let text = "", warn = false;
    if (served) {
      text = refused ? W.refused : waiting.size ? fill(W.waiting, {count: waiting.size}) : W.server;
      warn = refused || (waiting.size > 0 && retry > 1000);
    } else if (!practise) {
      text = !keeps ? W.lost : slow() ? W.keeping : W.kept;
      warn = !keeps;
      if (since >= D.remind) { text = fill(W.remind, {count: since}); warn = true; }
    } else text = result;
    if (finished === total && !practise && !warn && !handed) text = `${text} ${W.submit}`;
    if (line.textContent !== text) line.textContent = text;
    line.dataset.pending = disk.pending;
    line.classList.toggle("warn", warn);
    line.hidden = text === "";
    first.disabled = finished === total;
    if ((finished === total) === end.hidden) finale(finished === total);
  }

  function finale(all) {
    end.hidden = !all;
    if (!all || practise) { end.hidden = true; if (all && practise && truths.size === total) score(); return; }
    const box = el("input", {type: "checkbox", id: "alone", onchange: event => { hand.disabled = !event.target.checked; }});
    const hand = el("button", {type: "button", class: "main", disabled: true, onclick: () => served ? handIn() : save(true)}, W.hand);
    end.className = "box";
    end.replaceChildren(el("h2", {}, W.finished), el("p", {}, W.before), el("label", {for: "alone"}, box, D.attestation), hand, el("p", {id: "handed", role: "status"}));
  }

  async function handIn() {
    const where = document.getElementById("handed");
    // The first may be a request from before the last answer, so one more sends what it lacked.
    for (let requests = 0; waiting.size && requests < 3; requests += 1) await send();
    try {
      if (waiting.size) throw new Error("waiting");
      const answer = await fetch("submission", {method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify({study: D.study, attested: D.attestation})});
      where.textContent = answer.ok ? W.handed : W.refused;
      handed = answer.ok;
      state();
    } catch { where.textContent = fill(W.waiting, {count: waiting.size || 1}); }
  }

  // Files.
  function save(attested) {
    const listed = Object.fromEntries([...answers].sort(([one], [other]) => one - other));
    const content = {format: D.format, schema: D.schema, study: D.study, reader: D.reader, attested, source: "file", answers: listed};
    const address = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], {type: "application/json"}));
    const name = `${D.name}.${D.reader}.json`, link = el("a", {href: address, download: name});
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
    since = 0; store.put("since", 0);
    handed = attested;
    state();
    live.textContent = fill(W.written, {file: name});
    const where = document.getElementById("handed");
    if (attested && where) where.textContent = live.textContent;
  }

  async function load() {
    let content = null;
    try { content = JSON.parse(await file.files[0].text()); } catch { content = null; }
    file.value = "";
    const right = content && content.format === D.format && content.study === D.study && content.reader === D.reader && content.answers;
    let read = 0;
    for (const [position, value] of Object.entries(right ? content.answers : {})) {
      const where = Number(position);
      if (!(where >= 1 && where <= total) || !sound(value)) continue;
      const values = Object.fromEntries(Object.entries(value.values).filter(([name, answer]) => fits(name, answer)));
      answers.set(where, {values, rest: value.rest.filter(name => values[name] === 0), seconds: Number(value.seconds) || 0});
      keep(where);
      read += 1;
    }
    show(true);
    live.textContent = line.textContent = right ? fill(W.loaded, {count: read}) : W.wrong;
  }

  function fits(name, value) {
    const question = D.questions.find(item => item.id === name);
    return question && (question.type === "text" ? typeof value === "string" : options(question).some(([option]) => option === value));
  }

  // Exercise: the standard's answer after one's own.
  async function truth() {
    if (open(at) || truths.has(at)) return;
    const answer = await fetch("check", {method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify({position: at})});
    if (!answer.ok) return;
    truths.set(at, (await answer.json()).answers);
    tell();
    if (truths.size === total) score();
  }

  function tell() {
    const values = reply(at).values, known = truths.get(at);
    D.questions.forEach((question, index) => {
      const right = known[question.id], same = right === values[question.id];
      const said = right === null ? W.undecided : label(question, right);
      const text = fill(W.standard, {answer: said}) + (right === null ? "" : `, ${same ? W.right : W.different}`);
      form.querySelector(`fieldset[data-index="${index}"]`).append(el("p", {class: same || right === null ? "truth" : "truth off"}, text));
    });
    for (const input of form.querySelectorAll("input")) input.disabled = true;
    document.getElementById("show").disabled = document.getElementById("rest").disabled = true;
  }

  async function score() {
    const body = JSON.stringify({answers: Object.fromEntries([...answers].map(([position, value]) => [position, value]))});
    const answer = await fetch("score", {method: "POST", headers: {"content-type": "application/json"}, body});
    if (!answer.ok) return;
    const own = await answer.json();
    result = fill(W.f1, {f1: own.f1, findings: own.findings});
    end.className = "box";
    end.hidden = false;
    end.replaceChildren(el("h2", {}, W.score), el("p", {}, result),
      el("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": W.score}, el("table", {}, el("thead", {}, el("tr", {}, ...W.columns.map(name => el("th", {scope: "col"}, name)))),
        el("tbody", {}, ...own.rows.map(([name, ...cells]) => el("tr", {}, el("th", {scope: "row"}, name), ...cells.map(cell => el("td", {}, cell))))))));
    state();
  }

  // Keys: one key, one act; silent while somebody types, and with Ctrl, Alt or the system key.
  const typed = event => event.target.matches("textarea, input[type=number], select");
  function press(event) {
    if (!keys || event.ctrlKey || event.altKey || event.metaKey || event.isComposing || typed(event) || help.open) return;
    const key = event.key.toLowerCase(), question = D.questions[current];
    const value = key === "?" || key === "？" || key === "/" ? -1 : /^[0-9]$/.test(key) ? Number(key) : null;
    if (value !== null) { if (fits(question.id, value)) set(current, value, true); }
    else if (key === "j") enter(current + 1);
    else if (key === "k") enter(current - 1);
    else if (key === "n") go(at + 1);
    else if (key === "p") go(at - 1);
    else if (key === "a") rest();
    else if (key === "s" && !practise) save(false);
    else if (key === "h") help.showModal();
    else if (key === "backspace") takeBack();
    else if (key === "enter" && !event.target.matches("button, input[type=checkbox]") && open(at) === 0) enough();
    else return;
    event.preventDefault();
  }

  restore();
  build();
  show(false);
  document.addEventListener("keydown", press);
  document.addEventListener("visibilitychange", () => { shownAt = performance.now(); });
  // The same sheet in another tab: its newest answers are shown here too.
  addEventListener("storage", event => {
    const position = event.key && event.key.startsWith(KEY) ? Number(event.key.slice(KEY.length)) : 0;
    if (position >= 1 && position <= total && newest(position, store.get(position))) { if (position === at) show(false); else state(); }
  });
  addEventListener("beforeunload", event => { if (!practise && !keeps && answers.size) event.preventDefault(); });
  send();
  if (!practise) restoreDisk();
})();
