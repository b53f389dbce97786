/* What a reader pastes, without what a terminal, a log and a shell put around it. Pure: text in, text out. */
const DATE = String.raw`\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?`
const TIME = String.raw`\d{1,2}:\d\d:\d\d(?:[.,]\d+)?`
const DAY = String.raw`(?:[A-Z][a-z]{2}|\d{1,2}月)\s+\d{1,2}`
const PROGRAM = String.raw`[\w@./-]+\[\d+\]:`
const UNIT = String.raw`(?:kubelet|containerd|dockerd|crio|systemd):`
const KEYS = "time|ts|level|lvl|logger|caller|pid|node|pod|podUID|containerName|containerID|podSandboxID|sandboxID"
const LEVEL = String.raw`(?:\[[A-Za-z][^\]]*\]|(?:FATA|ERRO|WARN|INFO)\[\d+\]):?|(?:error|fatal|panic|warning|报错|错误)\s?:`
const AGE = String.raw`(?:<unknown>|(?:\d+[dhms])+)(?:\s+\(x\d+ over (?:\d+[dhms])+\))?`

/* In this order: what stands outside goes first. */
const NOISE = [
  /* ANSI colours, also where a log or the clipboard has spelled out or lost the escape character. */
  [/(?:\x1b|\\x1b|\\u001b|\\033|#033|\^\[)\[[0-9;?]*[A-Za-z]|\[\d{1,3}(?:;\d{1,3})*m/gi, ""],
  [/[\u200b-\u200d\ufeff\u00ad]/g, ""],
  [/\\+(["'`])/g, "$1"],
  [/\\[nrt]/g, " "],
  /* journald and syslog: when, the host, the program. */
  [new RegExp(`^\\s*(?:${DAY} ${TIME}|${DATE})\\s+\\S+\\s+(?:${PROGRAM}|${UNIT})`, "gm"), " "],
  [new RegExp(PROGRAM, "g"), " "],
  /* A container's log as the CRI writes it. */
  [new RegExp(`^\\s*${DATE}\\s+std(?:out|err)\\s+[FP]\\s`, "gm"), " "],
  /* klog, and its end where the beginning was cut off. */
  [new RegExp(`(?:\\b[IWEF]\\d{4,8}\\s+${TIME}\\s+)?(?:\\d+\\s+)?[\\w./-]+\\.go:\\d+\\]`, "g"), " "],
  [new RegExp(`\\b[IWEF]\\d{4}\\s+${TIME}`, "g"), " "],
  /* kubectl describe, kubectl get events. */
  [new RegExp(`^\\s*(?:Normal|Warning)\\s+\\w+\\s+${AGE}\\s+[\\w-]+(?:, \\S+)?\\s+`, "gm"), " "],
  [new RegExp(`^\\s*${AGE}\\s+(?:Normal|Warning)\\s+`, "gm"), " "],
  [/[<>]/g, " "],
  /* Keys of structured logs: some with what they say, for it is the reader's own, some without. */
  [new RegExp(`\\b(?:${KEYS})=(?:"[^"]*"|\\S+)`, "g"), " "],
  [/\b(?:err|error|msg)=/g, " "],
  [/"command failed"/g, " "],
  [new RegExp(`${DATE}|(?:${DAY}\\s+)?\\b${TIME}\\b`, "g"), " "],
  /* What nobody else has: identifiers, digests, addresses. */
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b(?:sha256:)?(?=[0-9a-f]*\d)[0-9a-f]{12,64}\b/g, " "],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g, " "],
  [new RegExp(`^(?:\\s*(?:${LEVEL})(?=\\s))+`, "gim"), " "],
]

function once(text) {
  return text.replace(/\s+/g, " ").trim()
}

/* No line is longer; what is pasted beyond it would only take time. */
const LONGEST = 20000

/* Give the text without the noise, and whether there was any, which nobody types. A query that is nothing but noise is
   taken as it was typed. */
export function clean(typed) {
  const whole = typed.slice(0, LONGEST).normalize("NFKC")
  const rest = NOISE.reduce(function (text, [noise, instead]) { return text.replace(noise, instead) }, whole)
  const text = once(rest) || once(whole)
  return { text, hadNoise: text !== once(whole) }
}
