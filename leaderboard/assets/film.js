// Uploading a film under Try it. The film goes straight to this server in one request; what comes back is the server's own, escaped HTML.
(() => {
  "use strict";
  const at = (id) => document.getElementById(id);
  let examples = 0, drawn = null, busy = null;

  function choose(button) {
    document.querySelectorAll("[data-try]").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
    at("panel-try").dataset.from = button.dataset.try;
  }
  const say = (text) => { at("film-state").textContent = text; };

  async function example() {
    const answer = await fetch(`ranscore/film/${examples++}`);
    if (!answer.ok) { say("The example could not be drawn. Try again."); return; }
    const made = await answer.json(), bytes = Uint8Array.from(atob(made.film), (letter) => letter.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], "drawn-example.png", { type: "image/png" }));
    at("film-file").files = files.files;
    at("film-reference").value = drawn = made.reference;
    say("A film drawn by the program, of nobody's chest, and what it was drawn from. Now let the system write its report.");
    at("film-write").focus();
  }

  const state = (ahead) => ahead === 0 ? "The system is reading the film. The first one takes longer: the system is loaded for it."
    : `Waiting: ${ahead} ${ahead === 1 ? "film is" : "films are"} before yours; one is read at a time.`;

  function shown(html) {
    const result = at("film-result");
    result.innerHTML = html;
    const written = result.querySelector("figure") !== null;
    say(written ? "Here is what the system wrote." : "");
    written ? at("film-state").scrollIntoView({ block: "start" }) : result.scrollIntoView({ block: "nearest" });
  }

  async function write(form) {
    const file = at("film-file").files[0], most = Number(form.dataset.film), result = at("film-result");
    result.replaceChildren();
    if (!file) { say("Choose a film first."); return; }
    if (file.size > most) { say(`This file holds ${Math.ceil(file.size / 1e6)} MB; ${most / 1e6} MB are read. Save it as PNG, or as JPEG 2000 in DICOM.`); return; }
    busy?.abort();
    const mine = busy = new AbortController();
    at("film").setAttribute("aria-busy", "true");
    say("Uploading the film.");
    try {
      const head = JSON.stringify({ name: file.name, reference: at("film-reference").value });
      const answer = await fetch("ranscore/film", {
        method: "POST", headers: { "content-type": "application/octet-stream" }, body: new Blob([head, "\n", file]), signal: mine.signal,
      });
      if (!answer.ok || !answer.body) throw new Error(String(answer.status));
      const lines = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = "", part = await lines.read(); !part.done; part = await lines.read()) {
        const whole = (rest + part.value).split("\n");
        rest = whole.pop();
        for (const line of whole.map((text) => JSON.parse(text))) {
          if (line.html === undefined) say(state(line.ahead));
          else shown(line.html);
        }
      }
      if (!result.hasChildNodes()) throw new Error("it ended early");
    } catch (error) {
      if (!mine.signal.aborted) say("The server did not answer. Perhaps the file cannot be read any more, or the page was restarted: try again.");
    } finally {
      if (busy === mine) at("film").removeAttribute("aria-busy");
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#panel-try button");
    if (button?.dataset.try) choose(button);
    else if (button?.id === "film-example") example();
  });
  document.addEventListener("change", (event) => {
    if (event.target.id !== "film-file") return;
    const reference = at("film-reference");
    if (reference.value === drawn) reference.value = ""; // the example's own, which says nothing of another film
    say("");
    at("film-result").replaceChildren();
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches?.("form[data-film]")) return;
    event.preventDefault();
    write(event.target);
  });
})();
