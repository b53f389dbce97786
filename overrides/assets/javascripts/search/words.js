/* What a word is, for the index and for a query alike. Pure: text in, words out.
   Chinese is cut into pairs of characters that overlap. An identifier is one word, and each of its parts is one too. */
const LATIN = "[\\p{Script=Latin}\\p{Script=Greek}\\p{N}_]"
/* Markup, what a format has in the place of a value, and what English writes after an apostrophe, are no words. */
const SKIPPED = "%[dqsvw]\\b|<[^>]*>|&(?:amp|lt|gt|quot|#39);|[a-z]+n['’]t\\b|['’](?:s|d|m|re|ve|ll)\\b"
const PIECE = new RegExp(`(${SKIPPED})|\\p{Script=Han}+|${LATIN}+(?:[.@-]${LATIN}+)*`, "giu")
const VERSION = /^[vV]?(\d+\.\d+)(?:\.\d+)*$/
/* Where a new word begins inside an identifier. */
const HUMP = /(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/

export const HAN = /\p{Script=Han}/u

/* Give each piece of a text, { at, text }: a run of Chinese, an identifier, a word. */
export function* pieces(text) {
  for (const match of text.matchAll(PIECE)) {
    if (match[1] === undefined) yield { at: match.index, text: match[0] }
  }
}

/* Give the words of a piece, the piece itself first: { at, text, whole }. */
export function* words(piece) {
  const { at, text } = piece
  if (HAN.test(text)) {
    const letters = Array.from(text)
    const last = Math.max(0, letters.length - 2)
    for (let i = 0, where = at; i <= last; where += letters[i].length, i += 1) {
      yield { at: where, text: letters.slice(i, i + 2).join(""), whole: true }
    }
    return
  }
  const version = VERSION.exec(text)
  if (version) {
    const plain = text.replace(/^v/i, "")
    const start = at + text.length - plain.length
    yield { at: start, text: plain, whole: true }
    if (plain !== version[1]) yield { at: start, text: version[1], whole: false }
    return
  }
  yield { at, text, whole: true }
  for (const part of text.matchAll(/[^.@_-]+/g)) {
    if (part[0] !== text && counts(part[0])) yield { at: at + part.index, text: part[0], whole: false }
    let start = at + part.index
    const humps = part[0].split(HUMP)
    for (const hump of humps) {
      if (humps.length > 1 && counts(hump)) yield { at: start, text: hump, whole: false }
      start += hump.length
    }
  }
}

function counts(part) {
  return part.length > 1
}

/* Give the parts of an identifier that lie in no other, or the word itself. */
export function parted(piece) {
  const [whole, ...parts] = words(piece)
  const inner = parts.filter(function (part) { return !parts.some(function (other) { return lies(part, other) }) })
  return inner.length ? inner : [whole]
}

function lies(part, other) {
  return part !== other && other.at <= part.at && part.at + part.text.length <= other.at + other.text.length
}

/* Make the function that gives all forms of an English word one spelling. Names are left as they are. */
export function folding(stem) {
  const known = new Map()
  return function (word) {
    const lower = word.normalize("NFKC").toLowerCase()
    if (!/^[a-z]{3,}$/.test(lower)) return lower
    if (!known.has(lower)) known.set(lower, stem(lower))
    return known.get(lower)
  }
}
