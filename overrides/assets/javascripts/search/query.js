/* A query, read: from what was typed or pasted to the units that the index is asked for. */
import { clean } from "./clean.js"
import { guess, lead, unit } from "./unit.js"
import { HAN, parted, pieces, words } from "./words.js"

/* Chinese words that only make a question of a sentence. */
const ASKING = new RegExp([
  "怎么样|怎么办|怎么|怎样|如何|什么是|是什么|(?<!为)什么(?!时候)|哪些|哪个|哪里|多少|到底|究竟",
  "是不是|能不能|会不会|要不要|有没有|是否|可以|还能|我们|我的|请问|一下|[的了吗呢吧我请]",
].join("|"))
/* From so many words on it is a paste: what no page knows is the reader's own, and is not missed. */
const PASTE = 6
/* The most words that the index is asked for: of a longer paste the rarest. */
const MOST = 40

/* Cut a text into what phrases are made of: an identifier is its parts here, so that out-of-tree is out of tree. */
export function atoms(text, { fold, isStop }) {
  return Array.from(pieces(text)).flatMap(function (piece) {
    if (HAN.test(piece.text)) return pairs(piece.text).map(function (pair) { return fold(pair.text) })
    return helpful(parted(piece), isStop).map(function (part) { return fold(part.text) })
  })
}

function helpful(parts, isStop) {
  return parts.filter(function (part) { return !isStop(part.text.toLowerCase()) })
}

/* Give the pairs of what is left of a run of Chinese without what only asks: { text, run }. */
function pairs(text) {
  return text.split(ASKING).filter(Boolean).flatMap(function (run) {
    return Array.from(words({ at: 0, text: run }), function (pair) { return { text: pair.text, run } })
  })
}

/* Read a query: { units, isPaste }. The index says how a word is folded, which words are no help, which it knows and
   how rare each is; its `phrases` are what readers say in other words than the pages do. */
export function read(typed, index) {
  const { text, hadNoise } = clean(typed)
  const all = Array.from(pieces(text)).flatMap(function (piece) { return units(piece, index) })
  const telling = all.filter(function (unit) { return !index.isStop(unit.lower) })
  const length = telling.reduce(function (sum, unit) { return sum + (unit.run ? 0.5 : 1) }, 0)
  const isPaste = hadNoise || length >= PASTE
  const chosen = isPaste ? rarest(telling, index) : telling
  const last = chosen.at(-1)
  for (const unit of chosen) guess(unit, index, !isPaste)
  if (last && !/\s$/.test(typed) && (!last.run || last.said === last.run)) last.isOpen = true
  mend(chosen, index)
  for (const phrase of index.phrases) {
    /* In a paste a single word leads nowhere: the line itself says more. */
    if (phrase.atoms.length > 1 || !isPaste) follow(chosen, phrase, isPaste ? 0 : 1)
  }
  return { units: chosen, isPaste }
}

/* An identifier that the index has is one unit; of another each part is one. */
function units(piece, { fold, isStop, known }) {
  if (HAN.test(piece.text)) {
    return pairs(piece.text).map(function ({ text, run }) { return unit(text, fold(text), { run }) })
  }
  const [whole] = words(piece)
  const parts = helpful(parted(piece), isStop)
  const term = fold(whole.text)
  if (parts.length > 1 && !known(term)) return parts.map(function (part) { return unit(part.text, fold(part.text)) })
  const inner = parts.length > 1 ? parts.map(function (part) { return fold(part.text) }) : [term]
  return [unit(piece.text, term, { atoms: inner })]
}

/* Choose the units of a paste: each word once, no long number, not more than the index is asked for. */
function rarest(all, { known, rarityOf }) {
  const once = new Map()
  for (const unit of all) if (!/^\d{3,}$/.test(unit.said) && !once.has(unit.lower)) once.set(unit.lower, unit)
  const units = [...once.values()]
  if (units.length <= MOST) return units
  function rarity({ atoms: [first], terms }) {
    const [term = first] = Array.from(terms.keys()).filter(known)
    return known(term) ? rarityOf(term) : 0
  }
  const chosen = new Set(units.toSorted(function (a, b) { return rarity(b) - rarity(a) }).slice(0, MOST))
  return units.filter(function (unit) { return chosen.has(unit) })
}

/* A terminal breaks a line inside a word, and readers write docker shim: both halves stand for the whole. */
function mend(units, { fold, known }) {
  units.slice(1).forEach(function (second, index) {
    const first = units[index]
    if (first.run || second.run) return
    const whole = fold(first.said + second.said)
    if (whole.length > 5 && known(whole)) for (const half of [first, second]) half.terms.set(whole, 1)
  })
}

/* Lead the units of which a phrase is made to where it leads, wherever it was said; typed words may have one between. */
function follow(units, phrase, between) {
  const said = units.flatMap(function (unit) { return unit.atoms.map(function (atom) { return { atom, unit } }) })
  said.forEach(function (_, first) {
    const part = []
    let left = between
    for (let at = first; at < said.length && part.length < phrase.atoms.length; at += 1) {
      if (said[at].atom === phrase.atoms[part.length]) part.push(said[at].unit)
      else if (!part.length || (left -= 1) < 0) return
    }
    if (part.length === phrase.atoms.length) for (const each of new Set(part)) lead(each, phrase)
  })
}
