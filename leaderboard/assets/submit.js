// The form of the tab Submit. The browser keeps the chosen file and sends it with every press; what comes back is shown as text alone.
(() => {
  "use strict";
  const at = (id) => document.getElementById(id);
  const field = (id) => document.querySelector(`#${id} :is(input, select)`);
  const FINISHED = ["rejected", "withdrawn"], SOON = 3000, LATER = 15000;
  const open = () => at("panel-submit")?.classList.contains("rs-on");
  let busy = false, watch = null, shown = "";

  function say(place, head, lines = [], ...more) { // head and lines are text, more are elements
    const parts = [];
    if (head) parts.push(Object.assign(document.createElement("p"), { textContent: head, className: "rs-head" }));
    if (lines.length) {
      const list = document.createElement("ul");
      list.append(...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
      parts.push(list);
    }
    place.replaceChildren(...parts, ...more);
  }
  const said = (head, lines, ...more) => say(at("submit-said"), head, lines, ...more);

  async function asked(address, body, type) { // the server's answer, also where it refuses
    const answer = await fetch(`ranscore/${address}`, body === undefined ? {}
      : { method: "POST", headers: { "content-type": type, "x-ranscore": "1" }, body });
    const found = await answer.json();
    if (typeof found !== "object" || found === null) throw new Error(String(answer.status));
    return found;
  }

  // ---- the form
  function head(dry) {
    const card = {};
    document.querySelectorAll("#submit [data-card]").forEach((one) => { card[one.dataset.card] = one.value.trim() || null; });
    return { name: field("submit-file").files[0].name, cohort: field("submit-cohort").value, card, dry,
      agreed: field("submit-agreed").checked, looked: field("submit-looked").checked, code: field("submit-code").value.trim() };
  }
  function missing(form) { // what the server need not be asked for
    const file = field("submit-file").files[0], most = Number(form.dataset.most);
    if (!file) return "Choose a file first.";
    if (file.size > most) return `This file holds ${(file.size / 1e6).toFixed(1)} MB; ${most / 1e6} MB are read. Keep only the columns study_id and report.`;
    return field("submit-name").value.trim() ? "" : "Write the system's name first.";
  }
  async function send(form, dry) {
    if (busy) return;
    const lacks = missing(form);
    if (lacks) { said(lacks); return; }
    busy = true;
    form.setAttribute("aria-busy", "true");
    said(dry ? "Checking the file." : "Checking the file and submitting it.");
    try {
      const file = field("submit-file").files[0];
      let content;
      try { content = await file.arrayBuffer(); } catch {
        said("The file was changed or moved after you chose it. Choose it again.");
        return;
      }
      const answer = await asked("hand-in", new Blob([JSON.stringify(head(dry)), "\n", content]), "application/octet-stream");
      if (answer.id) taken(answer);
      else said(answer.head, answer.lines);
    } catch {
      said("The server did not answer. Perhaps nothing was submitted. Press again: the same file is never taken twice.");
    } finally {
      busy = false;
      form.removeAttribute("aria-busy");
      at("submit-said").scrollIntoView({ block: "nearest" });
    }
  }
  function taken(answer) {
    const note = document.createElement("p"), link = document.createElement("a");
    Object.assign(link, { textContent: answer.id, href: `?tab=submit&receipt=${answer.id}` });
    if (answer.code) {
      const code = Object.assign(document.createElement("code"), { textContent: answer.code });
      note.append("Keep this code. Only with it can you withdraw the submission or submit a new version: ", code, ". ");
    }
    note.append("Its page: ", link);
    said(answer.head, answer.lines, note);
    field("submit-receipt").value = answer.id;
    field("submit-code").value = answer.code;
    look();
  }
  async function example() {
    const cohort = field("submit-cohort").value;
    try {
      const answer = await fetch(`ranscore/example?cohort=${encodeURIComponent(cohort)}`);
      if (!answer.ok) { const found = await answer.json(); said(found.head, found.lines); return; }
      const files = new DataTransfer();
      files.items.add(new File([await answer.blob()], "example.csv", { type: "text/csv" }));
      field("submit-file").files = files.files;
      field("submit-name").value = "Example";
      chosen();
    } catch { said("The server did not answer. Try again."); }
  }
  function chosen() {
    const file = field("submit-file").files[0];
    at("submit-chosen").textContent = file ? `${file.name}, ${Math.max(1, Math.round(file.size / 1000))} kB` : "";
    field("submit-looked").checked = false; // what was looked at was another file
    said("");
  }
  function access() { // what the chosen cohort asks for
    const closed = field("submit-cohort").selectedOptions[0]?.dataset.access !== "open";
    at("submit-agreed").hidden = !closed;
    at("submit-example").hidden = closed;
  }

  // ---- a receipt: asked for only while it is shown
  async function look() {
    clearTimeout(watch);
    const place = at("submit-state"), box = field("submit-receipt"), name = box.value.trim();
    if (!open() || !name) { if (!name) place.replaceChildren(); shown = ""; return; }
    let wait = SOON;
    try {
      const found = await asked(`receipt/${encodeURIComponent(name)}`);
      if (box.value.trim() !== name) return;
      if (found.state === undefined) { say(place, "", found.lines ?? ["There is no such receipt."]); return; }
      say(place, "", found.lines);
      if (FINISHED.includes(found.state)) return;
      if (found.state === "listed") wait = LATER;
    } catch {
      if (box.value.trim() === name) say(place, "There is no such receipt, or the server does not answer.");
      wait = LATER;
    }
    clearTimeout(watch);
    if (document.hidden) shown = ""; // looked at again when somebody sees it
    else watch = setTimeout(look, wait);
  }
  async function withdraw() {
    const [id, code, reason] = ["submit-receipt", "submit-code", "submit-reason"].map((name) => field(name).value.trim());
    if (!id) { said("Write the receipt first."); return; }
    try {
      const answer = await asked("withdraw", JSON.stringify({ id, code, reason }), "application/json");
      said(answer.problems.length ? "Not withdrawn" : answer.head, answer.lines);
    } catch { said("The server did not answer. Try again."); }
    look();
  }

  // ---- the tab
  async function login() { // on a Space: who is logged in
    const { login: needed, name } = await asked("person");
    if (!needed || !name) return;
    at("submit-person").textContent = `Logged in as ${name}. `;
    Object.assign(at("submit-login"), { textContent: "Log out", href: "logout?_target_url=/?tab=submit" });
  }
  async function worker() { // whether somebody would score a file now
    const found = await asked("door");
    if (at("submit-idle")) at("submit-idle").hidden = found.worker !== false;
  }
  function start() { // once for each time that the tab is opened, and each time that Gradio makes it again
    const where = at("submit-where");
    if (!open() || !where) { clearTimeout(watch); shown = ""; return; }
    if (where.dataset.ready === undefined) {
      where.dataset.ready = "";
      shown = "";
      if (at("submit")) access();
      if (at("submit-login")) login().catch(() => {});
      worker().catch(() => {});
    }
    const wanted = new URLSearchParams(location.search).get("receipt") ?? "", box = field("submit-receipt");
    if (wanted && wanted !== shown) box.value = wanted;
    if (box.value.trim() && shown !== box.value.trim()) { shown = box.value.trim(); look(); }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#panel-submit button");
    if (button?.id === "submit-send") send(at("submit"), false);
    else if (button?.id === "submit-example") example();
    else if (button?.id === "submit-withdraw") withdraw();
  });
  document.addEventListener("change", (event) => {
    const place = event.target.closest?.("#panel-submit .rs-field")?.id;
    if (place === "submit-file") chosen();
    else if (place === "submit-cohort") { access(); said(""); }
    else if (place === "submit-receipt") look();
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches?.("#submit, #submit-where")) return;
    event.preventDefault();
    event.target.id === "submit" ? send(event.target, true) : look();
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) start(); });
  document.addEventListener("ranscore-shown", start);
  // Gradio puts the form into the document some time after this script has run, and may put it there a second time.
  new MutationObserver(() => { if (at("submit-where")?.dataset.ready === undefined) start(); }).observe(document.documentElement,
    { childList: true, subtree: true, attributes: true, attributeFilter: ["data-ready"] });
})();
