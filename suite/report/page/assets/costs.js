// What quality is drawn against: a column, its axis and, of energies, the column that says what became of the reading.

const COSTS = {
  speedup: { title: "speed-up (baseline seconds / technique seconds)", name: "speed-up", higher: true },
  artefact_bytes: { title: "artefact in bytes", name: "artefact", higher: false, type: "log" },
  peak_memory_inference: { title: "memory of one served batch in bytes", name: "memory", higher: false, type: "log" },
  energy_per_item: {
    title: "energy of an item in joules",
    name: "energy of an item",
    state: "energy_state",
    type: "log",
  },
  energy_per_correct: {
    title: "energy of a correct answer in joules",
    name: "energy of a correct answer",
    state: "energy_state",
    type: "log",
  },
  energy_per_epoch: {
    title: "energy of an epoch of training in joules",
    name: "energy of an epoch",
    state: "training_energy_state",
    type: "log",
  },
  energy_to_target: {
    title: "energy of training to the target in joules",
    name: "energy to the target",
    state: "training_energy_state",
    type: "log",
  },
};

const REASONS = 3; // why a value is missing that the note names

/** Why rows have no energy: their readings are invalid, or absent. */
function missingReasons(table, rows, name) {
  const column = table.by.get(COSTS[name].state);
  if (!column) return "";
  const data = table.by.get(name)?.data;
  const without = rows.filter((row) => !data || Number.isNaN(data[row]));
  const states = Array.from(without, (row) => textOf(column, row)).filter((state) => state !== "valid");
  const told = [...new Set(states)].slice(0, REASONS);
  return told.length ? ` (${told.join("; ")})` : "";
}
