/** The engine speaks in parts of sentences: `the step time`, `no rollout is in progress`. */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** `no rollout is in progress` -> `No rollout is in progress.` */
export const asSentence = (text: string): string =>
  /[.!?:"]$/.test(text) ? capital(text) : `${capital(text)}.`

/** The first sentence, and what follows it: a verdict with all its figures is no headline. Points in versions end nothing. */
export function splitSentence(text: string): { first: string; rest: string } {
  const end = text.search(/\. \p{Lu}/u)
  return end < 0 ? { first: text, rest: '' } : { first: text.slice(0, end + 1), rest: text.slice(end + 2) }
}

/** Whether a sentence says this already, so that it is not shown twice. */
export const says = (sentence: string, part: string): boolean =>
  sentence.toLowerCase().includes(part.replace(/\.$/, '').toLowerCase())
