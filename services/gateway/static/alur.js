// What a script adds to pages that work without it: live logs, numbers that wait, a question before harm, files that
// show how far they are, nothing sent twice and nothing written lost.
"use strict";

const all = (selector, within = document) => within.querySelectorAll(selector);
const say = (indonesian, english) => (document.documentElement.lang === "en" ? english : indonesian);
const make = (name, className = "", text = "") => Object.assign(document.createElement(name), { className, textContent: text });

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

// The numbers in the rail, asked for at most once a minute.
function count(kind, path, reckon) {
  const places = all(`[data-${kind}]`);
  if (!places.length) return;
  const key = `${kind}:${places[0].dataset[kind]}`;
  const show = (number) => { for (const place of places) place.textContent = number > 0 ? String(number) : ""; };
  const given = document.querySelector(`[data-${kind}-total]`);
  if (given) sessionStorage.setItem(key, JSON.stringify([Number(given.dataset[`${kind}Total`]), Date.now()]));
  const [number, at] = JSON.parse(sessionStorage.getItem(key) ?? "[0, 0]");
  show(number);
  if (Date.now() - at < 60000) return;
  fetch(path, { headers: { accept: "application/json" } })
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)))
    .then((told) => {
      sessionStorage.setItem(key, JSON.stringify([reckon(told), Date.now()]));
      show(reckon(told));
    })
    .catch(() => {});
}

// A harmful act is asked about once more, with what follows from it.
function ask(form, button) {
  const dialog = document.getElementById("pastikan");
  dialog.querySelector("h2").textContent = `${button.textContent.trim()}?`;
  dialog.querySelector("p").textContent = form.dataset.confirm;
  const yes = dialog.querySelector("[data-yes]");
  yes.textContent = button.textContent.trim();
  yes.onclick = () => {
    form.dataset.confirmed = "yes";
    dialog.close();
    form.requestSubmit(button);
  };
  dialog.showModal();
  dialog.querySelector("[data-close]").focus();
}

// Files: dropped or chosen, their size told at once, and how far they are while they are sent.
const BIGGEST = 512 * 1024 * 1024;
const sizes = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });
const size = (bytes) => (bytes < 1e6 ? `${sizes.format(bytes / 1e3)} KB` : `${sizes.format(bytes / 1e6)} MB`);

function takeFiles(drop) {
  const input = drop.querySelector("input");
  const told = drop.parentElement.querySelector(".drop__told") ?? drop.parentElement.appendChild(make("p", "drop__told"));
  told.setAttribute("aria-live", "polite");
  const tell = () => {
    const file = input.files[0];
    const isTooBig = file && file.size > BIGGEST;
    told.textContent = !file ? say("Tarik berkas ke sini atau pilih dari perangkat.", "Drag a file here or choose one from your device.")
      : isTooBig ? `${file.name} (${size(file.size)}) ${say("melebihi batas", "exceeds the limit of")} ${size(BIGGEST)}. ${say("Perkecil atau bagi berkasnya.", "Make it smaller or divide it.")}`
      : `${file.name} (${size(file.size)}) ${say("siap dikirim", "is ready to be sent")}.`;
    told.classList.toggle("drop__told--wrong", Boolean(isTooBig));
    input.setCustomValidity(isTooBig ? told.textContent : "");
  };
  tell();
  input.addEventListener("change", tell);
  for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, () => drop.classList.add("drop--over"));
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("drop--over"));
}

function send(form) {
  const bar = make("progress");
  bar.max = 1;
  bar.setAttribute("aria-label", say("Berkas sedang dikirim", "The file is being sent"));
  const told = make("p", "drop__told", say("Mengirim …", "Sending …"));
  told.setAttribute("role", "status");
  form.append(bar, told);
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("X-Requested-With", "alur");
  request.setRequestHeader("Accept", "text/html");
  request.upload.onprogress = (event) => {
    if (!event.lengthComputable) return;
    bar.value = event.loaded / event.total;
    told.textContent = event.loaded < event.total ? `${say("Terkirim", "Sent")} ${size(event.loaded)} ${say("dari", "of")} ${size(event.total)}.` : say("Terkirim; sedang diperiksa dan disimpan …", "Sent; being checked and stored …");
  };
  const stop = (why) => {
    bar.remove();
    told.textContent = why;
    told.classList.add("drop__told--wrong");
    for (const button of all("button", form)) button.disabled = false;
  };
  request.onerror = () => stop(say("Sambungan terputus sebelum berkas sampai. Isian Anda masih ada; mohon kirim sekali lagi.", "The connection broke before the file arrived. What you typed is still here; please send it once more."));
  request.onload = () => {
    isDirty = false;
    if (request.status < 400) return location.assign(request.responseURL);
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    const main = page.querySelector("main");
    if (!main) return stop(say("Berkas belum tersimpan. Mohon ulangi beberapa saat lagi.", "The file is not stored. Please try again in a moment."));
    document.querySelector("main").replaceWith(document.adoptNode(main));
    enliven(main);
    main.querySelector("[role=alert], .refused")?.scrollIntoView();
  };
  request.send(new FormData(form));
}

// What was written and not sent is not lost by a slip of the finger.
let isDirty = false;
addEventListener("input", (event) => {
  if (event.target.form?.method === "post") isDirty = true;
});
addEventListener("beforeunload", (event) => {
  if (isDirty) event.preventDefault();
});

// A form that is on its way is not sent again by an impatient finger.
addEventListener("submit", (event) => {
  const form = event.target;
  const button = event.submitter;
  if (event.defaultPrevented || form.method === "dialog") return;
  if (form.dataset.confirm && !form.dataset.confirmed && button) {
    event.preventDefault();
    return ask(form, button);
  }
  delete form.dataset.confirmed;
  const isUpload = [...all("input[type=file]", form)].some((input) => input.files.length);
  if (form.method === "post" && isUpload) {
    event.preventDefault();
    send(form);
  }
  isDirty = false;
  if (!button) return;
  setTimeout(() => { button.disabled = true; }, 0);
  addEventListener("pageshow", () => { button.disabled = false; }, { once: true });
});

addEventListener("click", (event) => {
  if (event.target.closest?.("[data-close]")) event.target.closest("dialog, .toast")?.[event.target.closest("dialog") ? "close" : "remove"]();
});

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
  if (event.key === "/") {
    const search = [...all("[data-search], main input[type=search]")].find((field) => field.checkVisibility());
    if (!search) return;
    event.preventDefault();
    search.focus();
  } else if (event.key === "?") {
    document.getElementById("pintasan")?.showModal();
  }
});

function enliven(within) {
  for (const log of all("pre.log[data-stream]", within)) follow(log);
  for (const drop of all(".drop", within)) takeFiles(drop);

  for (const code of navigator.clipboard ? all("[data-copy], .secret", within) : []) {
    const button = make("button", "copy", say("Salin", "Copy"));
    button.type = "button";
    button.setAttribute("aria-label", `${say("Salin", "Copy")} ${code.dataset.copy || say("teks ini", "this text")}`);
    button.onclick = () => navigator.clipboard.writeText(code.textContent.trim()).then(() => { button.textContent = say("Tersalin", "Copied"); });
    code.after(" ", button);
  }

  if (!CSS.supports("field-sizing", "content")) {
    for (const area of all("textarea", within)) {
      const grow = () => { area.style.height = "auto"; area.style.height = `${area.scrollHeight + 2}px`; };
      area.addEventListener("input", grow);
    }
  }

  // Within reach of the thumb only while what it leads to is out of sight.
  const act = within.querySelector("#tindakan");
  const way = within.querySelector(".to-act");
  if (act && way) new IntersectionObserver(([seen]) => { way.hidden = seen.isIntersecting; }).observe(act);

  const busy = within.matches?.("[data-refresh]") ? within : within.querySelector("[data-refresh]");
  if (busy) refresh(busy);
}

// A part that changes by itself is fetched anew until it says that it has come to rest.
function refresh(part) {
  setTimeout(async () => {
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html", "x-requested-with": "alur" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = answer.ok && page.getElementById(part.id);
      // Nobody's half-written form is taken away.
      if (!fresh || isDirty || part.contains(document.activeElement)) return refresh(part);
      for (const log of all("pre.log[data-stream]", part)) if (!log.dataset.ended) return refresh(part);
      part.replaceWith(document.adoptNode(fresh));
      enliven(fresh);
    } catch {
      refresh(part);
    }
  }, Number(part.dataset.refresh) * 1000);
}

// What was refused for a while is asked for again when it may be.
const again = document.querySelector("[data-again]");
if (again) {
  const told = document.querySelector("[data-again-words]");
  let left = Number(again.dataset.again);
  const tick = setInterval(async () => {
    left -= 1;
    if (told && left > 0) told.textContent = `${say("Dapat dicoba lagi dalam", "You can try again in")} ${left} ${say("detik", "seconds")}.`;
    if (left > 0) return;
    if (left % 5 !== 0) return;
    const answer = await fetch(again.href, { headers: { accept: "text/html", "x-requested-with": "alur" } }).catch(() => null);
    if (told) told.textContent = say("Masih belum menjawab; dicoba lagi setiap lima detik.", "Still no answer; trying again every five seconds.");
    if (answer?.ok) {
      clearInterval(tick);
      location.replace(again.href);
    }
  }, 1000);
}

for (const toast of all(".toast")) {
  const close = make("button", "copy", say("Tutup", "Close"));
  close.type = "button";
  close.dataset.close = "";
  toast.append(close);
  let timer = setTimeout(() => toast.remove(), 10000);
  for (const kind of ["pointerenter", "focusin"]) toast.addEventListener(kind, () => clearTimeout(timer));
}

count("waiting", "/api/waiting", (rows) => rows.length);
count("notices", "/api/notices/count", (told) => (typeof told === "number" ? told : told.unread ?? 0));
// Where one is stands in sight, also at the end of a long rail.
document.querySelector(".rail [aria-current]")?.scrollIntoView({ block: "nearest" });
enliven(document);
