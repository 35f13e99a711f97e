/** What a key means in the live view. */
export type KeyMeaning =
  | { kind: 'leave' }
  | { kind: 'help' }
  | { kind: 'explain' }
  | { kind: 'logs' }
  | { kind: 'page' }
  | { kind: 'pause-or-resume' }
  | { kind: 'promote' }
  | { kind: 'promote-full' }
  | { kind: 'abort' }

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'

const MEANING: Readonly<Record<string, KeyMeaning['kind']>> = {
  q: 'leave',
  [CTRL_C]: 'leave',
  [CTRL_D]: 'leave',
  '?': 'help',
  h: 'help',
  e: 'explain',
  l: 'logs',
  o: 'page',
  ' ': 'pause-or-resume',
  p: 'promote',
  P: 'promote-full',
  a: 'abort',
}

/** `null` for keys without a meaning, arrows and the like included. */
export function meaningOf(key: string): KeyMeaning | null {
  const kind = MEANING[key]
  return kind === undefined ? null : { kind }
}

/** Single keys of one read; an escape sequence (arrow, function key) stays whole. */
export const splitKeys = (typed: string): string[] => (typed.startsWith('\u001b') ? [typed] : [...typed])

/** How a key changes a line being typed: the new text, or its end. */
export type Typing =
  | { kind: 'typed'; text: string }
  | { kind: 'entered'; text: string }
  | { kind: 'cancelled' }

export function typeKey(text: string, key: string): Typing {
  if (key === '\r' || key === '\n') return { kind: 'entered', text: text.trim() }
  if (key === '\u001b' || key === CTRL_C || key === CTRL_D) return { kind: 'cancelled' }
  if (key === '\u007f' || key === '\b') return { kind: 'typed', text: [...text].slice(0, -1).join('') }
  if (key.startsWith('\u001b') || key < ' ') return { kind: 'typed', text }
  return { kind: 'typed', text: `${text}${key}` }
}
