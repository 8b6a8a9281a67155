// Reading a pasted report under Try it. What comes back is the server's own, escaped HTML.
(() => {
  "use strict";
  const at = (id) => document.getElementById(id);
  let busy = null;

  function complain(words) {
    const note = Object.assign(document.createElement("p"), { className: "rs-problem", textContent: words });
    at("try-result").replaceChildren(note);
  }
  async function read(form) {
    busy?.abort();
    const mine = busy = new AbortController(), place = at("try-result");
    form.setAttribute("aria-busy", "true");
    try {
      const body = JSON.stringify({ report: at("try-report").value, reference: at("try-reference").value });
      const answer = await fetch("ranscore/try", { method: "POST", headers: { "content-type": "application/json" }, body, signal: mine.signal });
      if (answer.ok) place.innerHTML = await answer.text();
      else complain((await answer.json()).lines.join(" "));
    } catch {
      if (mine.signal.aborted) return;
      complain("The server did not answer. Try again.");
    }
    form.removeAttribute("aria-busy");
    place.scrollIntoView({ block: "nearest" }); // on a phone the answer is below the form, out of sight
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("button")?.id !== "try-example") return;
    const form = at("try-paste");
    at("try-report").value = form.dataset.report;
    at("try-reference").value = form.dataset.reference;
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "try-paste") return;
    event.preventDefault();
    read(event.target);
  });
})();
