// What a refresh by Idiomorph leaves alone: what the reader has opened, and the field in which the reader writes.
"use strict";
Idiomorph.defaults.ignoreActiveValue = true;
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.tagName === "DETAILS");

// What a script has drawn, such as a chart, is not in what the server sends.
Idiomorph.defaults.callbacks.beforeNodeMorphed = (node) => !(node.dataset && "keep" in node.dataset);

// A refresh that is answered by another page, such as the log-in after a log-out, loads that page instead.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, requestConfig } = event.detail;
  const asked = new URL(requestConfig.path, location.href);
  if (!xhr.responseURL || new URL(xhr.responseURL).pathname === asked.pathname) return;
  event.detail.shouldSwap = false;
  location.assign(location.href);
});
