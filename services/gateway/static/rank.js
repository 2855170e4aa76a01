// What a script adds to an order that people set: a row is dragged to its place. The row's own form is sent, so that
// without this script, and by keyboard, its buttons and its number field do the same.
"use strict";

(() => {
  for (const list of document.querySelectorAll('[data-script="rank"]')) {
    const rows = [...list.querySelectorAll("[data-rank]")];
    let dragged = null;
    for (const row of rows) {
      // A row in which one writes is dragged by its heading alone.
      const grip = row.querySelector("[data-grip]") ?? row;
      grip.draggable = true;
      grip.addEventListener("dragstart", (event) => {
        dragged = row;
        event.dataTransfer.effectAllowed = "move";
        event.dataTransfer.setData("text/plain", row.id);
      });
      grip.addEventListener("dragend", () => { dragged = null; });
      row.addEventListener("dragover", (event) => {
        if (dragged && dragged !== row) event.preventDefault();
      });
      row.addEventListener("drop", (event) => {
        if (!dragged || dragged === row) return;
        event.preventDefault();
        const form = dragged.querySelector("[name=ordinal]").form;
        form.elements.ordinal.value = String(rows.indexOf(row) + 1);
        form.requestSubmit();
      });
      for (const field of row.querySelectorAll("input, button, a, summary")) field.draggable = false;
    }
  }
})();
