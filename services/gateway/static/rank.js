// What a script adds to an order that people set: a row is dragged to its place. The row's own form is sent, so that
// without this script, and by keyboard, its buttons and its number field do the same.
"use strict";

(() => {
  for (const table of document.querySelectorAll('[data-script="rank"]')) {
    const rows = [...table.querySelectorAll("tr[data-rank]")];
    let dragged = null;
    for (const row of rows) {
      row.draggable = true;
      row.addEventListener("dragstart", (event) => {
        dragged = row;
        event.dataTransfer.effectAllowed = "move";
        event.dataTransfer.setData("text/plain", row.id);
      });
      row.addEventListener("dragend", () => { dragged = null; });
      row.addEventListener("dragover", (event) => {
        if (dragged && dragged !== row) event.preventDefault();
      });
      row.addEventListener("drop", (event) => {
        if (!dragged || dragged === row) return;
        event.preventDefault();
        const form = dragged.querySelector("form.act");
        form.elements.ordinal.value = String(rows.indexOf(row) + 1);
        form.requestSubmit();
      });
      for (const field of row.querySelectorAll("input, button, a, summary")) field.draggable = false;
    }
  }
})();
