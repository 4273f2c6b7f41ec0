// The connect form: a step is checked when it is left, if it is filled in and has changed since it was last checked.
// On a slow line it may be filled in and left before this script is there: it is checked then.
"use strict";
for (const section of document.querySelectorAll("form.connect section[data-step]")) {
  const fields = () => [...section.querySelectorAll("input, select, textarea")].filter((field) => field.type !== "hidden" && field.type !== "radio");
  const values = () => JSON.stringify(fields().map((field) => field.value));
  const cameWith = (field) => field.options ? ([...field.options].find((option) => option.defaultSelected) || field.options[0]).value : field.defaultValue;
  let last = JSON.stringify(fields().map(cameWith)); // that was checked, or is empty
  const isFilledIn = () => fields().every((field) => field.value || !field.required || field.closest("[hidden]") || "kept" in field.dataset);

  const leave = (goesTo) => {
    if (section.contains(goesTo) || (goesTo && goesTo.type === "submit")) return;
    if (!isFilledIn() || values() === last) return;
    last = values();
    htmx.trigger(section, "left");
  };

  section.addEventListener("focusout", (event) => leave(event.relatedTarget));
  document.addEventListener("DOMContentLoaded", () => leave(document.activeElement)); // once htmx has read the page
  section.addEventListener("htmx:beforeRequest", () => {
    last = values();
    section.classList.add("is-checking");
  });
  section.addEventListener("htmx:afterRequest", () => section.classList.remove("is-checking"));
}
// Of several platforms only the chosen one's fields are shown.
const platform = document.querySelector("form.connect select[name=platform]");
if (platform) {
  const show = () => {
    for (const group of document.querySelectorAll("[data-platform]")) group.hidden = group.dataset.platform !== platform.value;
  };
  platform.addEventListener("change", show);
  show();
}
// Errors are put beside their fields; the fields say so too.
document.body.addEventListener("htmx:afterSettle", () => {
  for (const place of document.querySelectorAll(".field-said")) {
    const field = place.closest(".field, fieldset");
    if (!field) continue;
    const isWrong = place.querySelector(".errors") !== null;
    field.classList.toggle("wrong", isWrong);
    const input = field.querySelector("input, select, textarea");
    if (isWrong) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
});
