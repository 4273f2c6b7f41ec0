// Times: the exact one in the reader's time zone stands in the title, and "12 s ago" goes on counting.
"use strict";
(() => {
  const UNITS = [[86400, "day"], [3600, "h"], [60, "min"], [1, "s"]];
  const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
  const say = (seconds) => {
    if (Math.abs(seconds) < 1) return "just now";
    const whole = Math.max(1, Math.round(Math.abs(seconds)));
    const [size, unit] = UNITS.find(([size]) => whole >= size);
    const count = Math.floor(whole / size);
    const text = `${count} ${unit}${unit === "day" && count > 1 ? "s" : ""}`;
    return seconds > 0 ? `${text} ago` : `in ${text}`;
  };
  const update = () => {
    for (const time of document.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime()) || !time.dateTime.includes("T")) continue;
      const title = exact.format(at);
      if (time.title !== title) time.title = title;
      if (!time.classList.contains("ago")) continue;
      const text = say((Date.now() - at) / 1000);
      if (time.textContent !== text) time.textContent = text;
    }
  };
  update();
  setInterval(() => { if (!document.hidden) update(); }, 1000);
})();
