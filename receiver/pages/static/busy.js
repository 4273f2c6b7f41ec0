// While a slow form is being sent, its button says so and is disabled. The form may have come with a refresh of the page.
"use strict";
(() => {
  const sent = new Map(); // button -> what it says otherwise
  const say = (button, words) => {
    if (button.tagName === "INPUT") button.value = words;
    else button.textContent = words;
  };
  document.addEventListener("submit", ({ target: form }) => {
    const button = [...form.elements].find((element) => element.type === "submit");
    if (!("busy" in form.dataset) || !button) return;
    sent.set(button, button.value || button.textContent);
    say(button, form.dataset.busy);
    button.disabled = true;
  });
  window.addEventListener("pageshow", () => { // the back button shows the page as it was left
    for (const [button, words] of sent) {
      say(button, words);
      button.disabled = false;
    }
    sent.clear();
  });
})();
