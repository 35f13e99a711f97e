/** The engine speaks in parts of sentences: `the step time`, `no rollout is in progress`. */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** `no rollout is in progress` -> `No rollout is in progress.` */
export const asSentence = (text: string): string =>
  /[.!?:"]$/.test(text) ? capital(text) : `${capital(text)}.`

/** Whether a sentence says this already, so that it is not shown twice. */
export const says = (sentence: string, part: string): boolean =>
  sentence.toLowerCase().includes(part.replace(/\.$/, '').toLowerCase())
