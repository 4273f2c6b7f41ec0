// While a slow form is being sent, its button says so and is disabled.
"use strict";
for (const form of document.querySelectorAll("form[data-busy]")) {
  const button = form.querySelector("[type=submit]");
  const says = button.value;
  const set = (busy) => {
    button.disabled = busy;
    button.value = busy ? form.dataset.busy : says;
  };
  form.addEventListener("submit", () => set(true));
  window.addEventListener("pageshow", () => set(false)); // the back button shows the page as it was left
}
