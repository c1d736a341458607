"use strict";
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const scenarios = all(".scenario");

// Find and filter
const find = document.getElementById("find");
const buttons = all("[data-show]");
const found = document.getElementById("found");

function filter() {
  const text = find.value.trim().toLowerCase();
  const shown = new Set(buttons.filter((each) => each.getAttribute("aria-pressed") === "true").map((each) => each.dataset.show));
  let number = 0;
  for (const scenario of scenarios) {
    const feature = scenario.closest(".feature");
    const words = (scenario.querySelector("h3").textContent + " " + feature.querySelector("h2").firstChild.textContent).toLowerCase();
    scenario.hidden = !(shown.has(scenario.dataset.outcome) && words.includes(text));
    number += !scenario.hidden;
  }
  for (const feature of all(".feature")) {
    const within = all(".scenario", feature);
    feature.hidden = within.length > 0 && within.every((scenario) => scenario.hidden);
  }
  found.textContent = number === scenarios.length ? "" : `${number} of ${scenarios.length} shown`;
}

if (find) {
  find.addEventListener("input", filter);
  for (const button of buttons) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      filter();
    });
  }
  const toggle = document.getElementById("all");
  toggle.addEventListener("click", () => {
    const open = toggle.getAttribute("aria-expanded") !== "true";
    toggle.setAttribute("aria-expanded", String(open));
    toggle.textContent = open ? "Close all" : "Open all";
    for (const scenario of scenarios) if (!scenario.hidden) scenario.open = open;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== find) {
      event.preventDefault();
      find.focus();
    }
  });
}

// A sentence shows its moment
function mark(link) {
  const scenario = link.closest(".scenario");
  for (const each of all(".on", scenario)) each.classList.remove("on");
  const moment = document.getElementById(link.hash.slice(1));
  moment.classList.add("on");
  link.classList.add("on");
  for (const each of all(".steps a[aria-current]", scenario)) each.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  moment.closest(".timeline").scrollIntoView({ block: "nearest" });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.(".steps a:not(.why)");
  if (link && document.getElementById(link.hash.slice(1))) {
    event.preventDefault();
    mark(link);
  }
});

// The pointer tells the time, and what it is on
for (const timeline of all(".timeline")) {
  const readout = timeline.querySelector(".readout");
  const axis = timeline.querySelector(".axis");
  const point = (event) => {
    const box = axis.getBoundingClientRect();
    const at = (event.clientX - box.left) / box.width;
    timeline.classList.toggle("pointed", at >= 0 && at <= 1);
    timeline.style.setProperty("--at", 100 * at);
    readout.style.setProperty("--up", event.clientY - timeline.getBoundingClientRect().top);
    const on = event.target.closest(".plot > li, .marks > li");
    const pod = on?.closest(".row")?.querySelector(".pod").textContent;
    const end = Number(timeline.dataset.end);
    readout.textContent = [`${(at * end).toFixed(end < 10 ? 2 : 1)} s`, pod, on?.textContent].filter(Boolean).join(" · ");
  };
  timeline.addEventListener("pointermove", point);
  timeline.addEventListener("pointerdown", point);
  timeline.addEventListener("pointerleave", () => timeline.classList.remove("pointed"));
}

// An address that names a place opens what it is in; paper shows all that is shown
function reveal() {
  const place = location.hash && document.getElementById(location.hash.slice(1));
  const scenario = place && place.closest(".scenario");
  if (scenario) scenario.open = true;
}
addEventListener("hashchange", reveal);
reveal();
addEventListener("beforeprint", () => {
  for (const scenario of scenarios) scenario.open = true;
});
