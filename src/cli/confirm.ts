import type { Session } from './session.ts'

/** `word`: what has to be typed; `null` takes y or yes. */
export type Question = { text: string; word: string | null }

/** Asks the person at the terminal. Without one, or with `--json`, there is nobody to ask. */
export async function confirm(
  { io, json }: Session,
  { text, word }: Question,
): Promise<'yes' | 'no' | 'nobody to ask'> {
  if (io.terminal === null || json) return 'nobody to ask'
  const answer = (await io.terminal.ask(text))?.trim() ?? ''
  const agreed = word === null ? /^y(es)?$/i.test(answer) : answer === word
  return agreed ? 'yes' : 'no'
}
