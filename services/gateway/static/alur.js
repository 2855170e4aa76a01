// What a script adds to pages that work without it: live logs, the number that waits, no form sent twice.
"use strict";

// A log follows its stream; it scrolls along unless the reader has scrolled up.
function words(data) {
  try {
    const told = JSON.parse(data);
    if (typeof told === "string") return told;
    return told.text ?? told.line ?? told.words ?? told.message ?? data;
  } catch {
    return data;
  }
}

function follow(log) {
  const source = new EventSource(log.dataset.stream);
  let isFirst = true;
  const add = (event) => {
    const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 24;
    if (isFirst) log.textContent = "";
    isFirst = false;
    log.append(words(event.data) + "\n");
    if (isAtEnd) log.scrollTop = log.scrollHeight;
  };
  source.onmessage = add;
  for (const kind of ["line", "log", "step"]) source.addEventListener(kind, add);
  for (const kind of ["end", "done"]) {
    source.addEventListener(kind, () => {
      source.close();
      log.dataset.ended = "yes";
    });
  }
}

for (const log of document.querySelectorAll("pre.log[data-stream]")) follow(log);

// The number beside "Menunggu saya", asked for at most once a minute.
const counts = document.querySelectorAll("[data-waiting]");

function show(number) {
  for (const count of counts) count.textContent = number > 0 ? String(number) : "";
}

async function countWaiting() {
  const key = "waiting:" + counts[0].dataset.waiting;
  const given = document.querySelector("[data-waiting-total]");
  if (given) {
    sessionStorage.setItem(key, JSON.stringify([Number(given.dataset.waitingTotal), Date.now()]));
  }
  const [number, at] = JSON.parse(sessionStorage.getItem(key) ?? "[0, 0]");
  show(number);
  if (Date.now() - at < 60000) return;
  const answer = await fetch("/api/waiting", { headers: { accept: "application/json" } });
  if (!answer.ok) return;
  const rows = await answer.json();
  sessionStorage.setItem(key, JSON.stringify([rows.length, Date.now()]));
  show(rows.length);
}

if (counts.length) countWaiting().catch(() => {});

// A form that is on its way is not sent again by an impatient finger.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button || event.defaultPrevented) return;
  setTimeout(() => { button.disabled = true; }, 0);
  window.addEventListener("pageshow", () => { button.disabled = false; }, { once: true });
});
