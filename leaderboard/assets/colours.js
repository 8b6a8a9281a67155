// Light or dark: the system's choice, or the visitor's own, which this browser remembers where it may. Runs before anything is drawn.
(() => {
  "use strict";
  const KEY = "ranscore-colours", KNOWN = ["light", "dark"], root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const asked = new URLSearchParams(location.search).get("__theme"); // a host that embeds the page says so in its own way
  let own = "";
  try { own = localStorage.getItem(KEY) ?? ""; } catch { /* forbidden: the choice lasts as long as the page */ }
  const choice = () => [own, asked].find((name) => KNOWN.includes(name)) ?? "";

  function apply() {
    KNOWN.forEach((name) => root.classList.toggle(`rs-${name}`, name === choice()));
    // Gradio's own parts follow this class of the body, and Gradio sets it by the system.
    const dark = choice() ? choice() === "dark" : system.matches;
    if (document.body && document.body.classList.contains("dark") !== dark) document.body.classList.toggle("dark", dark);
    document.querySelectorAll("select[data-colours]").forEach((field) => {
      const value = KNOWN.includes(own) ? own : "";
      if (field.value !== value) field.value = value; // setting it again would interrupt who is typing a name
    });
  }
  document.addEventListener("change", (event) => {
    if (!event.target.matches?.("select[data-colours]")) return;
    own = event.target.value;
    try { own ? localStorage.setItem(KEY, own) : localStorage.removeItem(KEY); } catch { /* as above */ }
    apply();
  });
  const start = () => {
    apply();
    new MutationObserver(apply).observe(document.body, { attributes: true, attributeFilter: ["class"] });
    new MutationObserver((seen) => { // the running page's frame comes later, and may come twice
      const come = (node) => node.nodeType === 1 && (node.matches("[data-colours]") || node.querySelector("[data-colours]"));
      if (seen.some((change) => [...change.addedNodes].some(come))) apply();
    }).observe(document.body, { childList: true, subtree: true });
  };
  system.addEventListener("change", apply);
  apply();
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", start) : start(); // Gradio adds scripts late
})();
