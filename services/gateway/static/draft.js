// What a script adds to forms that are written over a while (proposals, terms of reference, minutes): they save
// themselves, and similar applications are named. Without it the same forms have their buttons.
"use strict";

(() => {
  const PAUSE = 3000;
  const clock = new Intl.DateTimeFormat("id", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

  // The fields of a section as the JSON door takes them: "risks.0.effect" stands in a row, an empty field is "".
  function written(form) {
    const body = {};
    for (const field of form.elements) {
      if (!field.name || field.type === "hidden" || field.type === "submit") continue;
      const isNothing = form.dataset.empty === "null" && field.value === "" && (field.type === "date" || field.type === "select-one");
      const value = field.type === "checkbox" ? field.checked : isNothing ? null : field.value;
      const [name, row, column] = field.name.split(".");
      if (column === undefined) {
        body[name] = value;
        continue;
      }
      const rows = (body[name] ??= []);
      if (value !== "") (rows[row] ??= {})[column] = value;
    }
    for (const name in body) if (Array.isArray(body[name])) body[name] = body[name].filter((row) => row);
    return body;
  }

  function keep(form) {
    const told = form.querySelector("[data-draft-status]");
    let timer = 0;
    let busy = false;
    let again = false;
    let stopped = false;

    const say = (words, ...more) => { told.replaceChildren(words, ...more); };
    const button = (words, act) => {
      const made = Object.assign(document.createElement("button"), { type: "button", textContent: words });
      made.className = "button button--quiet";
      made.onclick = act;
      return made;
    };

    function show(saved) {
      say(`Tersimpan sendiri pukul ${clock.format(saved.saved_at ? new Date(saved.saved_at) : new Date())}.`);
      if (!saved.sections) return;
      const here = saved.sections.find((section) => section.key === form.dataset.section);
      const progress = document.querySelector("[data-draft-progress] strong");
      if (progress) progress.textContent = `${saved.done} dari ${saved.of} bagian lengkap`;
      const lacking = document.querySelector("[data-draft-lacking]");
      if (lacking) lacking.textContent = here.lacking.length ? `Belum ada: ${here.lacking.join(", ")}.` : here.wrong.length ? "Ada isian yang perlu diperbaiki." : "Bagian ini lengkap.";
      for (const section of saved.sections) {
        const mark = document.querySelector(`[data-draft-sections] [data-key="${section.key}"] span`);
        if (mark) mark.textContent = section.is_complete ? "lengkap" : "belum lengkap";
      }
      for (const old of form.querySelectorAll("[data-draft-error]")) old.remove();
      for (const old of form.querySelectorAll(".field--wrong")) {
        old.classList.remove("field--wrong");
        old.querySelector(".error")?.remove();
      }
      for (const [place, words] of Object.entries(saved.errors)) {
        const field = form.elements[place] ?? form.elements[place.split(".")[0]];
        const around = field?.closest?.(".field");
        if (!around) continue;
        around.classList.add("field--wrong");
        const error = Object.assign(document.createElement("p"), { className: "error", textContent: words });
        error.dataset.draftError = "";
        around.append(error);
      }
    }

    async function save(overwrite = false) {
      clearTimeout(timer);
      if (busy) { again = true; return; }
      busy = true;
      again = false;
      say("Menyimpan …");
      try {
        const answer = await fetch(form.dataset.draft, {
          method: "PATCH",
          headers: {
            "accept": "application/json",
            "content-type": "application/json",
            "if-match": overwrite ? "*" : `"${form.dataset.edition}"`,
            "x-form-token": form.elements.form_token.value,
          },
          body: JSON.stringify(written(form)),
        });
        const body = await answer.json();
        if (answer.ok) {
          form.dataset.edition = form.elements.edition.value = String(body.edition);
          stopped = false;
          if (!again) isDirty = false;
          show(body);
        } else if (answer.status === 412) {
          stopped = true;
          say(`${body.detail} `, button("Simpan isian saya", () => save(true)), " ", button("Muat yang tersimpan", () => { isDirty = false; location.reload(); }));
        } else {
          // What lacks something is tried again with the next word; what is refused is not.
          stopped = answer.status !== 503 && answer.status !== 422;
          say(`Belum tersimpan: ${body.detail}`);
          if (answer.status === 503) again = true;
        }
      } catch {
        say("Sambungan terputus. Isian Anda masih ada di sini dan disimpan begitu tersambung lagi.");
        again = true;
      }
      busy = false;
      if (again && !stopped) timer = setTimeout(save, PAUSE);
    }

    form.addEventListener("input", (event) => {
      if (stopped) return;
      // Where one writes, one sees that it is saved.
      event.target.closest(".rows, .field")?.after(told);
      again = busy;
      clearTimeout(timer);
      timer = setTimeout(save, PAUSE);
    });
    form.addEventListener("submit", () => { clearTimeout(timer); stopped = true; });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden" && isDirty && !stopped) save();
    });
  }

  function compare(within) {
    const place = within.querySelector("[data-similar-found]");
    const called = within.querySelector("[name=name]");
    const meant = within.querySelector("[name=purpose]");
    let timer = 0;
    let asked = "";
    // Right beneath what is typed: at the end of a form nobody on a phone sees it.
    (called ?? meant)?.closest(".field")?.after(place);
    within.addEventListener("input", (event) => {
      if (event.target !== called && event.target !== meant) return;
      clearTimeout(timer);
      timer = setTimeout(look, 700);
    });
    async function look() {
      const name = called?.value ?? within.dataset.name ?? "";
      const purpose = (meant?.value ?? within.dataset.purpose ?? "").slice(0, 300);
      const query = new URLSearchParams({ name: name.slice(0, 200), purpose });
      if (within.dataset.besides) query.set("besides", within.dataset.besides);
      if (name.trim().length < 3 || asked === query.toString()) return;
      asked = query.toString();
      const answer = await fetch(`/api/similar-applications?${query}`, { headers: { accept: "application/json" } }).catch(() => null);
      if (!answer?.ok) return;
      show(await answer.json());
    }
    function show(found) {
      place.replaceChildren();
      if (!found.length) return;
      const notice = Object.assign(document.createElement("div"), { className: "notice" });
      const list = Object.assign(document.createElement("ul"), { className: "papers" });
      notice.append(Object.assign(document.createElement("strong"), { textContent: "Ada aplikasi yang serupa." }), " Anda tetap dapat melanjutkan; perbedaannya ditanyakan saat diajukan.", list);
      for (const one of found) {
        const line = document.createElement("li");
        const name = document.createElement(one.path ? "a" : "span");
        name.textContent = one.name;
        if (one.path) { name.href = one.path; name.target = "_blank"; }
        const about = Object.assign(document.createElement("span"), { className: "quiet", textContent: ` ${one.number} · ${one.unit} · ${one.label} · kemiripan ${one.likeness}%` });
        line.append(name, about);
        list.append(line);
      }
      place.append(notice);
    }
  }

  for (const form of document.querySelectorAll("form[data-draft]")) keep(form);
  for (const within of document.querySelectorAll("[data-similar]")) compare(within);
})();
