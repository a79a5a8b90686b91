// Keys and liveness. Everything works without it: every button is a form, every page complete.
"use strict";

const byId = (id) => document.getElementById(id);
const typing = (target) => target.matches("input, textarea, select") && target.type !== "submit";
const csrf = document.body.dataset.csrf;

// Keys --------------------------------------------------------------------------------------------

function press(event) {
  if (event.key === "Escape" && typing(event.target)) {
    event.target.blur();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing(event.target)) return;
  const act = {
    u: () => byId("undo")?.click(),
    c: () => openNote(),
    "/": () => byId("search")?.focus(),
    "?": () => toggleHelp(),
  }[event.key];
  const button = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!act && !button) return;
  event.preventDefault();
  if (act) act();
  else button.click();
}

function openNote() {
  const note = byId("note");
  if (!note) return;
  note.closest("details").open = true;
  note.focus();
}

function toggleHelp() {
  const help = byId("help");
  if (!help) return;
  help.open = !help.open;
  if (help.open) help.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", press);

// One answer per page, however often a key is hit while the next page loads.
const answer = byId("answer");
if (answer) {
  answer.addEventListener("submit", (event) => {
    if (answer.dataset.sent) event.preventDefault();
    answer.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => delete answer.dataset.sent);
}

// Liveness ----------------------------------------------------------------------------------------

const work = byId("work");

function show(status) {
  const outage = byId("outage");
  outage.hidden = !status.outage;
  byId("outage-text").textContent = status.outage || "";
  byId("unsent").textContent = status.unsent ? ` (${status.unsent} to send)` : "";
  if (byId("open-count")) byId("open-count").textContent = status.open;
  if (byId("disputes-count")) byId("disputes-count").textContent = status.disputes;
  const arrived = location.pathname === "/adjudicate" ? status.disputes : status.open;
  if (work?.dataset.empty === "1" && arrived > Number(work.dataset.seen || 0)) location.reload();
  if (work) work.dataset.seen = arrived;
}

async function ask(address, options) {
  if (document.hidden) return null;
  try {
    const response = await fetch(address, { redirect: "error", ...options });
    return response.ok ? response : null;
  } catch {
    return null; // the console itself restarts; the next question will tell
  }
}

async function refreshStatus() {
  const response = await ask("/status");
  if (response) show(await response.json());
}

async function keepItem() {
  const body = new URLSearchParams({ csrf, item: byId("item").value });
  const response = await ask("/keep", { method: "POST", body });
  if (response && !(await response.json()).held) byId("lost").hidden = false;
}

async function refreshDashboard(live) {
  const response = await ask(live.dataset.part);
  if (response) live.innerHTML = await response.text();
}

if (csrf) setInterval(refreshStatus, 4000);
if (work?.dataset.answerable === "1") {
  setInterval(keepItem, Math.max(1000, Number(work.dataset.lease) * 250));
}
const live = byId("live");
if (live) setInterval(() => refreshDashboard(live), 5000);
