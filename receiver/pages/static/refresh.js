// What a refresh by Idiomorph leaves alone: what the reader has opened, and the forms that the reader has begun to fill in.
"use strict";
document.addEventListener("input", ({ target }) => { if (target.form) target.form.dataset.keep = ""; });
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.tagName === "DETAILS");

// Neither such a form nor what a script has drawn, such as a chart, is in what the server sends.
Idiomorph.defaults.callbacks.beforeNodeMorphed = (node) => !(node.dataset && "keep" in node.dataset);

// A refresh that is answered by another page, such as the log-in after a log-out, loads that page instead.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, requestConfig } = event.detail;
  const asked = new URL(requestConfig.path, location.href);
  if (!xhr.responseURL || new URL(xhr.responseURL).pathname === asked.pathname) return;
  event.detail.shouldSwap = false;
  location.assign(location.href);
});
