// The mark "Live", and the pause of a feed. The stream says every second that it is there; a page that receives nothing says so.
"use strict";
(() => {
  const SILENT_MS = 4000;
  const mark = document.getElementById("live");
  const pause = document.getElementById("pause");
  const more = document.getElementById("show-newer");
  const rows = document.getElementById("rows");
  if (!mark) return;
  let lastMessageAt = Date.now();
  let paused = false;
  let skipped = false;

  const show = (live) => {
    mark.hidden = false;
    if (live === mark.classList.contains("good")) return;
    mark.classList.toggle("good", live);
    mark.classList.toggle("bad", !live);
    const time = new Date(lastMessageAt).toLocaleTimeString();
    mark.textContent = live ? mark.dataset.live : mark.dataset.dead.replace("{time}", time);
  };
  const noteMessage = () => {
    lastMessageAt = Date.now();
    show(true);
  };
  setInterval(() => { if (Date.now() - lastMessageAt > SILENT_MS) show(false); }, 500);

  document.body.addEventListener("htmx:sseOpen", (opened) => {
    for (const name of ["ping", "changed"]) opened.detail.source.addEventListener(name, noteMessage);
  });

  if (!pause) return;
  pause.hidden = false;
  const isReading = () => paused || window.scrollY > 200;
  const ask = () => htmx.trigger("#newer", "sse:changed");
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Resume" : "Pause";
    if (!paused) ask();
  });
  more.addEventListener("click", () => {
    more.hidden = true;
    skipped = true; // show them although the page is scrolled
    ask();
    window.scrollTo({ top: 0 });
  });
  // What came meanwhile is asked for with the next request, which begins after the newest event shown: none is lost.
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const asked = event.detail.requestConfig && event.detail.requestConfig.elt;
    if (!asked || asked.id !== "newer" || skipped || !isReading()) return;
    const count = (event.detail.serverResponse.match(/<li id="event-\d+">/g) || []).length;
    more.hidden = count === 0;
    more.textContent = count === 1 ? "1 new event ↑" : `${count} new events ↑`;
    event.detail.shouldSwap = false;
  });
  document.body.addEventListener("htmx:afterSwap", () => {
    skipped = false;
    more.hidden = true;
    const empty = document.getElementById("empty");
    if (empty && rows.children.length) empty.remove();
  });
})();
