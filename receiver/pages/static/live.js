// The mark "Live", and the pause of a feed. The stream says every second that it is there; a page that receives nothing says so.
"use strict";
(() => {
  const SILENT_MS = 3500; // with the check every half second, less than five seconds
  const mark = document.getElementById("live");
  const pause = document.getElementById("pause");
  const more = document.getElementById("show-newer");
  const rows = document.getElementById("rows");
  if (!mark) return;
  let lastMessageAt = Date.now();
  let paused = false;

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
  // While the reader has paused or scrolled down, new rows are put into the page hidden: what is read does not move, and
  // what came meanwhile is counted and there at once. The next request begins after the newest row: none is lost.
  const MAX_HELD = 500; // more are asked for when these are shown
  const MAX_ROWS = 300; // of a page that is open for days; older ones are a link away
  pause.hidden = false;
  const isReading = () => paused || window.scrollY > 200;
  const listHeld = () => [...rows.querySelectorAll(":scope > li[hidden]")];
  const ask = () => htmx.trigger("#newer", "sse:changed");
  const count = () => {
    const held = listHeld().length;
    more.hidden = held === 0;
    more.textContent = held === 1 ? "1 new event ↑" : `${held}${held < MAX_HELD ? "" : " or more"} new events ↑`;
  };
  const trim = () => {
    const open = (row) => row.querySelector("details[open]") || row.contains(document.activeElement);
    const all = [...rows.children];
    const going = all.slice(MAX_ROWS).filter((row) => !open(row));
    if (!going.length) return;
    for (const row of going) row.remove();
    const last = rows.lastElementChild.id.replace("event-", "");
    const link = document.querySelector("a.more") || document.createElement("a");
    link.className = "more";
    link.textContent = "Older events";
    link.href = rows.dataset.older.replace("before=0", `before=${last}`);
    if (!link.isConnected) rows.after(link);
  };
  const release = () => {
    for (const row of listHeld()) row.hidden = false;
    count();
    trim();
    ask();
  };
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Resume" : "Pause";
    pause.setAttribute("aria-pressed", String(paused));
    if (!paused) release();
  });
  more.addEventListener("click", () => {
    release();
    window.scrollTo({ top: 0 });
  });
  window.addEventListener("scroll", () => { if (!isReading() && listHeld().length) release(); }, { passive: true });
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const asked = event.detail.requestConfig && event.detail.requestConfig.elt;
    if (!asked || asked.id !== "newer" || !isReading()) return;
    if (listHeld().length >= MAX_HELD) event.detail.shouldSwap = false;
    else event.detail.serverResponse = event.detail.serverResponse.replaceAll('<li id="event-', '<li hidden id="event-');
  });
  document.body.addEventListener("htmx:afterSwap", () => {
    count();
    if (!isReading()) trim();
    const empty = document.getElementById("empty");
    if (empty && rows.querySelector(":scope > li:not([hidden])")) empty.remove();
  });
})();
