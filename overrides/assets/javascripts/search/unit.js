/* A unit of a query: one word that was typed or pasted, with the words of the index that may stand for it. */

/* What a word is worth that stands for another: one that is meant, that begins so, that is a form of it, that differs
   by a slip, that is a part of it. A known word may go on as well, but that is worth little. */
const MEANT = 0.6, LONGER = 0.6, OPEN = 0.1, SHORTER = 0.8, SLIP = 0.5, PART = 0.3

/* What is longer is no word: to look for one like it would take long. */
const LONG = 32

/* Make a unit of what was said: `atoms` are the words by which phrases know it, `run` the Chinese around it. */
export function unit(said, term, { atoms = [term], run } = {}) {
  const made = { said, lower: said.toLowerCase(), run, atoms, parts: new Set(), see: [], isKnown: true, isOpen: false }
  made.terms = new Map([[term, 1]])
  if (atoms.length > 1) take(made, atoms, PART / atoms.length)
  return made
}

/* Let parts stand for a unit, each for some of it. */
function take(unit, parts, each) {
  for (const part of parts) {
    unit.parts.add(part)
    unit.terms.set(part, each)
  }
}

/* A word that the index does not have may be the beginning or a form of one; if typed, two, or one with a slip. */
export function guess(unit, { fold, known }, isTyped) {
  const { lower } = unit
  unit.isKnown = Array.from(unit.terms.keys()).some(known)
  if (unit.run || unit.isKnown) return
  unit.isOpen = lower.length > 2 && lower.length < LONG
  unit.hasSlip = isTyped && lower.length > 4 && lower.length < LONG && !/\d/.test(lower)
  for (let length = lower.length - 1; length >= Math.max(5, lower.length - 4); length -= 1) {
    if (known(lower.slice(0, length))) return void unit.terms.set(lower.slice(0, length), SHORTER)
  }
  for (let at = 3; isTyped && at <= lower.length - 3; at += 1) {
    const halves = [fold(lower.slice(0, at)), fold(lower.slice(at))]
    if (halves.every(known)) return take(unit, halves, PART)
  }
}

/* Lead a unit to words and sections that are meant by it. */
export function lead(unit, { means, see }) {
  for (const word of means) if (!unit.terms.has(word)) unit.terms.set(word, MEANT)
  unit.see.push(...see)
}

/* Ask the index for a unit; `trailing` is lunr's sign for a word that goes on. */
export function ask(index, unit, trailing) {
  return index.query(function (query) {
    const exact = { usePipeline: false }
    for (const [term, boost] of unit.terms) query.term(term, { ...exact, boost })
    if (unit.isOpen) query.term(unit.lower, { ...exact, boost: unit.isKnown ? OPEN : LONGER, wildcard: trailing })
    if (unit.hasSlip) query.term(unit.lower, { ...exact, boost: SLIP, editDistance: 1 })
  })
}

/* How far words that were found stand for a unit: from 0 to 1. Parts count together, of other words the best. */
export function worth(unit, found) {
  const worths = found.map(function (term) { return unit.terms.get(term) ?? (unit.hasSlip ? SLIP : LONGER) })
  const parts = worths.reduce(function (sum, each, at) { return unit.parts.has(found[at]) ? sum + each : sum }, 0)
  return Math.max(...worths, parts)
}

/* Tell whether a unit stands for a word. */
export function isOne(unit, term) {
  return unit.terms.has(term) || (unit.isOpen && !unit.isKnown && term.startsWith(unit.lower))
}
