/* The order of what was found. A section is worth what its words are worth (lunr's BM25, by which rare words count
   most), times how much of the query it has, times how much the query is about it: what has the words in its title comes
   before what mentions them. */
import { ask, isOne, worth } from "./unit.js"

/* The least of the query that a section has, measured by the one that has most. */
const ENOUGH = 0.4
/* The least that a typed word tells which leads to sections, and how much less each is than the one before. */
const LED = 3, NEXT = 0.85

/* Rank the sections for a query: [{ at, score, places, missing }], the best first. The index has `lunr`'s own, the
   `docs`, the words of their `titles` and the `titleBoost`, and says how much a number of finds tells, and a word. */
export function ranked({ units, isPaste }, index) {
  const asked = units.map(function (unit) { return { unit, results: ask(index.lunr, unit, index.trailing) } })
  const told = asked.filter(function (each) { return each.unit.see.length || !isOwn(each, asked, isPaste) })
  const hits = new Map()
  let all = 0
  for (const { unit, results } of told) {
    const rarity = Math.max(index.rarity(results.length), unit.see.length && !isPaste ? LED : 0)
    all += rarity
    for (const { ref, score, matchData: { metadata } } of results) {
      add(hits, Number(ref), unit, { score, has: rarity * worth(unit, Object.keys(metadata)), metadata })
    }
    /* Who is led to a section finds it as if the word stood in its title. */
    const best = results.reduce(function (most, { score }) { return Math.max(most, score) }, index.titleBoost * rarity)
    Array.from(new Set(unit.see)).forEach(function (at, place) {
      const has = hits.get(at)?.found.has(unit) ? 0 : rarity
      add(hits, at, unit, { score: best * NEXT ** place, has, led: rarity * NEXT ** place })
    })
  }
  const said = told.map(function ({ unit }) { return unit })
  const most = Array.from(hits.values()).reduce(function (most, { has }) { return Math.max(most, has) }, 0)
  return Array.from(hits.values())
    .filter(function ({ led, has }) { return led || has >= most * ENOUGH })
    .map(function (hit) { return { ...hit, ...weighed(hit, said, all, index) } })
    .sort(function (a, b) { return b.score - a.score })
}

/* Words that no page has are missed, but not in a paste, and not a pair of Chinese characters beside one that it has. */
function isOwn({ unit, results }, asked, isPaste) {
  if (results.length) return false
  if (isPaste || !unit.run) return isPaste
  return asked.some(function (other) { return other.unit.run === unit.run && other.results.length })
}

function add(hits, at, unit, { score, has, led = 0, metadata = {} }) {
  if (!hits.has(at)) hits.set(at, { at, worth: 0, has: 0, led: 0, found: new Set(), places: {} })
  const hit = hits.get(at)
  hit.worth += score
  hit.has += has
  hit.led += led
  hit.found.add(unit)
  for (const fields of Object.values(metadata)) {
    for (const [name, { position }] of Object.entries(fields)) (hit.places[name] ??= []).push(...position)
  }
}

function weighed(hit, said, all, index) {
  const share = hit.has / all
  const runs = new Set(Array.from(hit.found, function ({ run }) { return run ?? "" }))
  const about = Math.max(aboutness(index.titles[hit.at], said, index.rarityOf), hit.led / all)
  /* A page's own boost is for who says what it is about, not for who says a word of it. */
  const boost = 1 + ((index.docs[hit.at].boost ?? 1) - 1) * about ** 3
  return {
    score: hit.worth * share ** 2 * (1 + 2 * about) * boost,
    missing: said.filter(function (unit) { return !hit.found.has(unit) && !runs.has(unit.run) }),
  }
}

/* How much of a title was said; or how much of what was said stands there word after word: a line may be cut short. */
function aboutness(title, said, rarityOf) {
  function weight(terms) {
    return terms.reduce(function (all, term) { return all + rarityOf(term) }, 0)
  }
  const of = title.filter(function (term) { return said.some(function (unit) { return isOne(unit, term) }) })
  return Math.max(title.length && weight(of) / weight(title), longestRun(title, said) / said.length)
}

/* Count the words of a title that were said one after the other; two are no line. */
function longestRun(title, said) {
  let most = 0
  for (let from = 0; from < title.length; from += 1) {
    for (let first = 0; first < said.length; first += 1) {
      const longest = Math.min(title.length - from, said.length - first)
      let length = 0
      while (length < longest && isOne(said[first + length], title[from + length])) length += 1
      most = Math.max(most, length)
    }
  }
  return most > 2 ? most : 0
}
