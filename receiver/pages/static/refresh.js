// Reloads the changing parts of a visible page. Without scripts a page shows the state of its last load.
"use strict";
const SECONDS = 5;
async function refresh(part) {
  if (document.hidden || part.contains(document.activeElement)) return;
  const answer = await fetch(part.dataset.refresh, { credentials: "same-origin", redirect: "error" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = part.id ? page.getElementById(part.id) : page.body;
  if (fresh) part.replaceChildren(...fresh.childNodes);
}
for (const part of document.querySelectorAll("[data-refresh]")) {
  setInterval(() => refresh(part).catch(() => {}), SECONDS * 1000);
}
