// Buttons that copy: the text of an element (data-copy="#id"), or what an address answers (data-copy-from="/…").
"use strict";
for (const button of document.querySelectorAll("[data-copy], [data-copy-from]")) {
  const says = button.textContent;
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    try {
      const source = button.dataset.copyFrom;
      const text = source ? await (await fetch(source, { credentials: "same-origin", redirect: "error" })).text() : document.querySelector(button.dataset.copy).textContent;
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not copied: select the text instead";
    }
    setTimeout(() => { button.textContent = says; }, 2000);
  });
}
